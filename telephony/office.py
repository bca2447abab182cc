"""The calls of this process: who is let in, what becomes of whom, and how all of them leave when the process ends."""

import asyncio
import logging
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from prometheus_client import Counter

from telephony.admission import Admission, Load, Refusal
from telephony.aftermath import after_stream, has_parted
from telephony.fleet import Fleet
from telephony.lag import LoopLag
from telephony.records.leases import Leases
from telephony.talks import Talks
from telephony.twilio.after import After, AskAgain, TakeUp
from telephony.twilio.control import CallControl
from telephony.twilio.documents import CallDocuments, Party

logger = logging.getLogger(__name__)

TURNED_AWAY = Counter("offhook_calls_turned_away", "Calls there was no room for, by reason", ["reason"])

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
EXPECTED_S = 5.0
"""How long a call that was let in counts as live before its stream comes, which may go to another process."""


class Session(Protocol):
    """A live call, as far as it can be told what to do."""

    def hand_over(self, within_s: float) -> None: ...

    def replace(self) -> None: ...


class Arrival:
    """A stream from the moment it is let in: it can be told what to do before its session is there to do it."""

    def __init__(self) -> None:
        self.has_left = asyncio.Event()
        self._session: Session | None = None
        self._orders: list[Callable[[Session], None]] = []

    def tell(self, order: Callable[[Session], None]) -> None:
        """Have the session do this, now or as soon as there is one."""
        if self._session is None:
            self._orders.append(order)
        else:
            order(self._session)

    def served_by(self, session: Session) -> None:
        """Here it is."""
        self._session = session
        for order in self._orders:
            order(session)


class CallOffice:
    """What the webhooks ask, and where live calls are known by their SIDs. Belongs to one event loop.

    `expect` is told the SID of each call that is let in, whose stream is about to come.
    """

    def __init__(
        self,
        admission: Admission,
        talks: Talks,
        leases: Leases,
        control: CallControl,
        documents: CallDocuments,
        lag: LoopLag,
        expect: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
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
        self._expect = expect
        self._clock = clock
        self._live: dict[str, Arrival] = {}
        self._expected: dict[str, float] = {}  # calls let in whose stream has not come, until when; the soonest first
        self._left = asyncio.Event()  # set whenever a call has left
        self._asked = asyncio.Event()  # set whenever the carrier is sent away to ask somebody else

    @property
    def live_calls(self) -> int:
        return len(self._live)

    # --- what the webhooks ask ---------------------------------------------------------------------------------

    def arrives(self, party: Party) -> Refusal | None:
        """See `telephony.twilio.webhooks.Office`."""
        refusal = self._refusal(party)
        if refusal is not None:
            TURNED_AWAY.labels(refusal.value).inc()
        return refusal

    def _refusal(self, party: Party) -> Refusal | None:
        if self.is_leaving:
            self._asked.set()
            return Refusal.LEAVING
        if self.not_ready is not None:
            return Refusal.NOT_READY
        now = self._clock()
        while self._expected and (soonest := next(iter(self._expected.items())))[1] <= now:
            del self._expected[soonest[0]]
        calls = self.live_calls + len(self._expected)
        load = Load(calls, self.fleet.live_calls, self._lag.typical_s, resident_mb())
        refusal = self._admission.refusal(load, party.from_number, now)
        if refusal is None:
            self._expected.pop(party.call_sid, None)
            self._expected[party.call_sid] = now + EXPECTED_S
            if self._expect is not None:
                self._expect(party.call_sid)
        return refusal

    async def after_stream(self, call_sid: str) -> After:
        """See `telephony.twilio.webhooks.Office`."""
        if self.is_leaving:
            self._asked.set()
            return AskAgain()
        standing = await self._talks.of(call_sid)
        after = TakeUp() if standing is None else after_stream(standing.talk, standing.streams_at, time.time())
        await self.fleet.answered(call_sid)
        return after

    async def stream_follows(self, call_sid: str) -> None:
        """See `telephony.twilio.webhooks.Office`."""
        await self.fleet.answered(call_sid)

    def stream_lost(self, call_sid: str, stream_sid: str) -> None:
        """See `telephony.twilio.webhooks.Office`."""
        if not self.is_leaving:
            self.fleet.watch(call_sid, stream_sid)

    async def _recover(self, call_sid: str) -> None:
        """A call's stream is lost, and the carrier has not asked what is next: tell it."""
        standing = await self._talks.of(call_sid)
        if standing is None:  # killed before a word of it was written down: let the carrier say whose call it is
            logger.warning("the stream of call %s is lost, and the carrier is told to ask what follows", call_sid)
            await self._control.redirect(call_sid, self._documents.question())
        elif not has_parted(standing.talk):
            after = after_stream(standing.talk, standing.streams_at, time.time())
            party = Party(call_sid, standing.account_sid, standing.caller, standing.called)
            logger.warning("the stream of call %s is lost, and what follows is: %s", call_sid, type(after).__name__)
            await self._control.redirect(call_sid, self._documents.after(after, party))

    # --- live calls --------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def arrival(self, call_sid: str) -> AsyncIterator[Arrival]:
        """A stream of this call has begun, and is live while inside. An older one ends: two bots are on no call."""
        self._expected.pop(call_sid, None)
        older, arrival = self._live.get(call_sid), Arrival()
        self._live[call_sid] = arrival
        try:
            if older is not None:
                await _make_way(older)
            yield arrival
        finally:
            if self._live.get(call_sid) is arrival:
                del self._live[call_sid]
            arrival.has_left.set()
            self._left.set()

    def _taken(self, call_sid: str) -> None:
        if arrival := self._live.get(call_sid):
            logger.warning("another process has taken call %s, it is left to it", call_sid)
            arrival.tell(lambda session: session.replace())

    # --- leaving -----------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Take no more calls, hand over those that are live, and stay for the carrier's questions about them."""
        self.is_leaving, self.not_ready = True, "this process is ending"
        logger.info("this process is ending: it hands over %d calls", self.live_calls)
        began_at = self._clock()
        handed_over = [*self._live.values()]
        for arrival in handed_over:
            arrival.tell(lambda session: session.hand_over(HAND_OVER_S))
        try:
            async with asyncio.timeout(HAND_OVER_S + LEFT_S):
                while self._live:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            logger.error("%d calls could not be handed over in time", self.live_calls)
        if handed_over:
            await self._linger(began_at + DRAIN_LIMIT_S)
        logger.info("all calls are handed over after %.1f s", self._clock() - began_at)

    async def _linger(self, until: float) -> None:
        """Stay for as long as the carrier goes on asking, and a little longer, but not past the limit."""
        while True:
            self._asked.clear()
            try:
                async with asyncio.timeout(min(LINGER_S, until - self._clock())):
                    await self._asked.wait()
            except TimeoutError:
                return


async def _make_way(older: Arrival) -> None:
    logger.warning("another stream of the call has begun, the older one ends")
    older.tell(lambda session: session.replace())
    try:
        async with asyncio.timeout(REPLACED_S):
            await older.has_left.wait()
    except TimeoutError:
        logger.error("the older stream does not end, and is left to itself")


def resident_mb() -> int:
    """What this process holds of the machine's memory; where the system does not tell, the most it has ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() // 1_000_000
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // (1_000_000 if sys.platform == "darwin" else 1000)
