"""Calls outlive the process that serves them: it is killed in the middle of whatever it does."""

import asyncio
from dataclasses import dataclass

import pytest

from telephony.simulator.caller import Step
from telephony.simulator.options import DialOutcome, DialPlan
from tests.wire.fleet import Call, Fleet, Process, fleet_of
from tests.wire.moments import MOMENTS, Moment, Watch, once, without_excuse

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
    """All these calls at once, those of one moment in a process of their own, which is killed."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()

    async def run() -> Outcomes:
        async with fleet_of(2 + len(MOMENTS), tmp_path_factory.mktemp(request.param), url) as fleet:
            return await kill_at_every_moment(fleet)

    return asyncio.run(run())


async def kill_at_every_moment(fleet: Fleet) -> Outcomes:
    *victims, one, other = fleet.processes
    survivors = [one.port, other.port]
    async with asyncio.TaskGroup() as tasks:
        killed = {}
        for moment, victim in zip(MOMENTS, victims, strict=True):  # that of the greeting, which is soon over, is last
            fleet.balancer.ports = [victim.port]
            watches = {asks: Watch(moment) for asks in ASKS.values()}
            for asks, watch in watches.items():
                call = fleet.call(*moment.steps, on_event=watch, asks_after_drop=asks, dial=DialPlan(moment.dial))
                killed[moment.name, asks] = tasks.create_task(call)
            tasks.create_task(_kill(victim, *watches.values()))
            for watch in watches.values():
                await watch.answered.wait()
        fleet.balancer.ports = survivors
        kinds = {(moment.script, moment.dial) for moment in MOMENTS}
        calm = {(script, dial): tasks.create_task(fleet.call(*script, dial=DialPlan(dial))) for script, dial in kinds}
    return Outcomes(
        {kind: await Outcome.of(fleet, call.result()) for kind, call in calm.items()},
        {moment: await Outcome.of(fleet, call.result()) for moment, call in killed.items()},
    )


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
