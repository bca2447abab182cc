"""Peers: installed from PyPI into environments of their own, outside the repository, never dependencies."""

import asyncio
from dataclasses import dataclass

from rich.console import Console

from tests.bench.servers import Plan
from tests.bench.speech import CACHE


@dataclass(frozen=True, slots=True)
class Peer:
    """A framework as it is installed, and a bot of `tests/bench` on it."""

    name: str
    version: str
    requirements: tuple[str, ...]
    megabytes: int
    bot: str
    endpointing_s: float

    async def install(self, python: str, console: Console) -> None:
        """Install it once, for this interpreter; takes about a minute."""
        home = CACHE / f"{self.name}-{self.version}"
        complete = home / "installed"
        if complete.exists():
            return
        what = f"{self.name} {self.version} into {CACHE} (once, about a minute, {self.megabytes} MB)"
        with console.status(f"installing {what}"):
            await _run(python, "-m", "venv", "--clear", str(home))
            pip = (self._python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            await _run(*pip, "--prefer-binary", *self.requirements)
        complete.touch()

    def plan(self, *variant: str) -> Plan:
        """Its bot, in one of its variants if it has any."""
        command = (self._python, "-W", "ignore", "-P", self.bot, *variant, "{port}")
        return Plan(", ".join((self.name, *variant)), command, self.endpointing_s)

    @property
    def _python(self) -> str:
        return str(CACHE / f"{self.name}-{self.version}" / "bin" / "python")


PIPECAT = Peer(
    name="pipecat",
    version="1.14.0",
    requirements=("pipecat-ai[websocket,silero]==1.14.0", "uvicorn[standard]", "audioop-lts"),
    megabytes=500,
    bot="tests/bench/pipecat_bot.py",
    endpointing_s=0.2,
)
VOCODE = Peer(
    name="vocode",
    version="0.1.113",
    requirements=("vocode==0.1.113",),
    megabytes=360,
    bot="tests/bench/vocode_bot.py",
    endpointing_s=0.2,
)


async def runs(python: str) -> bool:
    """Whether there is such an interpreter."""
    try:
        await _run(python, "-c", "")
    except (OSError, SystemExit):
        return False
    return True


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
