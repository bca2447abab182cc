"""The schema: made by the migrations, as the tables say, by one of many who try."""

import asyncio
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from telephony.records.database import Database, connect
from telephony.records.schema import metadata
from telephony.records.upgrade import HEAD, known_versions, upgrade, why_behind


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrations_make_the_tables_that_the_code_works_with(database: Database) -> None:
    assert await database.transaction(differences) == []


def test_the_newest_migration_is_the_one_that_is_wanted() -> None:
    assert known_versions()[0] == HEAD


async def test_a_database_says_how_far_behind_it_is(database_url: str) -> None:
    database = connect(database_url)
    assert await why_behind(database) == (
        "the schema at DATABASE_URL is not there, and should be 0001: run offhook db upgrade"
    )
    assert await upgrade(database) == "0001"
    assert await why_behind(database) == ""
    await database.close()


async def test_a_schema_of_a_later_version_does(database: Database) -> None:
    later = text("UPDATE alembic_version SET version_num = '9999'")
    await database.transaction(lambda connection: connection.execute(later))
    assert await why_behind(database) == ""
    assert await upgrade(database) == "9999"


async def test_processes_that_upgrade_at_once_get_along(database_url: str) -> None:
    databases = [connect(database_url) for _ in range(8)]
    assert await asyncio.gather(*map(upgrade, databases)) == ["0001"] * 8
    for database in databases:
        await database.close()


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_what_sqlite_writes_is_for_our_eyes_only(tmp_path: Path, suffix: str) -> None:
    database = connect(f"sqlite:///{tmp_path}/new.db")
    await upgrade(database)

    def mode(connection: Connection) -> int:
        connection.execute(text("INSERT INTO tokens VALUES ('x', 1)"))
        return stat.S_IMODE((tmp_path / f"new.db{suffix}").stat().st_mode)

    assert await database.transaction(mode) == 0o600
    await database.close()
