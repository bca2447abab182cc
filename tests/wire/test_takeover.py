"""Processes that end one after the other or by order, databases that are away, streams that cannot be had."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from telephony.simulator.events import BotSpeaking, CallerPressed, CarrierSpoke, Event, StreamOpened
from telephony.simulator.phone import new_sid
from telephony.twilio.documents import UNREACHABLE
from tests.telephony.records.postgres import Postgres
from tests.wire.fleet import Fleet, fleet_of
from tests.wire.moments import PARTING, RESUMED, STRAY, TALK, TRANSFER, TYPED, Moment, Watch, a, once, without_excuse
from tests.wire.office import of_kind
from tests.wire.raw import raw_stream

DRAINED_WITHIN_S = 25.0
REPLACED_WITHIN_S = 10.0
"""A process looks every two seconds whether its calls are still its own."""

PATIENCE_S = 2.0
"""How long a caller waits for more, where the bot may have to come back in the middle of what it says."""


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet_of(3, tmp_path) as fleet:
        yield fleet


async def test_a_call_outlives_one_process_after_the_other(fleet: Fleet) -> None:
    first, second, third = fleet.processes
    asking = Watch(Moment("it asks for a code", TYPED, a(BotSpeaking), 2, then_s=0.2))
    again = Watch(Moment("another stream", TYPED, a(StreamOpened), 2))
    typing = Watch(Moment("keys are pressed", TYPED, a(CallerPressed), 2, then_s=0.3))

    def watch(event: Event) -> None:
        for moment in (asking, again, typing):
            moment(event)

    fleet.balancer.ports = [first.port]
    async with asyncio.TaskGroup() as tasks:
        calling = tasks.create_task(fleet.call(*TYPED, on_event=watch))
        await asking.answered.wait()
        fleet.balancer.ports = [third.port]
        undisturbed = tasks.create_task(fleet.call(*TYPED))
        await asking.happened.wait()
        fleet.balancer.ports = [second.port]
        await first.kill()
        await again.happened.wait()
        await typing.happened.wait()
        fleet.balancer.ports = [third.port]
        await second.kill()
    call, calm = calling.result(), undisturbed.result()

    assert (call.report.streams, calm.report.streams) == (3, 1)
    assert call.report.reason == calm.report.reason
    assert without_excuse(await fleet.remembered(call.report.call_sid)) == await fleet.remembered(calm.report.call_sid)
    assert once(call.heard()) == calm.heard()


async def test_a_process_that_is_told_to_end_hands_its_calls_over_and_nobody_notices(fleet: Fleet) -> None:
    """It goes on being asked, for nobody knows whether a router keeps questions from a process that is ending."""
    leaving = fleet.processes[0]
    scripts = (STRAY, TYPED, TRANSFER, *[TALK] * 5)  # begun one after the other, so that each stands elsewhere

    fleet.balancer.ports = [leaving.port]
    async with asyncio.TaskGroup() as tasks:
        calls = []
        for script in scripts:
            watch = Watch(Moment("it goes on", script, a(BotSpeaking), then_s=0.2))
            calls.append(tasks.create_task(fleet.call(*script, on_event=watch, patience_s=PATIENCE_S)))
            await watch.happened.wait()
        fleet.balancer.ports = [process.port for process in fleet.processes]
        leaving.terminate()
        calm = {script: tasks.create_task(fleet.call(*script, patience_s=PATIENCE_S)) for script in set(scripts)}
        await leaving.ended(DRAINED_WITHIN_S)

    for script, calling in zip(scripts, calls, strict=True):
        call, undisturbed = calling.result(), calm[script].result()
        assert call.report.reason == undisturbed.report.reason
        memory = await fleet.remembered(call.report.call_sid)
        assert memory == await fleet.remembered(undisturbed.report.call_sid)
        assert once(call.heard()) == undisturbed.heard()


async def test_a_socket_that_breaks_under_a_living_process_is_followed_by_another(fleet: Fleet) -> None:
    watches = {asks: Watch(Moment("the bot speaks", TALK, a(BotSpeaking), 2, then_s=1.1)) for asks in (True, False)}
    async with asyncio.TaskGroup() as tasks:
        calls = [
            tasks.create_task(fleet.call(*TALK, on_event=watch, asks_after_drop=asks))
            for asks, watch in watches.items()
        ]
        for watch in watches.values():
            await watch.happened.wait()
        fleet.balancer.break_all()
        undisturbed = tasks.create_task(fleet.call(*TALK))

    calm = undisturbed.result()
    for call in (calling.result() for calling in calls):
        assert call.report.streams == 2
        assert await fleet.remembered(call.report.call_sid) == await fleet.remembered(calm.report.call_sid)
        assert once(call.heard()) == calm.heard()


@pytest.mark.parametrize("where", ["the same process", "another process"])
async def test_of_two_streams_of_a_call_the_newer_stays(fleet: Fleet, where: str) -> None:
    here, elsewhere, _ = fleet.processes
    call_sid, url = new_sid("CA"), f"{fleet.base_url}/twilio/voice"

    fleet.balancer.ports = [here.port]
    async with raw_stream(url, call_sid) as (older, _):
        newest = here if where == "the same process" else elsewhere
        fleet.balancer.ports = [newest.port]
        async with raw_stream(url, call_sid) as (newer, _):
            await _hear_out(older)
            await newer.recv()
            assert await fleet.serving(call_sid) is newest
    assert older.close_code == 1000


async def _hear_out(socket: ClientConnection) -> None:
    async with asyncio.timeout(REPLACED_WITHIN_S):
        async for _ in socket:
            pass


async def test_a_database_that_is_away_when_the_process_dies_costs_no_call_and_no_record(
    tmp_path: Path, postgres: Postgres
) -> None:
    """What was said before nobody can know then; that there was something is known all the same."""
    speaking = Watch(Moment("the bot speaks", TALK, a(BotSpeaking), 2, then_s=0.5))
    again = Watch(Moment("another stream", TALK, a(StreamOpened), 2))

    def watch(event: Event) -> None:
        speaking(event)
        again(event)

    async with fleet_of(2, tmp_path, postgres.new_database()) as fleet, asyncio.TaskGroup() as tasks:
        first, second = fleet.processes
        fleet.balancer.ports = [first.port]
        calling = tasks.create_task(fleet.call(*TALK, on_event=watch))
        await speaking.happened.wait()
        fleet.balancer.ports = [second.port]
        await asyncio.to_thread(postgres.stop)
        await first.kill()
        await again.happened.wait()
        await asyncio.to_thread(postgres.start)
        call = await calling
        memory = await fleet.remembered(call.report.call_sid)

    assert call.report.reason == "the bot hung up over REST"
    before, after = ["bot_said: Good day to you.", "caller_said: Dogs allowed?"], PARTING.text
    assert memory == [*before, f"bot_said: {RESUMED}", f"caller_said: {after}", "bot_said: Bye bye to you."]


@pytest.mark.parametrize("when", ["at its beginning", "after its process has died"])
async def test_a_call_that_gets_no_stream_ends_in_words(fleet: Fleet, when: str) -> None:
    first, second, _ = fleet.processes
    greeting = Watch(Moment("the greeting", TALK, a(BotSpeaking), then_s=0.3))
    fleet.balancer.ports = [first.port]
    fleet.balancer.refuses_streams = when == "at its beginning"

    async with asyncio.TaskGroup() as tasks:
        calling = tasks.create_task(fleet.call(*TALK, on_event=greeting))
        if not fleet.balancer.refuses_streams:
            await greeting.happened.wait()
            fleet.balancer.refuses_streams, fleet.balancer.ports = True, [second.port]
            await first.kill()
    report = calling.result().report

    assert [spoken.text for spoken in of_kind(report, CarrierSpoke)] == [UNREACHABLE]
    assert (report.reason, report.status) == ("the bot hung up", "completed")
