"""The calls of a process: who is let in, what becomes of whom, and how all of them leave."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from telephony import office as module
from telephony.admission import Admission, Limits, Refusal
from telephony.call.actions import EndReason
from telephony.call.journal import Journal, Kind
from telephony.lag import LoopLag
from telephony.office import (
    EXPECTED_S,
    HAND_OVER_S,
    LEFT_S,
    LINGER_S,
    Arrival,
    CallOffice,
    resident_mb,
)
from telephony.records.command import upgrade_database
from telephony.records.leases import Leases
from telephony.records.records import Records
from telephony.scenarios.clock import InventedTimeLoop
from telephony.settings import RecordSettings, TelephonySettings
from telephony.talks import Talks
from telephony.twilio import twiml
from telephony.twilio.after import AskAgain, Over, TakeUp
from telephony.twilio.control import CallControl
from telephony.twilio.documents import CallDocuments, Party
from telephony.twilio.rest import TwilioRest
from telephony.twilio.tokens import StreamTokens
from tests.telephony.records.calls import stream
from tests.telephony.sleeper import Sleeper
from tests.telephony.twilio.frames import ACCOUNT

CALL = "CA1"
STREAM = "MZ1"
TOKEN = "0123456789abcdef0123456789abcdef"


def party(number: int = 1) -> Party:
    return Party(f"CA{number}", ACCOUNT, f"+1415555{number:04}", "+18005550101")


class Session:
    """Does as it is told, and remembers it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def hand_over(self, within_s: float) -> None:
        self.told.append(f"hand over within {within_s:g} s")

    def replace(self) -> None:
        self.told.append("replace")


class House:
    """An office and all it needs; `orders` is what it had the carrier do."""

    def __init__(
        self, database_url: str, limits: Limits | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        settings = TelephonySettings(PUBLIC_BASE_URL="https://bot.example.com", TWILIO_AUTH_TOKEN=SecretStr(TOKEN))
        self.orders: list[str] = []
        self.records = Records(RecordSettings(DATABASE_URL=database_url))
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._order))
        self.documents = CallDocuments(settings, StreamTokens(TOKEN), epoch=lambda: 1000.0, nonce=lambda: bytes(16))
        self.talks = Talks(self.records)
        self.sleeper = Sleeper()
        self.office = CallOffice(
            Admission(limits or Limits()),
            self.talks,
            Leases(self.records.database, self.records.process),
            CallControl(TwilioRest(ACCOUNT, TOKEN, client=self.client), self.documents.dial),
            self.documents,
            LoopLag(),
            clock=clock or time.monotonic,
        )
        self.office.fleet._sleep = self.sleeper
        self.office.not_ready = None

    def _order(self, request: httpx.Request) -> httpx.Response:
        (document,) = parse_qs(request.content.decode())["Twiml"]
        self.orders.append(document)
        return httpx.Response(200, json={})

    async def stop(self) -> None:
        await self.office.fleet.stop()
        await self.records.stop()
        await self.client.aclose()

    async def had(self, call_sid: str, *notes: tuple[Kind, dict[str, str]]) -> None:
        """A call that had a stream here, in which this happened, and of which all is written down."""
        journal = Journal(0.0)
        self.talks.follow(stream(call_sid), journal)
        journal.note(Kind.CALL_STARTED, 0.0, call_sid=call_sid)
        for kind, details in notes:
            journal.note(kind, 1.0, **details)
        assert await self.records.flush(10.0) == 0

    async def looked_after(self) -> None:
        """Let those who watch lost streams come to an end."""
        await self.sleeper.asleep(1)
        self.sleeper.wake()
        await asyncio.gather(*self.office.fleet._watching.values())


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Callable[[], Awaitable[House]]]:
    """Opens houses that share a database."""
    await upgrade_database(database_url)
    async with AsyncExitStack() as stack:

        async def open_house() -> House:
            house = House(database_url)
            await house.records.start()
            stack.push_async_callback(house.stop)
            return house

        yield open_house


@pytest.fixture
async def house(opened: Callable[[], Awaitable[House]]) -> House:
    return await opened()


# --- who is let in ---------------------------------------------------------------------------------------------


class Times:
    now = 50.0


async def test_calls_that_are_to_come_count_like_those_that_are_there() -> None:
    times = Times()
    office = House("sqlite:///unused.db", Limits(calls=3), lambda: times.now).office
    assert [office.arrives(party(number)) for number in (1, 2, 2, 3)] == [None] * 4
    assert office.arrives(party(4)) is Refusal.PROCESS_FULL
    async with office.arrival("CA1"):
        assert office.live_calls == 1
        assert office.arrives(party(4)) is Refusal.PROCESS_FULL
        times.now += EXPECTED_S
        assert [office.arrives(party(number)) for number in (4, 5, 6)] == [None, None, Refusal.PROCESS_FULL]
    assert office.arrives(party(6)) is None


async def test_nobody_is_let_in_before_it_is_ready_and_once_it_leaves() -> None:
    office = House("sqlite:///unused.db").office
    office.not_ready = "the engines are loading"
    assert office.arrives(party()) is Refusal.NOT_READY
    office.not_ready = None
    assert office.arrives(party()) is None
    await office.drain()
    assert office.arrives(party()) is Refusal.LEAVING
    assert await office.after_stream(CALL) == AskAgain()
    office.stream_lost(CALL, STREAM)
    assert not office.fleet._watching


def test_this_process_holds_some_memory() -> None:
    assert 10 < resident_mb() < 10_000


# --- what becomes of whom --------------------------------------------------------------------------------------


async def test_any_process_knows_what_comes_after_a_stream(opened: Callable[[], Awaitable[House]]) -> None:
    one, other = await opened(), await opened()
    await one.had(CALL)
    await one.had("CA2", (Kind.CALL_ENDED, {"reason": EndReason.GOODBYE}))
    for _ in range(2):
        assert await other.office.after_stream(CALL) == TakeUp()
        assert await other.office.after_stream("CA2") == Over()
        assert await other.office.after_stream("CA3") == TakeUp()


async def test_a_lost_stream_of_which_the_carrier_does_not_ask_is_replaced_once(
    opened: Callable[[], Awaitable[House]],
) -> None:
    one, other = await opened(), await opened()
    await one.office.fleet.claim(CALL, STREAM)
    await one.had(CALL)
    for house in (one, other):
        house.office.stream_lost(CALL, STREAM)
    await one.looked_after()
    await other.looked_after()
    assert one.orders + other.orders == [
        one.documents.after(TakeUp(), Party(CALL, ACCOUNT, "+15005550006", "+15005550001"))
    ]


@pytest.mark.parametrize("asks", ["before", "meanwhile"])
async def test_nor_where_it_asks(house: House, asks: str) -> None:
    await house.office.fleet.claim(CALL, STREAM)
    await house.had(CALL)
    if asks == "before":
        await house.office.after_stream(CALL)
        house.office.stream_lost(CALL, STREAM)
        await asyncio.gather(*house.office.fleet._watching.values())
    else:
        house.office.stream_lost(CALL, STREAM)
        await house.sleeper.asleep(1)
        await house.office.after_stream(CALL)
        await house.looked_after()
    assert not house.orders


@pytest.mark.parametrize(
    "reason", [EndReason.CALLER_LEFT, EndReason.GOODBYE, EndReason.TRANSFERRED, EndReason.TOO_LONG]
)
async def test_a_stream_that_ended_in_order_is_not_lost(house: House, reason: str) -> None:
    number = {"number": "+15550100143"}
    await house.office.fleet.claim(CALL, STREAM)
    await house.had(CALL, (Kind.TRANSFER_STARTED, number), (Kind.CALL_ENDED, {"reason": reason}))
    await house.office.fleet.release(CALL, STREAM)
    house.office.stream_lost(CALL, STREAM)
    await house.looked_after()
    assert not house.orders


async def test_a_call_that_was_lost_before_a_word_was_written_is_asked_about(house: House) -> None:
    await house.office.fleet.claim(CALL, STREAM)
    house.office.stream_lost(CALL, STREAM)
    await house.looked_after()
    assert house.orders == [twiml.redirect("https://bot.example.com/twilio/stream-ended")]


# --- live calls ------------------------------------------------------------------------------------------------


async def served(office: CallOffice, session: Session, until: asyncio.Event) -> None:
    async with office.arrival(CALL) as arrival:
        arrival.served_by(session)
        await until.wait()


async def test_a_second_stream_of_a_call_waits_for_the_end_of_the_first() -> None:
    office = House("sqlite:///unused.db").office
    first, second, end = Session(), Session(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(served(office, first, end))
        await asyncio.sleep(0)
        following = tasks.create_task(served(office, second, asyncio.Event()))
        await asyncio.sleep(0)
        assert first.told == ["replace"]
        assert office.live_calls == 1
        end.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert office.live_calls == 1
        assert not second.told
        following.cancel()
    assert office.live_calls == 0


async def test_a_stream_that_is_replaced_before_it_has_a_session_gets_one_that_ends_at_once() -> None:
    office = House("sqlite:///unused.db").office
    session = Session()
    async with asyncio.TaskGroup() as tasks:
        async with office.arrival(CALL) as first:
            following = tasks.create_task(served(office, Session(), asyncio.Event()))
            await asyncio.sleep(0)
            first.served_by(session)
        assert session.told == ["replace"]
        following.cancel()


def test_a_first_stream_that_does_not_end_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> float:
        office = House("sqlite:///unused.db").office
        async with office.arrival(CALL), office.arrival(CALL):
            assert office.live_calls == 1
            return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        assert runner.run(run()) == pytest.approx(module.REPLACED_S)
    assert caplog.messages[-1] == "the older stream does not end, and is left to itself"


async def test_a_call_that_another_process_has_taken_is_left_to_it(caplog: pytest.LogCaptureFixture) -> None:
    office = House("sqlite:///unused.db").office
    session = Session()
    async with office.arrival(CALL) as arrival:
        arrival.served_by(session)
        office._taken(CALL)
        office._taken("CA2")
    assert session.told == ["replace"]
    assert caplog.messages == [f"another process has taken call {CALL}, it is left to it"]


# --- leaving, in invented time ---------------------------------------------------------------------------------


def leaving(run: Callable[[CallOffice, Callable[[], float]], Awaitable[float]]) -> float:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        return await run(House("sqlite:///unused.db", clock=clock).office, clock)

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        return runner.run(main())


def test_who_has_no_calls_leaves_at_once() -> None:
    async def run(office: CallOffice, clock: Callable[[], float]) -> float:
        await office.drain()
        return clock()

    assert leaving(run) == 0.0


class Leaves(Session):
    """Hands over when told to, so many seconds later."""

    def __init__(self, after_s: float) -> None:
        super().__init__()
        self._after_s = after_s
        self.gone = asyncio.Event()

    def hand_over(self, within_s: float) -> None:
        super().hand_over(within_s)
        asyncio.get_running_loop().call_later(self._after_s, self.gone.set)


async def hold(office: CallOffice, call_sid: str, session: Leaves, ready: Callable[[Arrival], object]) -> None:
    async with office.arrival(call_sid) as arrival:
        ready(arrival)
        await session.gone.wait()


def test_calls_are_handed_over_and_the_carrier_is_answered_until_it_asks_no_more() -> None:
    async def run(office: CallOffice, clock: Callable[[], float]) -> float:
        early, late = Leaves(2.0), Leaves(4.0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hold(office, "CA1", early, lambda arrival: arrival.served_by(early)))
            # one that is only just being let in:
            tasks.create_task(
                hold(
                    office,
                    "CA2",
                    late,
                    lambda arrival: asyncio.get_running_loop().call_later(1.0, arrival.served_by, late),
                )
            )
            await asyncio.sleep(0)
            draining = tasks.create_task(office.drain())
            await asyncio.sleep(6.0)  # the last has left at 5
            assert await office.after_stream(CALL) == AskAgain()
            await draining
        assert early.told == late.told == [f"hand over within {HAND_OVER_S:g} s"]
        return clock()

    assert leaving(run) == pytest.approx(6.0 + LINGER_S)


def test_what_cannot_be_handed_over_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    async def run(office: CallOffice, clock: Callable[[], float]) -> float:
        stuck = Leaves(100.0)
        holding = asyncio.create_task(hold(office, CALL, stuck, lambda arrival: arrival.served_by(stuck)))
        await asyncio.sleep(0)
        await office.drain()
        holding.cancel()
        return clock()

    assert leaving(run) == pytest.approx(HAND_OVER_S + LEFT_S + LINGER_S)
    assert "1 calls could not be handed over in time" in caplog.messages


def test_a_carrier_that_asks_for_ever_does_not_keep_it() -> None:
    async def run(office: CallOffice, clock: Callable[[], float]) -> float:
        session = Leaves(1.0)
        holding = asyncio.create_task(hold(office, CALL, session, lambda arrival: arrival.served_by(session)))
        await asyncio.sleep(0)
        draining = asyncio.create_task(office.drain())
        while not draining.done():
            await asyncio.sleep(0.5)
            assert office.arrives(party()) is Refusal.LEAVING
        await holding
        return clock()

    assert leaving(run) == pytest.approx(module.DRAIN_LIMIT_S, abs=0.5)
