"""The schema of the records and its changes: where a database stands, and how it is brought up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from telephony.records.database import Database

_LOCK = 0x0FF_0001
"""The number under which processes that upgrade one PostgreSQL database wait for each other."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def upgrade(database: Database) -> str:
    """Bring the schema up to date and return its version. Several processes may do so at once: one does the work.

    It takes as long as it takes. Raises `DatabaseAway`. All of it happens or, where the database can do that, nothing.
    """
    return await database.transaction(_upgrade, limit_s=None)


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return _version(connection) or ""


async def why_behind(database: Database) -> str:
    """Why the schema does not do for this version of the code, as an operator reads it; empty if it does.

    A schema that this code does not know was made by a later version, which left what this one needs: it does.
    Raises `DatabaseAway`.
    """
    version = await database.transaction(_version)
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    head = scripts.get_current_head()
    if version == head or (version is not None and version not in known):
        return ""
    return f"the schema at DATABASE_URL is {version or 'not there'}, and should be {head}: run offhook db upgrade"


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
