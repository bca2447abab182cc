"""One process of the bot: what all its calls share, made from the settings."""

import asyncio
import logging
import time

from agent.own_tools import business_and_tools
from providers.errors import OffhookError
from providers.settings import settings as provider_settings
from providers.voice.remote.http import close_shared_client
from telephony import engines
from telephony.admission import Admission, Limits
from telephony.audio.vad import VadHub, load_engine
from telephony.call.rules import CallRules
from telephony.call.speaker import Clip
from telephony.feed import CallFeed
from telephony.fleet import LIFETIME_S
from telephony.interpreter import hurry, loading
from telephony.lag import LoopLag
from telephony.metrics import Metrics
from telephony.office import CallOffice
from telephony.reception import House, Reception
from telephony.records.leases import Leases
from telephony.records.records import Records
from telephony.records.tokens import RedeemedTokens
from telephony.settings import TelephonySettings
from telephony.settings import settings as line_settings
from telephony.talks import Talks
from telephony.twilio.control import CallControl
from telephony.twilio.documents import CallDocuments
from telephony.twilio.endpoint import StreamEndpoint
from telephony.twilio.rest import TwilioRest
from telephony.twilio.signature import SignatureChecker
from telephony.twilio.tokens import StreamTokens
from telephony.twilio.webhooks import Webhooks
from telephony.warm import WarmVoices

logger = logging.getLogger(__name__)

UNSIGNED_SECRET = "unsigned development on loopback"  # noqa: S105 - where no request is signed, no token is a secret

WARM_S = 10.0
"""How long engines wait for the stream of the call they were connected for."""


class Service:
    """What the calls of one process share. Made on its event loop; raises `ConfigurationError`."""

    def __init__(self) -> None:
        engines.check_configuration()
        self.settings = settings = line_settings.telephony
        llm = provider_settings.llm
        business, own_tools = business_and_tools(llm.BUSINESS_FILE, llm.TOOLS_MODULE)
        token = settings.TWILIO_AUTH_TOKEN.get_secret_value() if settings.TWILIO_AUTH_TOKEN else ""
        checker = SignatureChecker(token, settings.public_base_url) if settings.TWILIO_VALIDATE_SIGNATURES else None
        tokens = StreamTokens(token or UNSIGNED_SECRET)
        fallback_number = "" if business.fallback is None else business.transfer[business.fallback]
        documents = CallDocuments(settings, tokens, fallback_number)
        self._rest = _rest(settings, token)
        control = CallControl(self._rest, documents.dial)
        self._detection = VadHub(lambda: load_engine(settings.VAD_MODEL_PATH))
        self._records = Records(settings)
        self._lag = LoopLag()
        talks = Talks(self._records)
        leases = Leases(self._records.database, self._records.process, LIFETIME_S)
        self._minds = engines.minds()
        self._clips: dict[str, Clip] = {}
        self._first_words = [words for words in (business.greeting, business.notice) if words]
        self._warm = WarmVoices(engines.voices, WARM_S)
        # Of several processes, the one that answers the webhook is seldom the one that gets the stream.
        expect = self._warm.expect if settings.WEB_CONCURRENCY == 1 else None
        self.office = CallOffice(Admission(_limits(settings)), talks, leases, control, documents, self._lag, expect)
        self.feed = CallFeed(checker, self._records.log)
        house = House(
            business,
            own_tools,
            self._minds,
            self._detection,
            self._clips,
            llm.FRONT_DESK_BOOK,
            settings.TURN_END_SILENCE_MS / 1000,
        )
        reception = Reception(house, self.office, talks, self._records, control, self.feed, self._warm)
        self.metrics = Metrics(settings.METRICS_TOKEN, self._records.process, self.office, self._detection, self._lag)
        self.webhooks = Webhooks(settings, checker, documents, self.office)
        self.endpoint = StreamEndpoint(
            checker, tokens, RedeemedTokens(self._records.database), reception.serve, time.time
        )
        self._warming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to load detector and engines, and to record, in the background."""
        hurry()
        self._lag.start()
        self._warming = asyncio.create_task(self._warm_up(), name="warm up")

    async def stop(self) -> None:
        """Let go of everything shared."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        self._lag.stop()
        await self.office.fleet.stop()
        await self._warm.aclose()
        await self._detection.stop()
        await self._records.stop()
        await self._minds.aclose()
        await close_shared_client()
        if self._rest is not None:
            await self._rest.aclose()

    async def _warm_up(self) -> None:
        began_at = time.monotonic()
        with loading():
            behind = await self._records.start()
            self.office.fleet.start()
            without = await self._load_engines()
        if why := without or behind:
            self.office.not_ready = why
            logger.error("no calls are taken: %s", why)
        elif not self.office.is_leaving:
            self.office.not_ready = None
            logger.info("ready for calls after %.1f s of loading", time.monotonic() - began_at)
            await self._speak_beforehand()

    async def _load_engines(self) -> str:
        """Returns why they cannot be used, as an operator reads it; nothing if they can."""
        try:
            await engines.load(self._detection)
        except* OffhookError as failure:
            why = f"the engines cannot be loaded: {failure.exceptions[0]}"
        except* Exception:
            logger.exception("loading the engines failed")
            why = "the engines cannot be loaded, the log says why"
        else:
            why = ""
        return why

    async def _speak_beforehand(self) -> None:
        """Have that spoken now which begins every call, and what a caller hears when there is no voice any more.

        What begins them is spoken by the first engine or not beforehand: it is the voice that callers know.
        """
        try:
            for words in self._first_words:
                self._clips[words] = await engines.clip(engines.alone(engines.speaking_engine())[0], words)
        except Exception as error:
            logger.warning("callers will wait for the greeting until it is spoken, in each call: %r", error)
        words = CallRules().defeat
        try:
            self._clips[words] = await engines.clip(engines.speaking_engine(), words)
        except Exception as error:
            logger.warning("a caller whom the engines fail will hear the carrier's apology, not ours: %r", error)


def _rest(settings: TelephonySettings, token: str) -> TwilioRest | None:
    """Twilio's REST API, where the account is known."""
    account_sid = settings.TWILIO_ACCOUNT_SID
    return TwilioRest(account_sid, token, settings.TWILIO_API_BASE_URL) if account_sid and token else None


def _limits(settings: TelephonySettings) -> Limits:
    return Limits(
        calls=settings.MAX_CALLS,
        fleet_calls=settings.MAX_FLEET_CALLS,
        lag_s=None if settings.MAX_LAG_MS is None else settings.MAX_LAG_MS / 1000,
        memory_mb=settings.MAX_MEMORY_MB,
        calls_per_minute=settings.MAX_CALLS_PER_MINUTE,
        calls_per_caller_per_minute=settings.MAX_CALLS_PER_CALLER_PER_MINUTE,
    )
