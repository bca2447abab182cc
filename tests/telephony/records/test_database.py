"""Transactions: all of what was done in one or nothing, in turn, and never in the event loop's way."""

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from telephony.records.database import Database, DatabaseAway, connect


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT stream FROM leases ORDER BY stream")).scalars())


def put(number: int, connection: Connection) -> None:
    held = {"call_sid": f"CA{number}", "stream": number}
    connection.execute(text("INSERT INTO leases VALUES (:call_sid, :stream, '', NULL, 0)"), held)


async def test_many_write_at_once_and_get_along(database: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(database.transaction(partial(put, number)))
    assert await database.transaction(numbers) == [*range(40)]


async def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    def half(connection: Connection) -> None:
        put(1, connection)
        connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DatabaseAway):
        await database.transaction(half)

    def broken(connection: Connection) -> None:
        put(2, connection)
        raise RuntimeError("a bug of ours")

    with pytest.raises(RuntimeError, match="ours"):
        await database.transaction(broken)
    assert await database.transaction(numbers) == []


async def test_sqlite_is_worked_on_by_a_thread_of_its_own_in_turn(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/offhook.db")
    threads = {await database.transaction(lambda _: threading.get_ident()) for _ in range(5)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    await database.close()


async def test_whoever_stops_waiting_for_sqlite_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/offhook.db")
    await database.transaction(lambda connection: connection.execute(text("CREATE TABLE wrote (number INTEGER)")))
    begun, go_on = threading.Event(), threading.Event()

    def write(connection: Connection) -> None:
        connection.execute(text("INSERT INTO wrote VALUES (1)"))
        begun.set()
        assert go_on.wait(10.0)
        connection.execute(text("INSERT INTO wrote VALUES (2)"))

    writing = asyncio.create_task(database.transaction(write))
    waiting = asyncio.create_task(database.transaction(write))
    assert await asyncio.to_thread(begun.wait, 10.0)
    for task in (writing, waiting):
        task.cancel()
    await asyncio.wait((writing, waiting))
    go_on.set()
    count = text("SELECT count(*) FROM wrote")
    assert await database.transaction(lambda connection: connection.execute(count).scalar_one()) == 2
    await database.close()


async def test_a_database_that_does_not_answer_in_time_is_away(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/offhook.db")
    go_on = threading.Event()
    with pytest.raises(DatabaseAway, match="TimeoutError"):
        await database.transaction(lambda _: go_on.wait(10.0), limit_s=0.0)
    go_on.set()
    await database.close()
