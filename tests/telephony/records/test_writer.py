"""The writer: everything, once, in order, whatever the database does; and never more in memory than it may keep."""

import asyncio
import logging
from collections.abc import Iterable
from itertools import count

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete

from telephony.call.journal import Journal, Kind
from telephony.records import writer as module
from telephony.records.database import Database, DatabaseAway, connect
from telephony.records.log import Log
from telephony.records.schema import calls
from telephony.records.upgrade import upgrade
from telephony.records.writer import BATCH, Writer, _Piece
from tests.telephony.records.calls import (
    CALLED,
    CALLER,
    at,
    end,
    flushed,
    followed,
    recorded,
    say,
    stream,
    until,
    writing,
)
from tests.telephony.records.postgres import Postgres

MANY = 50_000


@pytest.fixture
def writer(database: Database) -> Writer:
    return Writer(database, "this process", MANY)


async def test_what_calls_note_is_read_back(database: Database, writer: Writer) -> None:
    async with writing(writer):
        journal = followed(writer, "CA1")
        say(journal, 2)
        await flushed(writer)
        assert await recorded(database, "CA1") == at(journal.entries)
        end(journal)
        await flushed(writer)
    call = await Log(database).of("CA1")
    assert call is not None
    assert (call.caller, call.called, call.streams, call.process) == (CALLER, CALLED, 1, "this process")
    assert (call.started_at, call.ended_at, call.ended) == (1_000_100.0, 1_000_103.0, "caller hung up")
    assert list(call.entries) == at(journal.entries)
    assert await Log(database).of("CA2") is None


async def test_what_callers_say_and_press_is_written_at_once(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_S", 3600.0)
    async with writing(writer):
        journal = followed(writer, "CA1")
        journal.note(Kind.KEY_PRESSED, 1.0, digit="4")
        await until(lambda: writer.waiting == 0)
        say(journal)
        await until(lambda: writer.waiting == 0)
    assert await recorded(database, "CA1") == at(journal.entries)


async def test_what_others_note_meanwhile_keeps_nobody_waiting_and_waits_for_company(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(Writer):
        async def _write(self, batch: Iterable[_Piece]) -> None:
            await super()._write(batch)
            other.note(Kind.FIRST_TOKEN, 1.0, turn=1)

    monkeypatch.setattr(module, "LINGER_S", 3600.0)
    writer = Busy(database, "this process", MANY)
    async with writing(writer):
        journal, other = followed(writer, "CA1"), followed(writer, "CA2")
        await flushed(writer)
        assert await recorded(database, "CA1") == at(journal.entries)
        assert writer.waiting == 1
        await flushed(writer)
    assert await recorded(database, "CA2") == at(other.entries[:2])


async def test_what_was_in_a_journal_before_is_written_too(database: Database, writer: Writer) -> None:
    journal = Journal(0.0)
    say(journal, 3)
    async with writing(writer):
        writer.follow(stream("CA1"), journal)
        await flushed(writer)
    assert await recorded(database, "CA1") == at(journal.entries)


async def test_many_calls_at_once_are_written_each_in_its_order(database: Database, writer: Writer) -> None:
    async with writing(writer):
        journals = {f"CA{number}": followed(writer, f"CA{number}") for number in range(7)}
        for number in range(BATCH):
            for journal in journals.values():
                say(journal)
            if number % 10 == 0:
                await asyncio.sleep(0)
        await flushed(writer)
    for call_sid, journal in journals.items():
        assert await recorded(database, call_sid) == at(journal.entries)


async def test_the_streams_of_a_call_are_one_log(database: Database, writer: Writer) -> None:
    async with writing(writer):
        first = followed(writer, "CA1", 1)
        say(first)
        second = followed(writer, "CA1", 2)
        say(second)
        await flushed(writer)
        end(first)  # by a process that has not noticed yet that the call has gone on elsewhere
        await flushed(writer)
        call = await Log(database).of("CA1")
        assert call is not None
        assert (call.streams, call.started_at, call.ended) == (2, 1_000_100.0, None)
        assert list(call.entries) == [*at(first.entries), *at(second.entries, 100.0)]
        end(second)
        await flushed(writer)
    call = await Log(database).of("CA1")
    assert call is not None
    assert call.ended == "caller hung up"


class Unsure(Writer):
    """Does not learn of every second batch that it was written."""

    tries = count()

    async def _write(self, batch: Iterable[_Piece]) -> None:
        await super()._write(batch)
        if next(self.tries) % 2 == 0:
            raise DatabaseAway("the answer was lost")


async def test_a_batch_that_may_have_been_written_is_written_once(database: Database) -> None:
    writer = Unsure(database, "this process", MANY)
    async with writing(writer):
        journal = followed(writer, "CA1")
        say(journal, 2 * BATCH)
        end(journal)
        await flushed(writer)
    assert await recorded(database, "CA1") == at(journal.entries)
    assert next(writer.tries) > 3


async def test_a_call_that_was_deleted_while_it_goes_on_keeps_nobody_elses_from_being_written(
    database: Database, writer: Writer
) -> None:
    async with writing(writer):
        journal, other = followed(writer, "CA1"), followed(writer, "CA2")
        await flushed(writer)
        gone = delete(calls).where(calls.c.sid == "CA1")
        await database.transaction(lambda connection: connection.execute(gone))
        say(journal)
        say(other)
        await flushed(writer)
    assert await recorded(database, "CA1") == at(journal.entries)[1:]
    assert await recorded(database, "CA2") == at(other.entries)


NASTY = ["\0", "\ud800", "\udfff half", "\U0001f600", "'); DROP TABLE calls; --", "\\u0000", "x" * 100_000, ""]


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_no_words_keep_the_rest_from_being_written(database: Database, writer: Writer, text: str) -> None:
    async with writing(writer):
        journal = followed(writer, "CA1", caller=text)
        journal.note(Kind.CALLER_SAID, 1.0, turn=1, text=text, keyed=False)
        journal.note(Kind.CALL_ENDED, 2.0, reason=text)
        await flushed(writer)
    assert (await recorded(database, "CA1"))[1].details["text"] == text


# --- a database that is away -----------------------------------------------------------------------------------


async def test_what_waited_for_the_database_is_written_when_it_is_there(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = connect(database_url)
    writer = Writer(database, "this process", MANY)
    others = REGISTRY.get_sample_value("offhook_records_waiting") or 0.0
    async with writing(writer):
        journal = followed(writer, "CA1")
        say(journal, 10)
        await until(lambda: writer.is_away)  # there are no tables
        assert await writer.flush(0.0) == 11
        assert REGISTRY.get_sample_value("offhook_records_waiting") == others + 11
        await upgrade(database)
        say(journal)
        await flushed(writer)
    assert REGISTRY.get_sample_value("offhook_records_waiting") == others
    assert await recorded(database, "CA1") == at(journal.entries)
    told = [record.getMessage() for record in caplog.records if record.name == "telephony.records.writer"]
    assert len(told) == 2
    assert "DATABASE_URL" in told[0]
    assert told[1] == "records are written again; 0 events were lost, 0 wait"
    assert CALLER not in caplog.text
    await database.close()


async def test_no_event_is_missing_after_postgresql_was_killed_and_started_again(postgres: Postgres) -> None:
    database = connect(postgres.new_database())
    await upgrade(database)
    writer = Writer(database, "this process", MANY)
    async with writing(writer):
        journals = [followed(writer, f"CA{number}") for number in range(20)]
        for stop in (False, True, False, True, True, False):
            for journal in journals:
                say(journal, 5)
            await asyncio.sleep(0)
            if stop:
                await asyncio.to_thread(postgres.stop)
                for journal in journals:
                    say(journal, 5)
                await until(lambda: writer.is_away)
                await asyncio.to_thread(postgres.start)
        for journal in journals:
            end(journal)
        await flushed(writer)
    for number, journal in enumerate(journals):
        assert await recorded(database, f"CA{number}") == at(journal.entries)
    await database.close()


async def test_beyond_the_bound_the_calls_that_ended_first_are_given_up(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(database, "this process", most_waiting=30)
    before = REGISTRY.get_sample_value("offhook_records_dropped_total") or 0.0
    journals = [followed(writer, f"CA{number}") for number in range(3)]
    for journal in journals:
        say(journal, 8)
    for journal in (journals[1], journals[0]):
        end(journal)
    assert writer.waiting == 29
    say(journals[2], 2)  # CA1 has ended first
    assert writer.waiting == 21
    say(journals[2], 10)  # then CA0
    assert writer.waiting == 21
    say(journals[2], 50)  # a live call is not given up
    assert writer.waiting == 71
    assert REGISTRY.get_sample_value("offhook_records_dropped_total") == before + 20
    async with writing(writer):
        await flushed(writer)
    assert [len(await recorded(database, f"CA{number}")) for number in range(3)] == [0, 0, 71]
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "RECORDS_MAX_WAITING (30)" in errors[0]


async def test_what_is_being_written_is_not_given_up(database: Database) -> None:
    class Slow(Writer):
        async def _write(self, batch: Iterable[_Piece]) -> None:
            started.set()
            await go_on.wait()
            await super()._write(batch)

    started, go_on = asyncio.Event(), asyncio.Event()
    writer = Slow(database, "this process", most_waiting=5)
    async with writing(writer):
        journal = followed(writer, "CA1")
        say(journal, 3)
        end(journal)
        await started.wait()
        other = followed(writer, "CA2")
        say(other, 5)
        assert writer.waiting == 11
        go_on.set()
        await flushed(writer)
    assert await recorded(database, "CA1") == at(journal.entries)
