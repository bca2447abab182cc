"""What recording a call costs: what an entry costs the call, how many a second the database takes, on whose CPU."""

import asyncio
import tempfile
from pathlib import Path
from time import monotonic, process_time

from rich.console import Console

from telephony.call.journal import Journal, Kind
from telephony.records.database import connect
from telephony.records.upgrade import upgrade
from telephony.records.writer import Stream, Writer
from tests.bench.results import Row
from tests.telephony.records.postgres import Postgres

CALLS = 200
ENTRIES = 50
"""Of each call: what a talk of three minutes notes, about."""
LIMIT_S = 120.0
TICK_S = 0.005


async def costs(console: Console) -> list[Row]:
    """SQLite in a file, and PostgreSQL on this machine, for which a server is started."""
    with tempfile.TemporaryDirectory() as folder:
        with console.status("writing records to SQLite"):
            rows = [await _write("SQLite", f"sqlite:///{Path(folder)}/records.db")]
        with console.status("writing records to PostgreSQL"), Postgres() as server:
            rows.append(await _write("PostgreSQL", server.new_database()))
    return rows


async def _write(name: str, url: str) -> Row:
    database = connect(url)
    await upgrade(database)
    writer = Writer(database, "bench", CALLS * ENTRIES + 1)
    journals = [Journal(0.0) for _ in range(CALLS)]
    for number, journal in enumerate(journals):
        writer.follow(Stream(f"CA{number:032}", "AC" + "0" * 32, "+15005550006", "+15005550001", 1, 0.0), journal)
    began_cpu_s = process_time()
    for position in range(ENTRIES - 1):
        for journal in journals:
            journal.note(Kind.CALLER_SAID, float(position), turn=position, text="I would like to book a table")
    for journal in journals:
        journal.note(Kind.CALL_ENDED, float(ENTRIES), reason="goodbye")
    noted_s = process_time() - began_cpu_s
    began_at, began_cpu_s = monotonic(), process_time()
    writing = asyncio.create_task(writer.run())
    lag = _Lag()
    watching = asyncio.create_task(lag.watch())
    left = await writer.flush(LIMIT_S)
    taken_s, cpu_s = monotonic() - began_at, process_time() - began_cpu_s
    for task in (writing, watching):
        task.cancel()
    await asyncio.wait((writing, watching))
    await database.close()
    events = CALLS * ENTRIES - left
    return {
        "database": name,
        "events per s": events / taken_s,
        "µs of the call per entry": noted_s / (CALLS * ENTRIES) * 1e6,
        "CPU µs per event": cpu_s / events * 1e6,
        "longest hold of the loop ms": lag.longest_s * 1000,
    }


class _Lag:
    """How long the event loop was held at worst, to the accuracy of its timers."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        while True:
            due_at = monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self.longest_s = max(self.longest_s, monotonic() - due_at)
