"""The records in PostgreSQL, as on Heroku."""

import asyncio
from collections.abc import Callable

import asyncpg
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from telephony.records.database import STATEMENT_LIMIT_S, known_as_away

CONNECT_LIMIT_S = 5.0
CONNECTIONS = 3
"""Connections of one process at most: the smallest plans of a hosted PostgreSQL have 20."""


class Postgres:
    """A `Database`, worked on by the event loop."""

    migrates_itself = False

    def __init__(self, url: str) -> None:
        async def open_connection() -> object:
            # asyncpg reads the URL itself, and knows what libpq does: sslmode, sockets, certificates
            return await asyncpg.connect(url, timeout=CONNECT_LIMIT_S, command_timeout=STATEMENT_LIMIT_S)

        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=open_connection,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=CONNECT_LIMIT_S,
            pool_pre_ping=True,
        )

    async def transaction[T](self, work: Callable[[Connection], T], limit_s: float | None = STATEMENT_LIMIT_S) -> T:
        with known_as_away(asyncpg.PostgresError, asyncpg.InterfaceError):
            async with asyncio.timeout(limit_s), self._engine.begin() as connection:
                return await connection.run_sync(work)

    def insert_into(self, table: Table) -> postgresql.Insert:
        return postgresql.insert(table)

    async def close(self) -> None:
        await self._engine.dispose()
