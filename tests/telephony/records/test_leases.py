"""Leases: one process of the fleet has a call, however many want it."""

import asyncio

import pytest

from telephony.records.database import Database
from telephony.records.leases import Lease, Leases

STREAM = "MZ" + 32 * "d"


@pytest.fixture
def one(database: Database) -> Leases:
    return Leases(database, "one", lifetime_s=10.0)


@pytest.fixture
def other(database: Database) -> Leases:
    return Leases(database, "other", lifetime_s=10.0)


async def test_the_newest_stream_of_a_call_has_it(one: Leases, other: Leases) -> None:
    assert await one.claim("CA1", STREAM, 100.0) == 1
    assert await one.claim("CA2", STREAM, 100.0) == 1
    assert await other.claim("CA1", STREAM, 101.0) == 2
    assert await one.renew(102.0) == {"CA2"}
    assert await other.renew(102.0) == {"CA1"}
    assert await one.live(103.0) == 2


async def test_claims_at_once_get_a_number_each(one: Leases, other: Leases) -> None:
    claims = [leases.claim("CA1", STREAM, 100.0) for leases in (one, other) for _ in range(3)]
    assert sorted(await asyncio.gather(*claims)) == [1, 2, 3, 4, 5, 6]


async def test_what_is_renewed_does_not_expire(one: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    await one.renew(109.0)
    assert await one.expired(118.9) == []
    assert await one.expired(119.0) == [Lease("CA1", 1, STREAM, "one", 119.0)]
    assert await one.live(119.0) == 0


async def test_what_has_expired_is_taken_over_by_one(one: Leases, other: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    (lost,) = await other.expired(200.0)
    assert sorted(await asyncio.gather(*(leases.take_over(lost, 200.0) for leases in (one, other) * 3))) == [
        *[False] * 5,
        True,
    ]


async def test_what_was_renewed_or_claimed_meanwhile_is_not_taken_over(one: Leases, other: Leases) -> None:
    for call in ("CA1", "CA2"):
        await one.claim(call, STREAM, 100.0)
    first, second = await other.expired(200.0)
    await one.claim(first.call_sid, STREAM, 200.0)
    assert not await other.take_over(first, 300.0)
    await one.renew(200.0)
    assert not await other.take_over(second, 205.0)


async def test_who_served_a_call_that_was_taken_over_finds_out(one: Leases, other: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    seen = await other.of("CA1")
    assert seen == Lease("CA1", 1, STREAM, "one", 110.0)
    assert await other.take_over(seen, 101.0)
    assert await one.renew(102.0) == set()
    assert await other.of("CA1") == Lease("CA1", 1, "", None, 101.0)


async def test_a_call_that_was_let_go_can_be_taken_too(one: Leases, other: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    await one.release("CA1", STREAM, 101.0)
    seen = await other.of("CA1")
    assert seen is not None
    assert await other.take_over(seen, 102.0)
    assert not await one.take_over(seen, 102.0)


async def test_a_call_that_had_no_stream_has_no_lease(one: Leases) -> None:
    assert await one.of("CA1") is None


async def test_a_released_call_is_nobodys_and_keeps_count_of_its_streams(one: Leases, other: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    assert not await other.release("CA1", STREAM, 101.0)
    assert await one.release("CA1", STREAM, 101.0)
    assert not await one.release("CA1", STREAM, 101.0)
    assert await one.expired(500.0) == []
    assert await one.live(101.0) == 0
    assert await other.claim("CA1", STREAM, 102.0) == 2


async def test_the_end_of_an_older_stream_lets_nothing_go(one: Leases) -> None:
    await one.claim("CA1", STREAM, 100.0)
    await one.claim("CA1", "MZ2", 101.0)
    assert not await one.release("CA1", STREAM, 102.0)
    assert await one.renew(103.0) == {"CA1"}


async def test_the_longest_expired_come_first_and_not_all_at_once(one: Leases) -> None:
    for number in range(5):
        await one.claim(f"CA{number}", STREAM, 100.0 - number)
    assert [lease.call_sid for lease in await one.expired(200.0, most=2)] == ["CA4", "CA3"]
