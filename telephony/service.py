"""One process of the bot: what all its calls share, made from the settings, and the way into a call."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from langchain_core.language_models import BaseChatModel

from agent.business import load_business
from agent.history import History
from agent.llm_factory import LLMFactory
from agent.prompt import CallFacts, system_prompt
from agent.tools import Book, front_desk_tools
from providers.errors import ConfigurationError, OffhookError, Problem
from providers.settings import settings as provider_settings
from providers.voice.base import BaseVoiceProvider
from providers.voice.factory import VoiceProviderFactory
from telephony.audio.converter import input_spec, output_spec
from telephony.audio.vad import VadHub, load_engine
from telephony.call.journal import Journal
from telephony.call.rules import CallRules
from telephony.call.session import CallSession, Engines
from telephony.feed import CallFeed
from telephony.settings import settings as line_settings
from telephony.twilio.board import CallBoard
from telephony.twilio.control import CallControl
from telephony.twilio.endpoint import StreamEndpoint
from telephony.twilio.line import MediaLine
from telephony.twilio.messages import Start
from telephony.twilio.rest import TwilioRest
from telephony.twilio.signature import SignatureChecker
from telephony.twilio.tokens import StreamTokens
from telephony.twilio.webhooks import Webhooks

logger = logging.getLogger(__name__)

UNSIGNED_SECRET = "unsigned development on loopback"  # noqa: S105 - where no request is signed, no token is a secret


def check_configuration() -> None:
    """Raise one `ConfigurationError` with everything that is wrong with the settings, if anything is."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: line_settings.telephony,
        lambda: load_business(provider_settings.llm.BUSINESS_FILE),
        chat_model,
        lambda: output_spec(speaking_engine()),
        lambda: input_spec(hearing_engine()),
    )
    problems: dict[Problem, None] = {}
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigurationError(problems)


def chat_model() -> BaseChatModel:
    """The configured language model, the same one for all calls."""
    llm = LLMFactory.create_llm()
    if not isinstance(llm, BaseChatModel):
        raise ConfigurationError.of("LLM_PROVIDER", f"{type(llm).__name__} is not a chat model")
    return llm


def hearing_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that hears."""
    return VoiceProviderFactory.create_provider(provider_settings.voice.VOICE_STT_PROVIDER)


def speaking_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that speaks."""
    return VoiceProviderFactory.create_provider(provider_settings.voice.VOICE_TTS_PROVIDER)


class Service:
    """What the calls of one process share. Made on its event loop; raises `ConfigurationError`."""

    def __init__(self) -> None:
        check_configuration()
        self.settings = line_settings.telephony
        self._business = load_business(provider_settings.llm.BUSINESS_FILE)
        self._llm = chat_model()
        token = self.settings.TWILIO_AUTH_TOKEN.get_secret_value() if self.settings.TWILIO_AUTH_TOKEN else ""
        signed = self.settings.TWILIO_VALIDATE_SIGNATURES
        checker = SignatureChecker(token, self.settings.public_base_url) if signed else None
        tokens = StreamTokens(token or UNSIGNED_SECRET)
        board = CallBoard()
        account_sid = self.settings.TWILIO_ACCOUNT_SID
        self._rest = (
            TwilioRest(account_sid, token, self.settings.TWILIO_API_BASE_URL) if account_sid and token else None
        )
        dial_ended = f"{self.settings.public_base_url}/twilio/dial-ended"
        self._board = board
        self._control = CallControl(self._rest, board, dial_ended, time.monotonic)
        self._detection = VadHub(lambda: load_engine(self.settings.VAD_MODEL_PATH))
        self._warming: asyncio.Task[None] | None = None
        self.not_ready: str | None = "the engines are loading"
        """Why calls are not taken, None when they are."""
        self.webhooks = Webhooks(self.settings, checker, tokens, board, accepting=lambda: self.not_ready is None)
        self.endpoint = StreamEndpoint(checker, tokens, self._serve, time.time)
        self.feed = CallFeed(checker)

    async def start(self) -> None:
        """Begin to load detector and engines, in the background."""
        self._warming = asyncio.create_task(self._warm_up(), name="warm up")

    async def stop(self) -> None:
        """Let go of everything shared."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        await self._detection.stop()
        if self._rest is not None:
            await self._rest.aclose()

    async def _warm_up(self) -> None:
        voice = provider_settings.voice
        began_at = time.monotonic()
        engines = {type(engine) for engine in (hearing_engine(), speaking_engine())}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._detection.start())
                for engine in engines:
                    group.create_task(engine.prepare(voice))
        except* OffhookError as failure:
            self.not_ready = f"the engines cannot be loaded: {failure.exceptions[0]}"
            logger.error("%s", self.not_ready)
        except* Exception:
            self.not_ready = "the engines cannot be loaded, the log says why"
            logger.exception("loading the engines failed")
        else:
            self.not_ready = None
            logger.info("ready for calls after %.1f s of loading", time.monotonic() - began_at)

    async def _serve(self, line: MediaLine, start: Start) -> None:
        """One call, from its start to its end."""
        now = asyncio.get_running_loop().time()
        self._board.streaming(start.call_sid, time.monotonic())
        journal = Journal(started_at=now)
        hears, speaks = hearing_engine(), speaking_engine()
        if type(hears) is type(speaks):
            hears = speaks
        rules = CallRules(
            greeting=self._business.greeting,
            goodbye=self._business.goodbye,
            turn_end_silence_s=self.settings.TURN_END_SILENCE_MS / 1000,
            transcribe_at_pause=not hears.capabilities.streaming_stt,
        )
        facts = CallFacts(
            caller=start.parameters.get("from") or None,
            called=start.parameters.get("to") or None,
            now=datetime.now(self._business.zone),
        )
        tools = front_desk_tools(self._business, facts, Book(provider_settings.llm.FRONT_DESK_BOOK))
        engines = Engines(
            hears,
            speaks,
            self._llm,
            provider_settings.llm.LLM_PROVIDER,
            self._detection,
            tools,
            self._business.transfer,
        )
        history = History(system_prompt(self._business, facts))
        self.feed.publish(start.call_sid, journal)  # from here on its end is certain to be written down
        logger.info("call started")
        await CallSession(start.call_sid, line, engines, history, rules, self._control, journal).run()
