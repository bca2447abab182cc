"""One process of the bot: what all its calls share, made from the settings, and the way into a call."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime

from agent.history import History
from agent.own_tools import business_and_tools
from agent.prompt import CallFacts, system_prompt
from agent.tools import Book, call_tools
from providers.errors import OffhookError
from providers.settings import settings as provider_settings
from telephony import engines
from telephony.audio.vad import VadHub, load_engine
from telephony.call.actions import EndReason
from telephony.call.journal import Journal, Kind
from telephony.call.memory import remember
from telephony.call.session import CallSession, Engines
from telephony.feed import CallFeed
from telephony.persona import call_rules
from telephony.records.records import Records
from telephony.records.writer import Stream
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


MOST_TALKS = 10_000
"""Talks kept, those of callers who are being put through included: they may come back."""


@dataclass(slots=True)
class _Talk:
    """What was said in a call, in the streams it has had."""

    history: History
    streams: int = 0


class Service:
    """What the calls of one process share. Made on its event loop; raises `ConfigurationError`."""

    def __init__(self) -> None:
        engines.check_configuration()
        self.settings = line_settings.telephony
        llm = provider_settings.llm
        self._business, self._own_tools = business_and_tools(llm.BUSINESS_FILE, llm.TOOLS_MODULE)
        self._mind = engines.mind()
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
        self._records = Records(self.settings)
        self._talks: dict[str, _Talk] = {}  # of live calls, and of callers being put through
        self._why_back: dict[str, str] = {}  # why a transfer failed, by the call that is coming back
        self._warming: asyncio.Task[None] | None = None
        self.not_ready: str | None = "the engines are loading"
        """Why calls are not taken, None when they are."""
        self.webhooks = Webhooks(
            self.settings,
            checker,
            tokens,
            board,
            accepting=lambda: self.not_ready is None,
            on_return=self._takes_back,
        )
        self.endpoint = StreamEndpoint(checker, tokens, self._serve, time.time)
        self.feed = CallFeed(checker, self._records.log)

    async def start(self) -> None:
        """Begin to load detector and engines, and to record, in the background."""
        self._warming = asyncio.create_task(self._warm_up(), name="warm up")

    async def stop(self) -> None:
        """Let go of everything shared."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        await self._detection.stop()
        await self._records.stop()
        if self._rest is not None:
            await self._rest.aclose()

    async def _warm_up(self) -> None:
        began_at = time.monotonic()
        behind = await self._records.start()
        try:
            await engines.load(self._detection)
        except* OffhookError as failure:
            self.not_ready = f"the engines cannot be loaded: {failure.exceptions[0]}"
            logger.error("%s", self.not_ready)
        except* Exception:
            self.not_ready = "the engines cannot be loaded, the log says why"
            logger.exception("loading the engines failed")
        else:
            self.not_ready = behind or None
            if behind:
                logger.error("no calls are taken: %s", behind)
                return
            logger.info("ready for calls after %.1f s of loading", time.monotonic() - began_at)

    async def _serve(self, line: MediaLine, start: Start) -> None:
        """One stream of a call, from its start to its end: the first, or that of a caller who could not be put through.

        Their talk goes on, with a word about why they are back instead of a greeting.
        """
        journal = Journal(started_at=asyncio.get_running_loop().time())
        started_at = time.time()
        self._board.streaming(start.call_sid, time.monotonic())
        hears, speaks = engines.voices()
        rules = call_rules(
            self._business,
            self.settings.TURN_END_SILENCE_MS / 1000,
            streaming_stt=hears.capabilities.streaming_stt,
        )
        facts = CallFacts(
            caller=start.parameters.get("from") or None,
            called=start.parameters.get("to") or None,
            now=datetime.now(self._business.zone),
        )
        tools = call_tools(
            self._business,
            facts,
            Book(provider_settings.llm.FRONT_DESK_BOOK),
            self._control.texting(facts.caller, facts.called),
            self._own_tools.for_call(self._business, facts),
        )
        talk = self._talks.pop(start.call_sid, None)
        if talk is None:
            talk = _Talk(History(system_prompt(self._business, facts, [tool.name for tool in tools])))
        else:
            why = f"The transfer failed: {self._why_back.pop(start.call_sid, 'nobody answered')}."
            remember(talk.history, journal, Kind.HAPPENED, asyncio.get_running_loop().time(), text=why)
            rules = replace(rules, greeting=rules.returned, greeting_interruptible=True, notice="")
        talk.streams += 1
        self._keep(start.call_sid, talk)
        shared = Engines(hears, speaks, self._mind, self._detection, tools, self._business.transfer)
        caller, called = facts.caller or "", facts.called or ""
        stream = Stream(start.call_sid, start.account_sid, caller, called, talk.streams, started_at)
        self._records.follow(stream, journal)
        self.feed.publish(start.call_sid, journal)  # from here on its end is certain to be written down
        logger.info("call started")
        with self._records.recorded(line, stream, journal) as recorded_line:
            session = CallSession(start.call_sid, recorded_line, shared, talk.history, rules, self._control, journal)
            reason = await session.run()
        if reason is not EndReason.TRANSFERRED:
            self._talks.pop(start.call_sid, None)

    def _keep(self, call_sid: str, talk: _Talk) -> None:
        """Keep a talk for as long as its call may come back, within bounds."""
        self._talks[call_sid] = talk
        if len(self._talks) > MOST_TALKS:
            oldest = next(iter(self._talks))
            del self._talks[oldest]
            self._why_back.pop(oldest, None)

    def _takes_back(self, call_sid: str, reason: str) -> bool:
        """Whether a caller who could not be put through can go on with their talk here."""
        if call_sid in self._talks:
            self._why_back[call_sid] = reason
        return call_sid in self._talks
