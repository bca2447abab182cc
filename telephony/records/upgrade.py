"""The schema of the records and its changes: where a database stands, and how it is brought up to date."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from telephony.records.database import known_as_away

_LOCK = 0x0FF_0001
"""The number under which processes that upgrade one PostgreSQL database wait for each other."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def upgrade(engine: AsyncEngine) -> str:
    """Bring the schema up to date and return its version. Several processes may do so at once: one does the work.

    Raises `DatabaseAway`. All of it happens or, where the database can do that, nothing.
    """
    with known_as_away():
        if engine.dialect.name == "sqlite" and engine.url.database:
            await asyncio.to_thread(Path(engine.url.database).touch, 0o600)  # it will hold numbers and words
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            version = await connection.run_sync(_upgrade)
            await connection.commit()
    return version


def _upgrade(connection: Connection) -> str:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return _version(connection) or ""


async def why_behind(engine: AsyncEngine) -> str:
    """Why the schema does not do for this version of the code, as an operator reads it; empty if it does.

    A schema that this code does not know was made by a later version, which left what this one needs: it does.
    Raises `DatabaseAway`.
    """
    with known_as_away():
        async with engine.connect() as connection:
            version = await connection.run_sync(_version)
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    head = scripts.get_current_head()
    if version == head or (version is not None and version not in known):
        return ""
    return f"the schema at DATABASE_URL is {version or 'not there'}, and should be {head}: run offhook db upgrade"


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
