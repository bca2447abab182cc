"""The load generator against our simulator: the same calls to the same server must give the same times."""

from statistics import median

from rich.console import Console

from telephony.simulator.caller import BargeIn, Say, Wait
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_many
from tests.bench.line import Bench, Cell
from tests.bench.results import Row
from tests.bench.servers import Plan, serving


class Sentence:
    """A voice that has one sentence."""

    def __init__(self, speech: bytes) -> None:
        self._speech = speech

    async def speak(self, text: str) -> bytes:
        return self._speech


async def compare(bench: Bench, plan: Plan, speech: bytes, calls: int, core: int, console: Console) -> list[Row]:
    """Both, one after the other; the simulator hears with an ear, so its times come some milliseconds later."""
    async with serving(plan, core) as server:
        options = CallOptions(
            url=server.door.voice_url,
            auth_token=server.door.auth_token,
            account_sid=server.door.account_sid,
            steps=(Say("a"), Wait(2.0), Say("b"), BargeIn("c", after_s=2.0)),
            follow_feed=False,
        )
        with console.status(f"{server.name}: {calls} calls by the simulator"):
            reports = await place_many(options, calls, voice=Sentence(speech), spread_s=4.0)
    heard_ms = [time_ms for report in reports for time_ms in report.voice_to_voice_ms[1:]]
    silenced_ms = [
        turn.silenced_ms for report in reports for turn in report.turns if turn.barge_in and turn.silenced_ms
    ]
    generator = (await bench.compare([Cell(plan, calls)], 1, ""))[0]
    return [
        {
            "by": "simulator",
            "added p50 ms": median(heard_ms) - plan.endpointing_s * 1000,
            "clear p50 ms": median(silenced_ms) if silenced_ms else "",
        },
        {"by": "load generator", "added p50 ms": generator["added p50 ms"], "clear p50 ms": generator["clear p50 ms"]},
    ]
