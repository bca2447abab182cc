"""What is deleted: what is old, what one caller wants deleted, and nothing else."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from telephony.records.database import Database
from telephony.records.leases import Leases
from telephony.records.log import Log
from telephony.records.retention import AT_ONCE, LEASE_KEPT_S, Forgotten, forget, forget_leases, prune
from telephony.records.schema import events
from telephony.records.storage import StorageFailed
from telephony.records.writer import Writer
from tests.telephony.records.calls import CALLED, CALLER, end, flushed, followed, say, writing

OTHER = "+15005550007"
STREAM = "MZ" + 32 * "d"


class Shelf:
    """A storage that notes what is deleted from it."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.is_away = False

    async def keep(self, recording: Path) -> None:
        raise AssertionError

    async def delete(self, names: Iterable[str]) -> None:
        if self.is_away:
            raise StorageFailed("the shelf is away")
        self.deleted += names


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def three_calls(database: Database) -> None:
    """Two of one caller, the second with two streams and no end, and one of another."""
    writer = Writer(database, "p", 10_000)
    async with writing(writer):
        for call_sid, number, caller in (("CA1", 1, CALLER), ("CA2", 1, CALLER), ("CA2", 2, CALLER), ("CA3", 1, OTHER)):
            journal = followed(writer, call_sid, number, caller)
            say(journal, 3)
            if call_sid != "CA2":
                end(journal)
        await flushed(writer)


async def left(database: Database) -> tuple[list[str], int]:
    """The calls that are still there, and how many events."""
    log = Log(database)
    names = [name for name in ("CA1", "CA2", "CA3") if await log.of(name) is not None]
    count = select(func.count()).select_from(events)
    return names, await database.transaction(lambda connection: connection.execute(count).scalar_one())


async def test_a_caller_is_forgotten_with_all_they_said(database: Database, shelf: Shelf, three_calls: None) -> None:
    assert await forget(database, shelf, CALLER) == Forgotten(calls=2, unended=1)
    assert await left(database) == (["CA3"], 5)
    assert sorted(shelf.deleted) == ["CA1-1.wav", "CA2-1.wav", "CA2-2.wav"]
    assert await forget(database, shelf, CALLER) == Forgotten(0, 0)


async def test_the_number_that_was_called_is_nobody(database: Database, shelf: Shelf, three_calls: None) -> None:
    assert await forget(database, shelf, CALLED) == Forgotten(0, 0)


async def test_what_is_old_is_pruned(database: Database, shelf: Shelf, three_calls: None) -> None:
    assert await prune(database, shelf, before=1_000_100.0) == 0
    assert await prune(database, shelf, before=1_000_100.5) == 3
    assert await left(database) == ([], 0)


async def test_more_than_fits_into_one_transaction_is_pruned_too(database: Database, shelf: Shelf) -> None:
    writer = Writer(database, "p", 10_000)
    async with writing(writer):
        for number in range(2 * AT_ONCE + 1):
            followed(writer, f"CA{number}")
        await flushed(writer)
    assert await prune(database, shelf, before=2_000_000.0) == 2 * AT_ONCE + 1
    assert len(shelf.deleted) == 2 * AT_ONCE + 1


async def test_a_call_whose_recording_cannot_be_deleted_is_kept_for_the_next_time(
    database: Database, shelf: Shelf, three_calls: None
) -> None:
    shelf.is_away = True
    with pytest.raises(StorageFailed):
        await forget(database, shelf, CALLER)
    shelf.is_away = False
    assert (await forget(database, shelf, CALLER)).calls == 2


async def test_leases_that_ended_long_ago_are_forgotten(database: Database) -> None:
    leases = Leases(database, "p", lifetime_s=10.0)
    await leases.claim("CA1", STREAM, 100.0)
    await forget_leases(database, 100.0 + LEASE_KEPT_S)
    assert await leases.claim("CA1", STREAM, 100.0 + LEASE_KEPT_S) == 2
    await forget_leases(database, 111.0 + 2 * LEASE_KEPT_S)
    assert await leases.claim("CA1", STREAM, 111.0 + 2 * LEASE_KEPT_S) == 1
