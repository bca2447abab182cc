"""Calls that leave records: streams, journals with something in them, and a writer at work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from telephony.call.journal import Entry, Journal, Kind
from telephony.records.database import Database
from telephony.records.log import Log
from telephony.records.writer import Stream, Writer

ACCOUNT = "AC" + "a" * 32
CALLER = "+15005550006"
CALLED = "+15005550001"
LIMIT_S = 30.0
"""A wait in a test that comes to its end otherwise ends here."""


def stream(call_sid: str, number: int = 1, started_at: float = 1_000_000.0, caller: str = CALLER) -> Stream:
    return Stream(call_sid, ACCOUNT, caller, CALLED, number, started_at)


def say(journal: Journal, count: int = 1) -> None:
    """Let the caller say so many things, a second each."""
    for _ in range(count):
        number = len(journal.entries)
        journal.note(Kind.CALLER_SAID, float(number), turn=number, text=f"word {number}", keyed=False)


def end(journal: Journal) -> None:
    journal.note(Kind.CALL_ENDED, float(len(journal.entries)), reason="caller hung up")


def followed(writer: Writer, call_sid: str, number: int = 1, caller: str = CALLER) -> Journal:
    """A journal that the writer follows, with its first entry."""
    journal = Journal(0.0)
    writer.follow(stream(call_sid, number, 1_000_000.0 + 100 * number, caller), journal)
    journal.note(Kind.CALL_STARTED, 0.0, call_sid=call_sid)
    return journal


@asynccontextmanager
async def writing(writer: Writer) -> AsyncIterator[Writer]:
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


async def flushed(writer: Writer) -> None:
    assert await writer.flush(LIMIT_S) == 0


async def recorded(database: Database, call_sid: str) -> list[Entry]:
    call = await Log(database).of(call_sid)
    return [] if call is None else list(call.entries)


def at(entries: Iterable[Entry], later_s: float = 0.0) -> list[Entry]:
    """These entries as they are read back, their instants counting from another moment."""
    return [Entry(round(entry.at_s + later_s, 6), entry.kind, entry.details) for entry in entries]
