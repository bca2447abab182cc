"""One stream of a call, from its start to its end: who calls, what was said before, and the session that serves it."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from langchain_core.tools import BaseTool

from agent.business import Business
from agent.history import History
from agent.minds import Minds
from agent.own_tools import OwnTools
from agent.prompt import CallFacts, system_prompt
from agent.tools import Book, call_tools
from telephony.aftermath import opening
from telephony.call.journal import Journal, Kind
from telephony.call.listener import VoiceDetection
from telephony.call.memory import remember
from telephony.call.opening import Opening
from telephony.call.rules import CallRules
from telephony.call.session import CallSession, Engines
from telephony.call.speaker import Clip
from telephony.call.voices import Voices
from telephony.feed import CallFeed
from telephony.metrics import STREAMS_ENDED
from telephony.office import Arrival, CallOffice
from telephony.persona import call_rules
from telephony.records.records import Records
from telephony.records.writer import Stream
from telephony.talks import Standing, Talks
from telephony.twilio.control import CallControl
from telephony.twilio.line import MediaLine
from telephony.twilio.messages import Start
from telephony.warm import WarmVoices

logger = logging.getLogger(__name__)

LEAST_CALL_S = 30.0
"""What is left at least of a call's longest length when it is taken up."""
FLUSH_LIMIT_S = 1.0
"""How long the end of a stream waits for its records, so that whoever takes the call up finds them."""
UNCOUNTED = 100
"""What is added to the step of a stream while the database, which counts them, is away: no call has had so many."""


@dataclass(frozen=True, slots=True)
class House:
    """What all calls share: the business they are answered for, and what hears, thinks and speaks."""

    business: Business
    own_tools: OwnTools
    minds: Minds
    detection: VoiceDetection
    clips: Mapping[str, Clip]
    """Sentences that were spoken beforehand."""
    book: str
    turn_end_silence_s: float


class Reception:
    """Serves streams. A call that has had one before goes on where that has left it, whichever process it was in."""

    def __init__(
        self,
        house: House,
        office: CallOffice,
        talks: Talks,
        records: Records,
        control: CallControl,
        feed: CallFeed,
        warm: WarmVoices,
    ) -> None:
        self._house = house
        self._office = office
        self._talks = talks
        self._records = records
        self._control = control
        self._feed = feed
        self._warm = warm

    async def serve(self, line: MediaLine, start: Start) -> None:
        """One stream. In a process that is ending it is over at once, for the carrier to ask another what is next."""
        if self._office.is_leaving:
            return
        call_sid = start.call_sid
        async with AsyncExitStack() as engines:  # let go last, which may take long: nobody hears the caller meanwhile
            try:
                async with self._office.arrival(call_sid) as arrival:
                    number = await self._office.fleet.claim(call_sid, start.stream_sid)
                    step, back = _step(start), start.parameters.get("back", "")
                    follows = step > 1 or bool(back)
                    standing = None if number == 1 and not follows else await self._talks.of(call_sid)
                    stream = Stream(
                        call_sid,
                        start.account_sid,
                        start.parameters.get("from", ""),
                        start.parameters.get("to", ""),
                        _number(number or (UNCOUNTED + step if follows else 1), standing),
                        time.time(),
                    )
                    opened = Opening() if number is None and follows else None
                    voices = await engines.enter_async_context(self._warm.claim(call_sid))
                    await self._serve(line, arrival, stream, standing, back, opened, voices)
            finally:
                if unwritten := await self._records.flush(FLUSH_LIMIT_S):
                    logger.warning("the stream ends while %d events are not in the records yet", unwritten)
                await self._office.fleet.release(call_sid, start.stream_sid)
                await line.close()

    async def _serve(
        self,
        line: MediaLine,
        arrival: Arrival,
        stream: Stream,
        standing: Standing | None,
        back: str,
        opened: Opening | None,
        voices: Voices,
    ) -> None:
        house, clock = self._house, asyncio.get_running_loop().time
        journal = Journal(started_at=clock())
        facts = CallFacts(stream.caller or None, stream.called or None, datetime.now(house.business.zone))
        tools = self._tools(facts)
        history = History(system_prompt(house.business, facts, [tool.name for tool in tools]))
        streaming_stt = voices.hears.capabilities.streaming_stt
        rules = call_rules(house.business, house.turn_end_silence_s, streaming_stt=streaming_stt)
        if standing is not None:
            rules = _with_what_is_left(rules, standing)
            standing.talk.tell(history)
            opened = opening(standing.talk)
        if back:
            remember(history, journal, Kind.HAPPENED, clock(), text=f"The transfer failed: {back}.")
            opened = replace(opened or Opening(), is_unanswered=False, heard=(), saying=(rules.returned,), parting=None)
        shared = Engines(voices, house.minds, house.detection, tools, house.business.transfer, house.clips)
        self._talks.follow(stream, journal)
        self._feed.publish(stream.call_sid, journal)  # from here on its end is certain to be written down
        logger.info("call started" if standing is None else "call taken up")
        with self._records.recorded(line, stream, journal) as recorded_line:
            session = CallSession(
                stream.call_sid, recorded_line, shared, history, rules, self._control, journal, opening=opened
            )
            arrival.served_by(session)
            reason = "a fault of ours"
            try:
                reason = await session.run()
            finally:
                STREAMS_ENDED.labels(reason).inc()

    def _tools(self, facts: CallFacts) -> Sequence[BaseTool]:
        house = self._house
        return call_tools(
            house.business,
            facts,
            Book(house.book),
            self._control.texting(facts.caller, facts.called),
            house.own_tools.for_call(house.business, facts),
        )


def _step(start: Start) -> int:
    """How many documents have led to this stream."""
    step = start.parameters.get("step", "")
    return int(step) if step.isascii() and step.isdigit() and len(step) < 4 else 1


def _number(least: int, standing: Standing | None) -> int:
    """The number of a stream, which is greater than that of any before it."""
    return least if standing is None else max(least, standing.last_stream + 1)


def _with_what_is_left(rules: CallRules, standing: Standing) -> CallRules:
    """A call has one longest length, however many streams it has."""
    left_s = rules.longest_call_s - (time.time() - standing.started_at)
    return replace(rules, longest_call_s=max(LEAST_CALL_S, left_s))
