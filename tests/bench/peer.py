"""Pipecat as a peer: installed from PyPI into an environment of its own, outside the repository, never a dependency."""

import asyncio
import sys

from rich.console import Console

from tests.bench.servers import Plan
from tests.bench.speech import CACHE

VERSION = "1.14.0"
REQUIREMENTS = (f"pipecat-ai[websocket,silero]=={VERSION}", "uvicorn[standard]", "audioop-lts")
_STOP_S = 0.2  # of silence, its default
_HOME = CACHE / f"pipecat-{VERSION}"
_PYTHON = str(_HOME / "bin" / "python")


async def install(console: Console) -> None:
    """Install it once; takes about a minute and 500 MB."""
    complete = _HOME / "installed"
    if complete.exists():
        return
    with console.status(f"installing Pipecat {VERSION} into {CACHE} (once, about a minute, 500 MB)"):
        await _run(sys.executable, "-m", "venv", "--clear", str(_HOME))
        await _run(_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS)
    complete.touch()


def pipecat(variant: str) -> Plan:
    """`default`, `silero` or `none`, see `pipecat_bot`."""
    return Plan(f"pipecat, {variant}", (_PYTHON, "-P", "tests/bench/pipecat_bot.py", variant, "{port}"), _STOP_S)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
