"""The databases: every test that asks for one runs on SQLite and on a PostgreSQL that really runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from telephony.records.database import connect
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
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with our tables in it."""
    engine = connect(database_url)
    await upgrade(engine)
    yield engine
    await engine.dispose()
