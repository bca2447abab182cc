"""Calls outlive the process that serves them: it is killed in the middle of whatever it does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

import pytest

from telephony.simulator.caller import Step
from telephony.simulator.options import DialOutcome, DialPlan
from tests.wire.fleet import Call, Fleet, Process, fleet_of
from tests.wire.moments import MOMENTS, Moment, Watch, once, without_excuse

AT_ONCE = 5
"""Moments: what two cores can serve without being late."""
ASKS = {"asked": True, "only told": False}
"""Whether the carrier asks what comes after a stream that broke, or has to be told unasked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that is over, and what its memory held in the end."""

    call: Call
    memory: list[str]

    @classmethod
    async def of(cls, fleet: Fleet, call: Call) -> "Outcome":
        return cls(call, await fleet.remembered(call.report.call_sid))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of calls that nothing disturbed, and of calls whose process was killed at a moment."""

    calm: dict[tuple[tuple[Step, ...], DialOutcome], Outcome]
    killed: dict[tuple[str, bool], Outcome]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """The calls of one moment are in a process of their own, which is killed."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()

    async def run() -> Outcomes:
        async with fleet_of(2, tmp_path_factory.mktemp(request.param), url) as fleet:
            killed: dict[tuple[str, bool], Outcome] = {}
            for moments in batched(MOMENTS, AT_ONCE, strict=False):
                killed |= await _killed_at(moments, fleet)
            return Outcomes(await _undisturbed(fleet), killed)

    return asyncio.run(run())


async def _killed_at(moments: Sequence[Moment], fleet: Fleet) -> dict[tuple[str, bool], Outcome]:
    survivors = fleet.balancer.ports
    async with asyncio.TaskGroup() as tasks:
        starting = [tasks.create_task(fleet.start()) for _ in moments]
    async with asyncio.TaskGroup() as tasks:
        calls = {}
        for moment, started in zip(moments, starting, strict=True):
            victim = started.result()
            fleet.balancer.ports = [victim.port]
            watches = {asks: Watch(moment) for asks in ASKS.values()}
            for asks, watch in watches.items():
                call = fleet.call(*moment.steps, on_event=watch, asks_after_drop=asks, dial=DialPlan(moment.dial))
                calls[moment.name, asks] = tasks.create_task(call)
            tasks.create_task(_kill(victim, *watches.values()))
            for watch in watches.values():
                await watch.answered.wait()
        fleet.balancer.ports = survivors
    return {which: await Outcome.of(fleet, call.result()) for which, call in calls.items()}


async def _undisturbed(fleet: Fleet) -> dict[tuple[tuple[Step, ...], DialOutcome], Outcome]:
    kinds = {(moment.script, moment.dial) for moment in MOMENTS}
    async with asyncio.TaskGroup() as tasks:
        calls = {(script, dial): tasks.create_task(fleet.call(*script, dial=DialPlan(dial))) for script, dial in kinds}
    return {kind: await Outcome.of(fleet, call.result()) for kind, call in calls.items()}


async def _kill(victim: Process, *watches: Watch) -> None:
    for watch in watches:
        await watch.happened.wait()
    await victim.kill()


@pytest.mark.parametrize("asks", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_a_call_whose_process_is_killed_ends_as_if_nothing_had_happened(
    outcomes: Outcomes, moment: Moment, asks: bool
) -> None:
    calm, killed = outcomes.calm[moment.script, moment.dial], outcomes.killed[moment.name, asks]

    assert killed.call.report.streams == calm.call.report.streams + moment.more_streams
    assert killed.call.report.reason == calm.call.report.reason
    assert without_excuse(killed.memory) == calm.memory
    assert once(killed.call.heard()) == calm.call.heard()
