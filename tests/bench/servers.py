"""Servers under load: started in a process of their own, pinned to one core, and watched from outside (Linux)."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from telephony.settings import environment_with
from tests.bench.load import Door
from tests.wire.office import ACCOUNT, ROOT, TOKEN, environment, free_port, until_ready

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cores() -> tuple[int, int]:
    """One for the server, one for the load."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("the bench needs two cores: one for the server, one for the load")
    return usable[0], usable[1]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens; its figures are those of /proc."""

    name: str
    door: Door
    pid: int

    @property
    def cpu_s(self) -> float:
        """CPU time so far, of all threads, to 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    @property
    def rss_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is started and how its bot behaves. `endpointing_s` is the silence it waits for by design."""

    name: str
    command: Sequence[str]
    endpointing_s: float
    settings: Mapping[str, str] | None = None
    """Of our own server; None for another's."""
    checkout: Path = ROOT
    """Where it is started."""


@asynccontextmanager
async def serving(plan: Plan, core: int) -> AsyncIterator[Server]:
    """Start a server on one core, ready, and end it afterwards; `{port}` in its command is its port."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        variables = {} if plan.settings is None else environment(Path(folder), base_url, base_url, **plan.settings)
        command = ["taskset", "-c", str(core), *(part.replace("{port}", str(port)) for part in plan.command)]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command, env=environment_with(**variables), cwd=plan.checkout, stdout=output, stderr=output
            )
        try:
            await until_ready(base_url, process)
            yield Server(plan.name, Door(f"{base_url}/twilio/voice", ACCOUNT, TOKEN), process.pid)
        except Exception as error:
            error.add_note(log.read_text(errors="replace")[-2000:])
            raise
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def offhook(name: str, engine: str, endpointing_s: float) -> Plan:
    """Our own server with an engine of `tests.bench.engines`."""
    settings = {
        "VOICE_PROVIDER": f"tests.bench.engines:{engine}",
        "LLM_PROVIDER": "tests.bench.engines:TwelveTokens",
        "TURN_END_SILENCE_MS": "500",
        "LOG_LEVEL": "WARNING",
        # The bench finds the limit itself, and all its callers ring from one number.
        "MAX_CALLS": "10000",
        "MAX_LAG_MS": "60000",
        "MAX_CALLS_PER_CALLER_PER_MINUTE": "10000",
    }
    command = (sys.executable, "-m", "telephony", "serve", "--host", "127.0.0.1", "--port", "{port}")
    return Plan(name, command, endpointing_s, settings)


def bare(variant: str) -> Plan:
    return Plan(f"bare {variant}", (sys.executable, "-m", "tests.bench.bare", variant, "{port}"), 0.2)
