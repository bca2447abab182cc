"""The records of a process: how they start, with a database and without, what they tidy, how they stop."""

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from providers.errors import ConfigurationError
from telephony.call.journal import Journal, Kind
from telephony.records.command import forget_caller, upgrade_database
from telephony.records.records import DAY_S, Records, check_recording
from telephony.settings import RecordSettings
from tests.telephony.records.calls import CALLER, end, stream
from tests.telephony.records.postgres import Postgres
from tests.telephony.records.test_recording import Line

type Settings = Callable[..., RecordSettings]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    def made(**changes: object) -> RecordSettings:
        usual = {"DATABASE_URL": f"sqlite:///{tmp_path}/offhook.db", "RECORDINGS_FOLDER": str(tmp_path / "recordings")}
        return RecordSettings.model_validate(usual | changes)

    return made


@pytest.fixture
async def records(settings: Settings) -> AsyncIterator[Records]:
    records = Records(settings(RECORD_CALLS=True))
    assert await records.start() == ""
    yield records
    await records.stop()


def journal_of(records: Records, call_sid: str) -> Journal:
    journal = Journal(0.0)
    records.follow(stream(call_sid), journal)
    journal.note(Kind.CALL_STARTED, 0.0, call_sid=call_sid)
    end(journal)
    return journal


async def test_sqlite_is_made_ready_and_calls_are_recorded(records: Records) -> None:
    journal_of(records, "CA1")
    assert await records.flush(10.0) == 0
    call = await records.log.of("CA1")
    assert call is not None
    assert call.process == records.process


async def test_a_postgresql_that_was_not_upgraded_is_told_of(postgres: Postgres, settings: Settings) -> None:
    url = postgres.new_database()
    records = Records(settings(DATABASE_URL=url))
    assert "run offhook db upgrade" in await records.start()
    await records.stop()
    assert await upgrade_database(url) == "0001"
    records = Records(settings(DATABASE_URL=url))
    assert await records.start() == ""
    journal_of(records, "CA1")
    await records.stop()  # which writes what is left
    assert (await forget_caller(settings(DATABASE_URL=url), CALLER)).calls == 1


async def test_calls_are_taken_though_the_database_is_away(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.records.records.FLUSH_LIMIT_S", 0.01)
    password = "hunter2"
    url = f"postgres://user:{password}@/calls?host={tmp_path}"
    records = Records(settings(DATABASE_URL=url))
    assert await records.start() == ""
    journal_of(records, "CA1")
    await records.stop()
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["2 events of calls are lost: the database at DATABASE_URL did not take them in time"]
    assert "calls are taken, and their records wait" in caplog.text
    assert password not in caplog.text


async def test_the_sound_of_calls_is_recorded_if_it_is_to_be(records: Records, settings: Settings) -> None:
    line = Line()
    with records.recorded(line, stream("CA1"), Journal(0.0)) as recorded_line:
        assert recorded_line is not line
    silent = Records(settings())
    with silent.recorded(line, stream("CA2"), Journal(0.0)) as recorded_line:
        assert recorded_line is line
    await silent.stop()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_old_calls_are_tidied_away_with_their_recordings(records: Records, settings: Settings) -> None:
    journal = journal_of(records, "CA1")
    with records.recorded(Line(), stream("CA1"), journal):
        pass
    await records.flush(10.0)
    await records._recorder.stop(10.0)
    folder = Path(settings().RECORDINGS_FOLDER)
    began_at = stream("CA1").started_at
    await records.tidy(began_at + 30 * DAY_S)
    assert names(folder) == ["CA1-1.wav"]
    await records.tidy(began_at + 30 * DAY_S + 1)
    assert names(folder) == []
    assert await records.log.of("CA1") is None


async def test_tidying_goes_on_where_a_part_of_it_fails(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = Records(settings(DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/offhook.db"))
    await records.tidy(0.0)
    assert caplog.text.count("tidying up the records waits: the database at DATABASE_URL cannot be used") == 3
    await records.stop()


def test_callers_who_are_recorded_are_told(settings: Settings) -> None:
    check_recording(settings(), notice="")
    check_recording(settings(RECORD_CALLS=True), notice="This call is recorded.")
    check_recording(settings(RECORD_CALLS=True, RECORD_WITHOUT_NOTICE=True), notice="")
    with pytest.raises(ConfigurationError, match="RECORD_CALLS: needs a `notice` in BUSINESS_FILE"):
        check_recording(settings(RECORD_CALLS=True), notice="")
