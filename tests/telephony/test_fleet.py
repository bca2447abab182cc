"""A process among those that share its database: whose call it is, and who sees to one that is nobody's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from telephony import fleet as module
from telephony.fleet import AT_ONCE, LIFETIME_S, RENEW_S, WATCH_S, Fleet
from telephony.records.database import Database, connect
from telephony.records.leases import Lease, Leases
from tests.telephony.records.calls import until
from tests.telephony.sleeper import LIMIT_S, Sleeper

CALL = "CA1"
STREAM = "MZ1"
NEXT = "MZ2"


class Member:
    """A process of the fleet, and what it was told and did."""

    def __init__(self, database: Database, name: str, times: "Times") -> None:
        self.taken: list[str] = []
        self.recovered: list[str] = []
        self.leases = Leases(database, name, LIFETIME_S)
        self.database = database
        self.times = times
        self.sleeper = times.sleeper
        self.hinders: Callable[[], Awaitable[object]] | None = None
        self.fleet = Fleet(self.leases, self.taken.append, self._recover, lambda: times.now, self.sleeper)

    async def _recover(self, call_sid: str) -> None:
        self.recovered.append(call_sid)
        if self.hinders:
            await self.hinders()

    async def watched(self) -> None:
        """Let those who watch go on until they are done."""
        tasks = [*self.fleet._watching.values()]
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*tasks)


class Times:
    """The clock of all of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeper = Sleeper()


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def one(database: Database, times: Times) -> Member:
    return Member(database, "one", times)


@pytest.fixture
def other(database: Database, times: Times) -> Member:
    return Member(database, "other", times)


@asynccontextmanager
async def renewing(member: Member) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """The member renews; yields what lets so many seconds pass, and the round after them."""
    member.fleet.start()
    sleeper = member.sleeper

    async def passes(seconds: float) -> None:
        member.times.now += seconds
        sleeper.wake()
        await sleeper.asleep(1)

    await sleeper.asleep(1)
    try:
        yield passes
    finally:
        await member.fleet.stop()


# --- two triggers, one call ------------------------------------------------------------------------------------


async def test_a_lost_stream_is_brought_back_by_one_of_all_who_are_told(one: Member, other: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    for member in (one, other):
        member.fleet.watch(CALL, STREAM)
        member.fleet.watch(CALL, STREAM)
    assert await one.sleeper.asleep(2) == [WATCH_S] * 2
    one.sleeper.wake()
    await one.watched()
    await other.watched()
    assert one.recovered + other.recovered == [CALL]


async def test_a_call_that_was_let_go_is_brought_back_too(one: Member, other: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    await one.fleet.release(CALL, STREAM)
    other.fleet.watch(CALL, STREAM)
    await other.sleeper.asleep(1)
    other.sleeper.wake()
    await other.watched()
    assert other.recovered == [CALL]


@pytest.mark.parametrize("lets_go", [True, False])
async def test_nor_does_it_matter_whether_its_process_notices_meanwhile(
    one: Member, other: Member, lets_go: bool
) -> None:
    await one.fleet.claim(CALL, STREAM)
    other.fleet.watch(CALL, STREAM)
    await other.sleeper.asleep(1)
    await (one.fleet.release(CALL, STREAM) if lets_go else one.leases.renew(one.times.now + RENEW_S))
    other.sleeper.wake()
    await other.watched()
    assert other.recovered == [CALL]


async def test_a_call_is_found_when_whoever_was_told_of_it_dies_too(one: Member, other: Member) -> None:
    async with renewing(other) as passes:
        await passes(RENEW_S)
        await passes(LIFETIME_S)
        await one.fleet.claim(CALL, STREAM)
        one.fleet.watch(CALL, STREAM)
        await one.sleeper.asleep(2)
        await one.fleet.stop()
        await passes(RENEW_S)
        await other.watched()
    assert other.recovered == [CALL]


async def test_an_older_stream_is_nobodys_business(one: Member, other: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    await other.fleet.claim(CALL, NEXT)
    one.fleet.watch(CALL, STREAM)
    await one.watched()
    assert not one.recovered


async def test_a_carrier_that_has_asked_is_not_told_once_more(one: Member, other: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    await one.fleet.answered(CALL)
    other.fleet.watch(CALL, STREAM)
    await other.watched()
    assert not other.recovered


@pytest.mark.parametrize("asks", [True, False])
async def test_nor_one_that_asks_or_opens_the_next_stream_a_little_later(
    one: Member, other: Member, asks: bool
) -> None:
    await one.fleet.claim(CALL, STREAM)
    one.fleet.watch(CALL, STREAM)
    await one.sleeper.asleep(1)
    await (other.fleet.answered(CALL) if asks else other.fleet.claim(CALL, NEXT))
    one.sleeper.wake()
    await one.watched()
    assert not one.recovered


@pytest.mark.parametrize("meanwhile", ["watched", "released"])
async def test_nor_one_whose_lease_changes_while_it_asks(
    one: Member, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    await one.fleet.claim(CALL, STREAM)
    of = Leases.of

    async def slowly(leases: Leases, call_sid: str) -> Lease | None:
        seen = await of(leases, call_sid)
        if meanwhile == "released":
            await one.fleet.release(CALL, STREAM)
        one.fleet.watch(CALL, STREAM)
        await one.sleeper.asleep(1)
        return seen

    monkeypatch.setattr(Leases, "of", slowly)
    await one.fleet.answered(CALL)
    one.sleeper.wake()
    await one.watched()
    assert not one.recovered


async def test_a_call_nobody_has_heard_of_is_nobodys_business(one: Member) -> None:
    one.fleet.watch(CALL, STREAM)
    await one.watched()
    await one.fleet.answered(CALL)
    assert not one.recovered


async def test_only_so_many_are_watched(one: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WATCHED", 2)
    for number in range(5):
        one.fleet.watch(CALL, f"MZ{number}")
    assert len(one.fleet._watching) == 2
    await one.fleet.stop()


# --- leases ----------------------------------------------------------------------------------------------------


async def test_streams_are_numbered_across_processes(one: Member, other: Member) -> None:
    assert await one.fleet.claim(CALL, STREAM) == 1
    assert await other.fleet.claim(CALL, NEXT) == 2


async def test_who_has_lost_a_call_is_told(one: Member, other: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    await one.fleet.claim("CA2", "MZ9")
    async with renewing(one) as passes:
        await other.fleet.claim(CALL, NEXT)
        await passes(RENEW_S)
        await passes(RENEW_S)
    assert one.taken == [CALL]


async def test_the_end_of_an_older_stream_does_not_let_a_newer_one_go(one: Member) -> None:
    await one.fleet.claim(CALL, STREAM)
    await one.fleet.claim(CALL, NEXT)
    await one.fleet.release(CALL, STREAM)
    async with renewing(one) as passes:
        await passes(RENEW_S)
        assert one.fleet.live_calls == 1
    assert not one.taken
    seen = await one.leases.of(CALL)
    assert seen is not None
    assert (seen.process, seen.stream_sid) == ("one", NEXT)


async def test_what_a_dead_process_held_is_brought_back(one: Member, other: Member, times: Times) -> None:
    await one.fleet.claim(CALL, STREAM)
    await one.fleet.claim("CA2", "MZ9")
    await one.fleet.release("CA2", "MZ9")
    async with renewing(other) as passes:
        await passes(RENEW_S)
        await passes(LIFETIME_S)
        await other.watched()
        assert other.recovered == [CALL]
        await passes(LIFETIME_S)
        await other.watched()
        assert other.fleet.live_calls == 0
    assert other.recovered == [CALL]


async def test_bringing_many_back_keeps_nobody_from_renewing(one: Member, other: Member) -> None:
    stuck = asyncio.Event()
    other.hinders = stuck.wait
    for number in range(AT_ONCE + 3):
        await one.fleet.claim(f"CA{number}", f"MZ{number}")
    await other.fleet.claim("CA99", "MZ99")
    async with renewing(other) as passes:
        await passes(RENEW_S)
        for _ in range(5):
            await passes(LIFETIME_S - 1)
        await until(lambda: len(other.recovered) >= AT_ONCE)  # of the database's threads nobody knows when they answer
        assert len(other.recovered) == AT_ONCE
        seen = await other.leases.of("CA99")
        assert seen is not None
        assert seen.process == "other"
        assert seen.expires_at > other.times.now
        stuck.set()
        await other.watched()
    assert sorted(other.recovered) == [f"CA{number}" for number in range(AT_ONCE + 3)]


# --- without a database ----------------------------------------------------------------------------------------


@pytest.fixture
async def alone(tmp_path: Path, times: Times) -> AsyncIterator[Member]:
    database = connect(f"sqlite:///{tmp_path}")
    yield Member(database, "alone", times)
    await database.close()


async def test_a_database_that_is_away_costs_no_call_anything(alone: Member, caplog: pytest.LogCaptureFixture) -> None:
    assert await alone.fleet.claim(CALL, STREAM) is None
    await alone.fleet.answered(CALL)
    alone.fleet.watch(CALL, STREAM)
    await alone.watched()
    await alone.fleet.release(CALL, STREAM)
    async with renewing(alone) as passes:
        await passes(RENEW_S)
        assert alone.fleet.live_calls is None
    assert not alone.taken + alone.recovered
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "no other process will know of this call",
        "a lost call cannot be looked for",
    ]


class Slow(Leases):
    """Answers nobody."""

    async def claim(self, call_sid: str, stream_sid: str, now: float) -> int:
        return len(await never())

    async def of(self, call_sid: str) -> Lease | None:
        await never()
        return None

    async def release(self, call_sid: str, stream_sid: str, now: float) -> bool:
        return bool(await never())


async def never() -> str:
    await asyncio.Event().wait()
    return ""


async def test_nor_does_a_slow_one(
    alone: Member, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLAIM_LIMIT_S", 0.0)
    alone.fleet._leases = Slow(alone.database, "alone")
    assert await alone.fleet.claim(CALL, STREAM) is None
    await alone.fleet.answered(CALL)
    await alone.fleet.release(CALL, STREAM)
    assert caplog.messages == ["no other process will know of this call: the database at DATABASE_URL is slow"]


async def test_after_it_was_away_nobody_is_taken_for_dead_at_once(
    one: Member, other: Member, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await one.fleet.claim(CALL, STREAM)
    away = connect(f"sqlite:///{tmp_path}")
    there, nowhere = other.leases, Leases(away, "other", LIFETIME_S)
    async with renewing(other) as passes:
        await passes(RENEW_S)
        other.fleet._leases = nowhere
        await passes(LIFETIME_S)
        await passes(LIFETIME_S)
        other.fleet._leases = there
        await passes(RENEW_S)
        assert await there.expired(other.times.now) == [Lease(CALL, 1, STREAM, "one", 1000.0 + LIFETIME_S)]
        await other.watched()
        assert not other.recovered
        await passes(LIFETIME_S)
        await other.watched()
        assert other.recovered == [CALL]
    await away.close()
    assert sum("no process knows what the others do" in message for message in caplog.messages) == 1
