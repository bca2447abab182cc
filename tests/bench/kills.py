"""Kills processes under their calls, and restarts a fleet one process after the other: what callers notice of it.

`python -m tests.bench.kills [kills] [calls of the rolling restart]`, or `make kills`: about twenty minutes.
"""

import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.table import Table

from telephony.simulator.caller import Press, Say
from telephony.simulator.events import BotAudioArrived, StreamClosed
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport
from tests.bench.attentive import Attentive, Phase
from tests.telephony.records.postgres import Postgres
from tests.wire.fleet import Fleet, Process, fleet_of
from tests.wire.moments import once, without_excuse

type Script = tuple[Say | Press, ...]

ASK, BYE = Say("Dogs allowed?"), Say("Bye now.")
TYPE = (Say("The code?"), Press("1234"))
SCRIPTS: tuple[Script, ...] = ((ASK, BYE), (*TYPE, BYE), (Press("42#"), BYE), (Say("Boss, please."),))
LONG: Script = (ASK, *TYPE, ASK, *TYPE, BYE)

PHASES = (Phase.GREETING, Phase.CALLER, Phase.KEYS, Phase.REPLY, Phase.BOT, Phase.TRANSFER)
PROCESSES, CALLS, EVERY_S = 10, 20, 2.0
RESTARTED = 3
WAITS_S = 6.0
"""For a call to come to the phase in which its process is the next to be killed."""
console = Console(soft_wrap=True)
IN_ORDER = {"the bot hung up over REST", "the bot hung up"}


@dataclass(eq=False, slots=True)
class Live:
    """A call that goes on."""

    number: str
    script: Script
    asks: bool
    caller: Attentive
    drops: list[Phase] = field(default_factory=list)
    """The phases in which its process was killed."""


@dataclass(eq=False, frozen=True, slots=True)
class Ended:
    """A call that is over."""

    live: Live
    report: CallReport
    memory: list[str]

    @property
    def is_lost(self) -> bool:
        return self.report.reason not in IN_ORDER

    def gaps_s(self) -> list[float]:
        """From each stream that broke to the first of the bot's voice after it."""
        events = self.report.events
        began = [event.at_s for event in events if isinstance(event, BotAudioArrived)]
        broke = [event.at_s for event in events if isinstance(event, StreamClosed) and event.close_code == 1006]
        return [next((at_s - broke_at_s for at_s in began if at_s > broke_at_s), 0.0) for broke_at_s in broke]


class Callers:
    """So many callers at once, each of whom rings again when their call is over, until it `is_over`."""

    def __init__(self, fleet: Fleet, scripts: Sequence[Script], spread_s: float = 0.0) -> None:
        self._fleet = fleet
        self._scripts = scripts
        self._spread_s = spread_s
        self._random = random.Random(5)
        self._placed = 0
        self.live: set[Live] = set()
        self.ended: list[Ended] = []
        self.is_over = False

    @asynccontextmanager
    async def calling(self, count: int) -> AsyncIterator[None]:
        """They call while inside; on the way out they come to the end of their calls."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(self._keep_calling(self._spread_s * number / count))
            try:
                yield
            finally:
                self.is_over = True

    async def _keep_calling(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        while not self.is_over:
            await self._call()

    async def _call(self) -> None:
        self._placed += 1
        script = self._scripts[self._placed % len(self._scripts)]
        live = Live(f"+1500{self._placed:07}", script, self._random.random() < 0.5, Attentive(script, monotonic()))
        self.live.add(live)
        options = self._fleet.options(
            caller_number=live.number,
            asks_after_drop=live.asks,
            follow_feed=False,
            max_call_s=120.0,
        )
        report = await place_call(options, caller=live.caller, rest=self._fleet.api)
        self.live.remove(live)
        memory = without_excuse(await self._fleet.remembered(report.call_sid)) if report.streams else []
        self.ended.append(Ended(live, report, memory))

    async def in_phase(self, phase: Phase) -> Live | None:
        """A call that has just come to this phase; None if none comes in time."""
        before = {live for live in self.live if live.caller.phase is phase}
        until = monotonic() + WAITS_S
        while monotonic() < until:
            now = {live for live in self.live if live.caller.phase is phase}
            if found := now - before:
                return found.pop()
            before = now
            await asyncio.sleep(0.02)
        return None

    def call_sid(self, live: Live) -> str:
        known = self._fleet.api.known.items()
        return next((sid for sid, phone in known if phone.identity.caller == live.number), "")


async def kill(fleet: Fleet, callers: Callers, kills: int) -> None:
    """Kill a process `kills` times, by turns in each phase of a call, and start another for it at once."""
    chance = random.Random(7)
    async with asyncio.TaskGroup() as tasks:
        for number in range(kills):
            began_at = monotonic()
            live = await callers.in_phase(PHASES[number % len(PHASES)]) or next(iter(callers.live))
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            served = await fleet.served()
            victim = served.get(callers.call_sid(live)) or chance.choice(running(fleet))
            for call in callers.live:
                if served.get(callers.call_sid(call)) is victim:
                    call.drops.append(call.caller.phase)
            fleet.balancer.ports.remove(victim.port)
            await victim.kill()
            tasks.create_task(join(fleet))
            await asyncio.sleep(max(0.0, EVERY_S - (monotonic() - began_at)))


def running(fleet: Fleet) -> list[Process]:
    return [process for process in fleet.processes if process.port in fleet.balancer.ports]


async def join(fleet: Fleet) -> Process:
    process = await fleet.start()
    fleet.balancer.ports.append(process.port)
    return process


async def calm(fleet: Fleet, scripts: Sequence[Script]) -> dict[Script, Ended]:
    """What these calls are if nothing disturbs them."""
    callers = Callers(fleet, scripts)
    callers.is_over = True
    async with asyncio.TaskGroup() as tasks:
        for _ in scripts:
            tasks.create_task(callers._call())
    return {ended.live.script: ended for ended in callers.ended}


async def kills_on(name: str, database_url: str, kills: int) -> None:
    with TemporaryDirectory() as folder:
        async with fleet_of(PROCESSES, Path(folder), database_url) as fleet:
            undisturbed = await calm(fleet, SCRIPTS)
            callers = Callers(fleet, SCRIPTS, spread_s=6.0)
            began_at = monotonic()
            async with callers.calling(CALLS):
                await asyncio.sleep(3.0)
                await kill(fleet, callers, kills)
            console.print(
                f"\n{name}: {kills} processes killed in {monotonic() - began_at:.0f} s, {CALLS} calls at once"
            )
            tell(callers.ended, undisturbed)


def tell(calls: Sequence[Ended], undisturbed: dict[Script, Ended]) -> None:
    """The table, and whatever there is to be looked into."""
    gaps_s: defaultdict[str, list[float]] = defaultdict(list)
    for call in calls:
        gaps = call.gaps_s()
        for phase, gap_s in zip(call.live.drops, gaps, strict=False):
            gaps_s[phase.value].append(gap_s)
        for group in ("asked" if call.live.asks else "only told", "all"):
            gaps_s[group] += gaps
    table = Table("drops in", "number", "gap p50", "p95", "longest")
    for group in [*PHASES, Phase.SILENCE, "asked", "only told", "all"]:
        if found := gaps_s[group]:
            p95_s = quantiles([*found, *found], n=20)[-1]
            table.add_row(group, str(len(found)), *(f"{gap_s:.2f} s" for gap_s in (median(found), p95_s, max(found))))
    console.print(table)
    lost = [call for call in calls if call.is_lost]
    differ = [call for call in calls if not call.is_lost and call.memory != undisturbed[call.live.script].memory]
    heard = [call for call in calls if once(call.live.caller.heard) != undisturbed[call.live.script].live.caller.heard]
    twice = len({*heard} - {*lost, *differ})
    dropped = sum(bool(call.gaps_s()) for call in calls)
    console.print(
        f"{len(calls)} calls, {dropped} of them dropped, {len(lost)} lost, {len(differ)} with another history"
    )
    console.print(f"{twice} heard more than the rest of the sentence that was cut")
    for call in (*lost, *differ):
        console.print(f"{call.report.reason}: {[*map(str, call.live.drops)]} {call.live.caller.heard} {call.memory}")


async def rolling_restart(calls: int) -> None:
    """A deploy: every process is replaced by a new one and told to end, while all its calls go on."""
    with TemporaryDirectory() as folder:
        async with fleet_of(RESTARTED, Path(folder)) as fleet:
            undisturbed = await calm(fleet, (LONG,))
            callers = Callers(fleet, (LONG,), spread_s=10.0)
            took_s = []
            async with callers.calling(calls):
                await asyncio.sleep(11.0)
                for leaving in running(fleet):
                    await join(fleet)
                    began_at = monotonic()
                    leaving.terminate()
                    await leaving.ended()
                    took_s.append(monotonic() - began_at)
                    fleet.balancer.ports.remove(leaving.port)
            said = ", ".join(f"{seconds:.1f} s" for seconds in took_s)
            console.print(f"\nrolling restart with {calls} calls: {len(took_s)} processes ended in {said}")
            handed_over = sum(call.report.streams > 1 for call in callers.ended)
            console.print(f"calls that were handed over {handed_over}")
            tell(callers.ended, undisturbed)


async def main(kills: int = 200, calls: int = 50) -> None:
    await kills_on("SQLite", "", kills)
    with Postgres() as server:
        await kills_on("PostgreSQL", server.new_database(), kills)
    await rolling_restart(calls)


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:])))
