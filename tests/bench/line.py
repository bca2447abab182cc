"""Servers under the same calls, in turn: what a call costs them, how late they are, and how many one core carries."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from rich.console import Console

from tests.bench.caller import TALK, Pause, Step
from tests.bench.engines import REPLY_S
from tests.bench.load import LoadGenerator
from tests.bench.results import Round, Row, fold
from tests.bench.servers import Plan, Server, serving
from tests.bench.stats import Spread

CALL_S = 27.0
"""About how long `TALK` takes. Calls begin over this time, so that they are in step with nobody, and go on for as long:
a caller's whole call is measured, whatever it was at when that began."""
ROUND_LIMIT_S = 150.0
NOISE_RMS = 33.0
"""A quiet room: no telephone line is digitally silent."""
WATCH_S = 0.5
SETTLE_S = 1.0
"""How long a server may tidy up after calls before it is measured."""


@dataclass(frozen=True, slots=True)
class Cell:
    """So many calls to one server."""

    plan: Plan
    calls: int


class Bench:
    """What all runs of a session have in common: the caller's sentence, the cores, and where progress is told."""

    def __init__(self, speech: bytes, server_core: int, console: Console, noise_rms: float = NOISE_RMS) -> None:
        self._speech = speech
        self._noise_rms = noise_rms
        self._core = server_core
        self._console = console

    async def compare(self, cells: Sequence[Cell], rounds: int, floor: str) -> list[Row]:
        """Every cell once a round, so that a noisy minute hits all of them; `floor` names the server to divide by."""
        runs: list[list[Round]] = [[] for _ in cells]
        floors: dict[int, float] = {}
        for number in range(rounds):
            for cell, done in zip(cells, runs, strict=True):
                async with serving(cell.plan, self._core) as server:
                    done.append(await self._told(cell.plan, server, cell.calls, f"round {number + 1} of {rounds}"))
                if cell.plan.name == floor:
                    floors[number] = done[-1].cpu_ms
        return [fold(done, floors) for done in runs]

    async def pair(self, one: Plan, other: Plan, calls: int, rounds: int) -> list[Row]:
        """Two servers at once on one core, each with so many calls: a noisy minute hits both alike.

        Who starts first changes from round to round.
        """
        runs: dict[str, list[Round]] = {one.name: [], other.name: []}
        for number in range(rounds):
            first, second = (other, one) if number % 2 else (one, other)
            what = f"two servers, {calls} calls each for {2 * CALL_S:.0f} s, round {number + 1} of {rounds}"
            async with serving(first, self._core) as server, serving(second, self._core) as its_rival:
                with self._console.status(what):
                    async with asyncio.TaskGroup() as tasks:
                        served = [
                            tasks.create_task(self._round(plan, at, calls))
                            for plan, at in ((first, server), (second, its_rival))
                        ]
            for done in served:
                runs[done.result().server].append(done.result())
        ones, others = runs.values()
        ratios = [its.cpu_ms / ours.cpu_ms for ours, its in zip(ones, others, strict=True)]
        return [fold(ones, {}), {**fold(others, {}), "× the first's CPU": Spread.of(ratios)}]

    async def ramp(self, plan: Plan, levels: Sequence[int]) -> list[Row]:
        """Ever more calls to one server until it cannot keep up: the last row says why, the limit is the row before."""
        rows: list[Row] = []
        async with serving(plan, self._core) as server:
            base_ms: float | None = None
            for calls in levels:
                done = await self._told(plan, server, calls, "ramp")
                base_ms = done.added_ms(0.99) if base_ms is None else base_ms
                trouble = done.trouble(base_ms)
                rows.append({**fold([done], {}), "keeps up": trouble or "yes"})
                if trouble:
                    break
        return rows

    async def memory(self, plan: Plan, calls: int, batches: int) -> list[Row]:
        """Callers who say nothing, batch after batch: the memory of an idle call, and what is kept afterwards."""
        rows: list[Row] = []
        silent: tuple[Step, ...] = (Pause(3.0),)
        async with serving(plan, self._core) as server:
            await self._watched(server, self._generator(server, silent).once(2, 0.0))
            await asyncio.sleep(SETTLE_S)
            start = server.rss_bytes
            for number in range(batches):
                before = server.rss_bytes
                with self._console.status(f"{server.name}: batch {number + 1} of {batches}"):
                    peak, _ = await self._watched(server, self._generator(server, silent).once(calls, 2.0))
                await asyncio.sleep(SETTLE_S)
                rows.append(
                    {
                        "server": plan.name,
                        "calls so far": (number + 1) * calls,
                        "KiB per idle call": (peak - before) / 1024 / calls,
                        "MiB kept since the start": (server.rss_bytes - start) / 1024**2,
                    }
                )
        return rows

    async def _told(self, plan: Plan, server: Server, calls: int, what: str) -> Round:
        with self._console.status(f"{server.name}: {calls} calls for {2 * CALL_S:.0f} s, {what}"):
            return await self._round(plan, server, calls)

    async def _round(self, plan: Plan, server: Server, calls: int) -> Round:
        before = server.rss_bytes
        holding = self._generator(server, TALK).hold(calls, CALL_S, CALL_S, lambda: server.cpu_s)
        peak, outcome = await self._watched(server, holding)
        return Round(plan.name, calls, max(0, peak - before), plan.endpointing_s, outcome)

    def _generator(self, server: Server, script: Sequence[Step]) -> LoadGenerator:
        return LoadGenerator(server.door, script, self._speech, REPLY_S, self._noise_rms)

    @staticmethod
    async def _watched[T](server: Server, load: Coroutine[None, None, T]) -> tuple[int, T]:
        """Let the load run; the server's most memory meanwhile, and what came of it."""
        async with asyncio.timeout(ROUND_LIMIT_S), asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_most(lambda: server.rss_bytes, stop := asyncio.Event()))
            brought = await load
            stop.set()
        return watching.result(), brought


async def _most(read: Callable[[], int], stop: asyncio.Event) -> int:
    """The highest value seen until `stop`."""
    most = read()
    while not stop.is_set():
        try:
            async with asyncio.timeout(WATCH_S):
                await stop.wait()
        except TimeoutError:
            most = max(most, read())
    return most
