"""Several calls at once: each is served to its end, whatever happens in the others."""

import asyncio

from telephony.simulator.caller import Say
from tests.wire.conftest import Open
from tests.wire.lines import BRISK, INTERRUPT, PARTING, PRICE
from tests.wire.office import GOODBYE, GREETING, assert_in_order, reported
from tests.wire.raw import babbles, sends_garbage, vanishes

CALLS = 4


async def test_calls_do_not_disturb_one_another(open_office: Open) -> None:
    async with open_office(VOICE_PROVIDER=BRISK, SCRIPTED_TRANSCRIPTS=f"{INTERRUPT}|{PARTING}") as office:
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(office.call(Say(INTERRUPT), Say(PARTING))) for _ in range(CALLS)]
            garbage = tasks.create_task(sends_garbage(office))
            tasks.create_task(vanishes(office))
            tasks.create_task(babbles(office))
        after = await office.call()

    assert garbage.result() == 1000
    for call in calls:
        report = call.result()
        assert reported(report, "caller_said") == [INTERRUPT, PARTING]
        assert reported(report, "bot_said") == [GREETING, PRICE, GOODBYE]
        assert report.reason == "the bot hung up over REST"
        assert_in_order(report)
    assert reported(after, "bot_said") == [GREETING]
    assert_in_order(after)
