"""The database of the records: SQLite or PostgreSQL, as `DATABASE_URL` says."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from providers.errors import OffhookError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

STATEMENT_LIMIT_S = 10.0
"""Longest a transaction may take, and on SQLite a wait for another process's."""


class DatabaseAway(OffhookError):  # noqa: N818 - says what happened
    """The database was not reached, or did not do as it was told; of rows it quotes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database at DATABASE_URL cannot be used ({reason})")
        self.reason = reason


class Database(Protocol):
    """Either of them; opened when it is first used."""

    migrates_itself: bool
    """Whether its schema is brought up to date by whoever uses it, for nobody else would do it."""

    async def transaction[T](self, work: Callable[[Connection], T], limit_s: float | None = STATEMENT_LIMIT_S) -> T:
        """Do `work`, which is a plain function, in one transaction, and return what it returns.

        It may run in another thread, all of it at once. Raises `DatabaseAway`, after which it may or may not have been
        committed; so it may if this is cancelled, and all of it or nothing.
        """

    def insert_into(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An insert that can be told what to do with a row that is there already."""

    async def close(self) -> None:
        """Let go of its connections; what has not begun is dropped. Whoever uses it afterwards opens it again."""


def connect(url: str) -> Database:
    """The database of a URL that `RecordSettings` has accepted. Only what this one needs is loaded.

    Raises `ConfigurationError` for a file of a folder that is not there.
    """
    if url.startswith("sqlite"):
        from telephony.records.sqlite import Sqlite

        return Sqlite(url)
    from telephony.records.postgres import Postgres

    return Postgres(url)


@contextmanager
def known_as_away(*errors: type[Exception]) -> Iterator[None]:
    """What the database raises inside, and its driver, whose `errors` are given, comes out as `DatabaseAway`."""
    any_of_them: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, *errors)
    try:
        yield
    except any_of_them as error:
        raise DatabaseAway(_reason(error)) from None


def _reason(error: BaseException) -> str:
    """What went wrong by its name: what databases say of it may quote a row, and with it what a caller said."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    if isinstance(error, sqlite3.OperationalError):
        return str(error)  # of locks, files and tables only
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
