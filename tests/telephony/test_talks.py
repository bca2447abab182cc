"""Where talks stand: by the log that all processes share, and by memory while it cannot be read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from telephony import talks as module
from telephony.call.journal import Journal, Kind
from telephony.records.command import upgrade_database
from telephony.records.log import Log, RecordedCall
from telephony.records.records import Records
from telephony.settings import RecordSettings
from telephony.talks import Talks
from tests.telephony.records.calls import ACCOUNT, CALLED, CALLER, say, stream

CALL = "CA1"


@pytest.fixture
def made() -> Callable[[str], Records]:
    return lambda url: Records(RecordSettings(DATABASE_URL=url))


@pytest.fixture
async def one(database_url: str, made: Callable[[str], Records]) -> AsyncIterator[Records]:
    await upgrade_database(database_url)
    records = made(database_url)
    assert await records.start() == ""
    yield records
    await records.stop()


@pytest.fixture
async def alone(
    tmp_path: Path, made: Callable[[str], Records], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Talks]:
    """In a process whose database is away."""
    monkeypatch.setattr("telephony.records.records.FLUSH_LIMIT_S", 0.0)
    monkeypatch.setattr(module, "FLUSH_LIMIT_S", 0.0)
    records = made(f"sqlite:///{tmp_path}")
    await records.start()
    yield Talks(records)
    await records.stop()


def begun(talks: Talks, number: int = 1, call_sid: str = CALL) -> Journal:
    journal = Journal(0.0)
    talks.follow(stream(call_sid, number, 1_000_000.0 + 100 * number), journal)
    journal.note(Kind.CALL_STARTED, 0.0, call_sid=call_sid)
    return journal


async def test_another_process_knows_a_talk_by_its_log(
    one: Records, made: Callable[[str], Records], database_url: str
) -> None:
    journal = begun(Talks(one))
    say(journal)
    await one.flush(10.0)
    other = made(database_url)
    standing = await Talks(other).of(CALL)
    await other.stop()
    assert standing is not None
    assert standing.talk.unanswered == "word 1"
    assert (standing.account_sid, standing.caller, standing.called) == (ACCOUNT, CALLER, CALLED)
    assert standing.started_at == 1_000_100.0
    assert standing.streams_at == (1_000_100.0,)
    assert CALLER not in repr(standing)


async def test_all_streams_of_a_call_count(one: Records) -> None:
    talks = Talks(one)
    begun(talks)
    begun(talks, number=2)
    standing = await talks.of(CALL)
    assert standing is not None
    assert standing.streams_at == (1_000_100.0, 1_000_200.0)


async def test_what_is_not_written_yet_is_waited_for(one: Records) -> None:
    talks = Talks(one)
    journal = begun(talks)
    for count in range(1, 4):
        say(journal)
        standing = await talks.of(CALL)
        assert standing is not None
        assert standing.talk.turns == count


async def test_a_call_nobody_has_heard_of(one: Records) -> None:
    assert await Talks(one).of(CALL) is None


async def test_without_the_log_memory_has_to_do(alone: Talks, caplog: pytest.LogCaptureFixture) -> None:
    say(begun(alone))
    say(begun(alone, number=2), count=2)
    standing = await alone.of(CALL)
    assert standing is not None
    assert standing.talk.turns == 3
    assert standing.streams_at == (1_000_100.0, 1_000_200.0)
    assert await alone.of("CA2") is None
    assert "where a call stands is known from memory alone" in caplog.text


async def test_a_slow_log_keeps_nobody_waiting(
    alone: Talks, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Log):
        async def of(self, call_sid: str) -> RecordedCall | None:
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr(module, "READ_LIMIT_S", 0.0)
    alone._records.log = Slow(alone._records.database)
    begun(alone)
    assert await alone.of(CALL) is not None
    assert caplog.messages[-1].endswith("from memory alone: the database at DATABASE_URL is slow")


async def test_memory_is_newer_than_a_log_that_is_behind(one: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    talks = Talks(one)
    journal = begun(talks)
    await one.flush(10.0)

    async def cannot(batch: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(module, "FLUSH_LIMIT_S", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(one._writer, "_write", cannot)
        patched.setattr("telephony.records.records.FLUSH_LIMIT_S", 0.0)
        say(journal)
        standing = await talks.of(CALL)
        assert standing is not None
        assert standing.talk.turns == 1
        await one.stop()


async def test_memory_is_bounded(alone: Talks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for number in range(3):
        begun(alone, call_sid=f"CA{number}")
    begun(alone, number=2, call_sid="CA1")
    begun(alone, call_sid="CA3")
    assert list(alone._remembered) == ["CA1", "CA3"]
