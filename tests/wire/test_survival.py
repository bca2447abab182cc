"""Calls outlive the process that serves them: it is killed, or told to end, in the middle of whatever it does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from telephony.call.rules import CallRules
from telephony.simulator.caller import Say, Step
from telephony.simulator.events import (
    BotSpeaking,
    CallerSpoke,
    Event,
)
from tests.wire.fleet import Call, Fleet, fleet_of
from tests.wire.lines import ASK, INTERRUPT, PARTING

RESUMED = CallRules().resumed
TALK = (Say(ASK), Say(INTERRUPT), Say(PARTING))


@dataclass(slots=True)
class Watch:
    """Waits, while a call goes on, for the `count`th event that is one of `kinds`, and a little longer."""

    kinds: tuple[type[Event], ...]
    count: int = 1
    then_s: float = 0.0
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: Event) -> None:
        if isinstance(event, self.kinds):
            self.count -= 1
            if self.count == 0:
                asyncio.get_running_loop().call_later(self.then_s, self.happened.set)


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet_of(2, tmp_path) as fleet:
        yield fleet


async def killed(fleet: Fleet, watch: Watch, *steps: Step, **options: object) -> Call:
    """A call whose process is killed at a moment."""

    async def kill() -> None:
        await watch.happened.wait()
        await fleet.kill_server_of(fleet.newest_call())

    async with asyncio.TaskGroup() as tasks:
        killing = tasks.create_task(kill())
        call = await fleet.call(*steps, on_event=watch, **options)
        killing.cancel()
    assert watch.happened.is_set()
    return call


async def undisturbed(fleet: Fleet, *steps: Step, **options: object) -> tuple[Call, list[str]]:
    call = await fleet.call(*steps, **options)
    return call, await fleet.remembered(call.report.call_sid)


@pytest.mark.parametrize(
    "watch",
    [
        pytest.param(Watch((BotSpeaking,), then_s=0.2), id="the greeting"),
        pytest.param(Watch((CallerSpoke,), then_s=0.5), id="the reply being generated"),
        pytest.param(Watch((BotSpeaking,), count=2, then_s=1.0), id="the bot speaking"),
    ],
)
@pytest.mark.parametrize("asks", [True, False], ids=["asked", "only told"])
async def test_a_call_whose_process_is_killed_ends_as_if_nothing_had_happened(
    fleet: Fleet, watch: Watch, asks: bool
) -> None:
    calm, memory = await undisturbed(fleet, *TALK)
    call = await killed(fleet, Watch(watch.kinds, watch.count, watch.then_s), *TALK, asks_after_drop=asks)

    assert call.report.streams == 2
    assert call.report.reason == calm.report.reason
    assert await fleet.remembered(call.report.call_sid) == memory
    assert [sentence for sentence in call.heard() if sentence in calm.heard()] == calm.heard()
