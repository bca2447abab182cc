"""The database of the records: SQLite or PostgreSQL, as `DATABASE_URL` says."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiosqlite
import asyncpg
from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from providers.errors import ConfigurationError, OffhookError

CONNECT_LIMIT_S = 5.0
STATEMENT_LIMIT_S = 10.0
"""Longest a statement may take, and on SQLite a wait for another process's."""
CONNECTIONS = 3
"""Connections of one process at most: the smallest plans of a hosted PostgreSQL have 20."""


class DatabaseAway(OffhookError):  # noqa: N818 - says what happened
    """The database was not reached, or did not do as it was told; of rows it quotes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database at DATABASE_URL cannot be used ({reason})")
        self.reason = reason


def connect(url: str) -> AsyncEngine:
    """The engine for a URL that `TelephonySettings` has accepted; nothing is opened yet.

    Raises `ConfigurationError` for a file of a folder that is not there.
    """
    if url.startswith("sqlite"):
        file = Path(make_url(url).database or "")
        if not file.parent.is_dir():
            raise ConfigurationError.of("DATABASE_URL", f"there is no folder {file.parent}")

        async def open_file() -> aiosqlite.Connection:
            # A file that cannot be opened is told here: the library's thread would answer when nobody waits any more.
            await asyncio.to_thread(_keep_journal_beside, file)
            connection = aiosqlite.connect(file, timeout=STATEMENT_LIMIT_S)
            connection._thread.daemon = True  # as SQLAlchemy would: a process that is told to end does not wait for it
            return await connection

        engine = create_async_engine(
            make_url(url).set(drivername="sqlite+aiosqlite"),
            hide_parameters=True,
            async_creator=open_file,
            pool_size=1,  # only one can write at a time: here they queue, SQLite has them try again and again
            max_overflow=0,
            pool_timeout=STATEMENT_LIMIT_S,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine

    async def open_connection() -> object:
        # asyncpg reads the URL itself, and knows what libpq does: sslmode, sockets, certificates
        return await asyncpg.connect(url, timeout=CONNECT_LIMIT_S, command_timeout=STATEMENT_LIMIT_S)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=open_connection,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_LIMIT_S,
        pool_pre_ping=True,
    )


def _keep_journal_beside(file: Path) -> None:
    """Have readers and the writer not wait for one another, which a file keeps. Blocks; raises `sqlite3.Error`.

    SQLite refuses two who do this to a new file at once, whatever they would wait; the second finds it done.
    """
    until = time.monotonic() + STATEMENT_LIMIT_S
    with closing(sqlite3.connect(file, timeout=STATEMENT_LIMIT_S)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """A killed process loses nothing that was committed."""
    cursor = connection.cursor()
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at its end. Raises `DatabaseAway`; then it may or may not have been committed."""
    with known_as_away():
        async with asyncio.timeout(STATEMENT_LIMIT_S), engine.begin() as connection:
            yield connection


@contextmanager
def known_as_away() -> Iterator[None]:
    """Whatever the database or its driver raises inside comes out as `DatabaseAway`."""
    try:
        yield
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise DatabaseAway(_reason(error)) from None


def insert_into(engine: AsyncEngine, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can be told what to do with a row that is there already."""
    return sqlite.insert(table) if engine.dialect.name == "sqlite" else postgresql.insert(table)


def _reason(error: BaseException) -> str:
    """What went wrong by its name: what databases say of it may quote a row, and with it what a caller said."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    if isinstance(error, sqlite3.OperationalError):
        return str(error)  # of locks, files and tables only
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
