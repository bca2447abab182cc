"""The records in a file of SQLite's. One thread works on it: only one can write at a time, and here they queue."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from providers.errors import ConfigurationError
from telephony.records.database import STATEMENT_LIMIT_S, known_as_away


class Sqlite:
    """A `Database`. A transaction is handed to the thread as a whole: it is woken once, and so is the event loop."""

    migrates_itself = True

    def __init__(self, url: str) -> None:
        file = Path(make_url(url).database or "")
        if not file.parent.is_dir():
            raise ConfigurationError.of("DATABASE_URL", f"there is no folder {file.parent}")
        self._engine = create_engine(
            make_url(url), hide_parameters=True, creator=lambda: _open(file), poolclass=NullPool
        )
        self._connection: Connection | None = None  # the thread's
        self._thread = _thread()

    async def transaction[T](self, work: Callable[[Connection], T], limit_s: float | None = STATEMENT_LIMIT_S) -> T:
        with known_as_away():
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def insert_into(self, table: Table) -> sqlite.Insert:
        return sqlite.insert(table)

    async def close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STATEMENT_LIMIT_S):
                await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = _thread()

    def _do[T](self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            return work(self._connection)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _thread() -> ThreadPoolExecutor:
    """It begins with the first piece of work."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")


def _open(file: Path) -> sqlite3.Connection:
    """Blocks. A killed process loses nothing that was committed; readers and the writer do not wait for one another."""
    file.touch(0o600)  # it will hold numbers and words
    connection = sqlite3.connect(file, timeout=STATEMENT_LIMIT_S)
    try:
        _keep_journal_beside(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_journal_beside(connection: sqlite3.Connection) -> None:
    """SQLite refuses two who do this to a new file at once, whatever they would wait; the second finds it done."""
    until = time.monotonic() + STATEMENT_LIMIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)
