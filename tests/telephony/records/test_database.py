import asyncio
from pathlib import Path

from sqlalchemy import event, text

from telephony.records.database import connect, transaction


async def test_whoever_writes_to_sqlite_waits_here_and_in_turn(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/offhook.db")
    opened: list[object] = []
    event.listen(engine.sync_engine, "connect", lambda connection, _: opened.append(connection))
    async with transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE wrote (number INTEGER)"))

    async def write(number: int) -> None:
        async with transaction(engine) as connection:
            await connection.execute(text("INSERT INTO wrote VALUES (:number)"), {"number": number})
            await asyncio.sleep(0)  # the lock is held while others want it

    async with asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(write(number))
    async with transaction(engine) as connection:
        assert list((await connection.execute(text("SELECT number FROM wrote ORDER BY rowid"))).scalars()) == [
            *range(40)
        ]
    assert len(opened) == 1
    await engine.dispose()
