"""How long it takes from the start of a process to its first call at full speed."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from rich.console import Console

from telephony.records.command import upgrade_database
from tests.bench.results import Row
from tests.bench.servers import Plan, serving
from tests.bench.stats import Spread
from tests.wire.office import ROOT

MODULES = ("telephony.cli", "telephony.service")
ENGINES: Mapping[str, str] = {"scripted": "scripted", "embedded default": "local"}


async def times(rounds: int, core: int, console: Console) -> list[Row]:
    """Import of what is heavy, and `offhook serve` until `/readyz` says so, which is asked 20 times a second.

    Its database is up to date, as one is whose platform has run the release phase.
    """
    rows: list[Row] = []
    for module in MODULES:
        with console.status(f"importing {module}"):
            nothing_s = [await _python("pass") for _ in range(rounds)]
            import_s = [await _python(f"import {module}") for _ in range(rounds)]
        rows.append({"what": f"import {module}", "seconds": Spread.of([s - min(nothing_s) for s in import_s])})
    with tempfile.TemporaryDirectory() as folder:
        database_url = f"sqlite:///{Path(folder)}/records.db"
        await upgrade_database(database_url)
        for name, engine in ENGINES.items():
            taken_s: list[float] = []
            with console.status(f"starting the server, {name}"):
                for _ in range(rounds):
                    began_at = monotonic()
                    async with serving(_plan(engine, database_url), core):
                        taken_s.append(monotonic() - began_at)
            rows.append({"what": f"ready, {name} engines", "seconds": Spread.of(taken_s)})
    return rows


def _plan(engine: str, database_url: str) -> Plan:
    command = (sys.executable, "-m", "telephony", "serve", "--host", "127.0.0.1", "--port", "{port}")
    return Plan(engine, command, 0.0, {"VOICE_PROVIDER": engine, "DATABASE_URL": database_url})


async def _python(code: str) -> float:
    began_at = monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    await process.wait()
    return monotonic() - began_at
