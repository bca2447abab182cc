"""Invented time: hours in no time, threads still served, and no waiting for ever."""

import asyncio

import pytest

from telephony.scenarios.clock import InventedTimeLoop


def test_hours_pass_at_once_and_in_order() -> None:
    async def main() -> list[tuple[str, float]]:
        clock, done = asyncio.get_running_loop().time, list[tuple[str, float]]()

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            done.append((name, clock()))

        await asyncio.gather(sleeper("late", 7200), sleeper("soon", 0.5))
        return done

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        assert runner.run(main()) == [("soon", 0.5), ("late", 7200.0)]


def test_what_is_ready_is_served_before_time_moves_on() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.call_soon_threadsafe(woken.set)
        await woken.wait()
        return loop.time()

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        assert runner.run(main()) == 0.0


def test_waiting_for_nothing_is_an_error() -> None:
    loop = InventedTimeLoop()
    waiting = loop.create_task(asyncio.Event().wait())
    with pytest.raises(RuntimeError, match="never happen"):
        loop.run_until_complete(waiting)
    waiting.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
