"""The calls of this process: who is let in, what becomes of whom, and how all of them leave when the process ends."""

import asyncio
import logging
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from telephony.admission import Admission, Load, Refusal
from telephony.aftermath import after_stream
from telephony.call.actions import EndReason
from telephony.fleet import Fleet
from telephony.lag import LoopLag
from telephony.records.leases import Leases
from telephony.talks import Talks
from telephony.twilio.after import After, AskAgain, TakeUp
from telephony.twilio.control import CallControl
from telephony.twilio.documents import CallDocuments, Party

logger = logging.getLogger(__name__)

HAND_OVER_S = 20.0
"""How long a call may take to come to the end of a sentence when the process ends."""
LEFT_S = 2.0
"""How long its stream may then take to be closed."""
LINGER_S = 3.0
"""How long after the last question of the carrier the process stays, for the next of them."""
DRAIN_LIMIT_S = 26.0
"""How long all of it may take: the platform kills the process after 30 s."""
REPLACED_S = 2.0
"""How long a stream may take to end when another of the same call has begun."""


class Session(Protocol):
    """A live call, as far as it can be told what to do."""

    def hand_over(self, within_s: float) -> None: ...

    def replace(self) -> None: ...


class CallOffice:
    """What the webhooks ask, and where live calls are known by their SIDs. Belongs to one event loop."""

    def __init__(
        self,
        admission: Admission,
        talks: Talks,
        leases: Leases,
        control: CallControl,
        documents: CallDocuments,
        lag: LoopLag,
    ) -> None:
        self.not_ready: str | None = "the engines are loading"
        """Why calls are not taken, None when they are."""
        self.is_leaving = False
        self.fleet = Fleet(leases, self._taken, self._recover, time.time)
        self._admission = admission
        self._talks = talks
        self._control = control
        self._documents = documents
        self._lag = lag
        self._live: dict[str, Session] = {}
        self._left = asyncio.Event()  # set whenever a call has left
        self._asked = asyncio.Event()  # set whenever the carrier is sent away to ask somebody else

    @property
    def live_calls(self) -> int:
        return len(self._live)

    # --- what the webhooks ask ---------------------------------------------------------------------------------

    def arrives(self, party: Party) -> Refusal | None:
        """See `telephony.twilio.webhooks.Office`."""
        if self.is_leaving:
            self._asked.set()
            return Refusal.LEAVING
        if self.not_ready is not None:
            return Refusal.NOT_READY
        load = Load(self.live_calls, self.fleet.live_calls, self._lag.typical_s, resident_mb())
        return self._admission.refusal(load, party.from_number, time.monotonic())

    async def after_stream(self, call_sid: str) -> After:
        """See `telephony.twilio.webhooks.Office`."""
        if self.is_leaving:
            self._asked.set()
            return AskAgain()
        after = await self._after(call_sid)
        if isinstance(after, TakeUp):
            await self.fleet.taking_up(call_sid)
        return after

    async def stream_follows(self, call_sid: str) -> None:
        """See `telephony.twilio.webhooks.Office`."""
        await self.fleet.taking_up(call_sid)

    def stream_lost(self, call_sid: str, stream_sid: str) -> None:
        """See `telephony.twilio.webhooks.Office`."""
        if not self.is_leaving:
            self.fleet.watch(call_sid, stream_sid)

    async def _after(self, call_sid: str) -> After:
        standing = await self._talks.of(call_sid)
        return TakeUp() if standing is None else after_stream(standing.talk, standing.streams_at, time.time())

    async def _recover(self, call_sid: str) -> None:
        """A call's stream is lost, and the carrier has not asked what is next: tell it."""
        standing = await self._talks.of(call_sid)
        if standing is None or standing.talk.ended == EndReason.CALLER_LEFT:
            return
        after = after_stream(standing.talk, standing.streams_at, time.time())
        party = Party(call_sid, standing.account_sid, standing.caller, standing.called)
        logger.warning("the stream of call %s is lost, and what follows is: %s", call_sid, type(after).__name__)
        await self._control.redirect(call_sid, self._documents.after(after, party))

    # --- live calls --------------------------------------------------------------------------------------------

    async def make_way(self, call_sid: str) -> None:
        """A stream of this call has begun: an older one ends, so that there are never two bots on a call."""
        if call_sid not in self._live:
            return
        logger.warning("another stream of the call has begun, the older one ends")
        self._live[call_sid].replace()
        try:
            async with asyncio.timeout(REPLACED_S):
                while call_sid in self._live:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            logger.error("the older stream does not end, and is left to itself")

    @contextmanager
    def serving(self, call_sid: str, session: Session) -> Iterator[None]:
        """The session is live while inside."""
        self._live[call_sid] = session
        try:
            if self.is_leaving:
                session.hand_over(0.0)
            yield
        finally:
            if self._live.get(call_sid) is session:
                del self._live[call_sid]
            self._left.set()

    def _taken(self, call_sid: str) -> None:
        if call_sid in self._live:
            logger.warning("another process has taken call %s, it is left to it", call_sid)
            self._live[call_sid].replace()

    # --- leaving -----------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Take no more calls, hand over those that are live, and stay for the carrier's questions about them."""
        self.is_leaving, self.not_ready = True, "this process is ending"
        logger.info("this process is ending: it hands over %d calls", self.live_calls)
        began_at = time.monotonic()
        handed_over = [*self._live.values()]
        for session in handed_over:
            session.hand_over(HAND_OVER_S)
        try:
            async with asyncio.timeout(HAND_OVER_S + LEFT_S):
                while self._live:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            logger.error("%d calls could not be handed over in time", self.live_calls)
        if handed_over:
            await self._linger(began_at + DRAIN_LIMIT_S)
        logger.info("all calls are handed over after %.1f s", time.monotonic() - began_at)

    async def _linger(self, until: float) -> None:
        """Stay for as long as the carrier goes on asking, and a little longer, but not past the limit."""
        while True:
            self._asked.clear()
            try:
                async with asyncio.timeout(min(LINGER_S, until - time.monotonic())):
                    await self._asked.wait()
            except TimeoutError:
                return


def resident_mb() -> int:
    """What this process holds of the machine's memory; where the system does not tell, the most it has ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() // 1_000_000
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // (1_000_000 if sys.platform == "darwin" else 1000)
