"""The databases: every test that asks for one runs on SQLite and on a PostgreSQL that really runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.records.database import Database, connect
from telephony.records.upgrade import upgrade
from tests.telephony.records.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/offhook.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with our tables in it."""
    database = connect(database_url)
    await upgrade(database)
    yield database
    await database.close()
