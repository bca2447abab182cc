"""The schema of the records and its changes: where a database stands, and how it is brought up to date.

Alembic is loaded only where there is something to do: it takes a process as long to import as half of SQLAlchemy.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table, text

from telephony.records.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The newest of the migrations."""
_VERSIONS = table("alembic_version", column("version_num"))
_LOCK = 0x0FF_0001
"""The number under which processes that upgrade one PostgreSQL database wait for each other."""


async def upgrade(database: Database) -> str:
    """Bring the schema up to date and return its version. Several processes may do so at once: one does the work.

    It takes as long as it takes. Raises `DatabaseAway`. All of it happens or, where the database can do that, nothing.
    """
    if _is_behind(await database.transaction(_version)):
        await database.transaction(_upgrade, limit_s=None)
    return await database.transaction(_version) or ""


def _upgrade(connection: Connection) -> None:
    from alembic import command

    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def why_behind(database: Database) -> str:
    """Why the schema does not do for this version of the code, as an operator reads it; empty if it does.

    Raises `DatabaseAway`.
    """
    version = await database.transaction(_version)
    if not _is_behind(version):
        return ""
    return f"the schema at DATABASE_URL is {version or 'not there'}, and should be {HEAD}: run offhook db upgrade"


def _is_behind(version: str | None) -> bool:
    """A schema that this code does not know was made by a later version, which left what this one needs: it does."""
    return version != HEAD and (version is None or version in known_versions())


def known_versions() -> list[str]:
    """The migrations that there are, the newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()
