"""Time of the event loop that passes when a test says so."""

import asyncio
from collections.abc import AsyncIterator

import pytest


class LoopTime:
    """The running loop's clock, which can be put forward: by less than 20 s, or the pings of sockets are missed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._real = loop.time
        self._ahead_s = 0.0
        loop.time = self.now  # type: ignore[method-assign]

    def now(self) -> float:
        return self._real() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds

    async def run[T](self, task: asyncio.Task[T]) -> T:
        """Let seconds fly until the task is done."""
        while not task.done():
            self._ahead_s += 0.25
            await asyncio.sleep(0)
        return task.result()


@pytest.fixture
async def clock() -> AsyncIterator[LoopTime]:
    loop = asyncio.get_running_loop()
    time = LoopTime(loop)
    yield time
    del loop.time
