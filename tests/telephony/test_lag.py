"""The gauge of the event loop, in invented time: what blocks the loop there is a clock that is moved on."""

import asyncio

from telephony.lag import EVERY_S, REMEMBERED, LoopLag
from telephony.scenarios.clock import InventedTimeLoop


def measured(*blocks_s: float, then_s: float = 0.0) -> LoopLag:
    """What the gauge shows after somebody blocked the loop for so long each, and some undisturbed time."""

    async def run() -> LoopLag:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, InventedTimeLoop)
        lag = LoopLag()
        lag.start()
        for block_s in blocks_s:
            await asyncio.sleep(EVERY_S)
            loop.jump(block_s)
            await asyncio.sleep(0)
        await asyncio.sleep(then_s)
        lag.stop()
        lag.stop()
        return lag

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        return runner.run(run())


def test_a_loop_that_nobody_blocks_is_in_time() -> None:
    lag = measured(then_s=3.0)
    assert (lag.worst_s, lag.typical_s) == (0.0, 0.0)


def test_a_gauge_that_was_never_started_shows_nothing() -> None:
    assert (LoopLag().worst_s, LoopLag().typical_s) == (0.0, 0.0)


def test_one_hiccup_is_the_worst_but_not_typical() -> None:
    lag = measured(0.5, then_s=2.0)
    assert 0.3 < lag.worst_s <= 0.5
    assert lag.typical_s == 0.0


def test_a_loop_that_is_late_all_the_time_is_typically_late() -> None:
    assert measured(*[0.5] * 10).typical_s > 0.3


def test_what_was_long_ago_is_forgotten() -> None:
    assert measured(0.5, then_s=(REMEMBERED + 2) * EVERY_S).worst_s == 0.0
