"""Time that passes when a test says so, for code that sleeps beside a database that really answers."""

import asyncio

LIMIT_S = 30.0
"""A wait in a test that comes to its end otherwise ends here."""


class Sleeper:
    """Stands in for `asyncio.sleep`."""

    def __init__(self) -> None:
        self._asleep: list[tuple[float, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep.append((seconds, until))
        self._changed.set()
        await until

    async def asleep(self, count: int) -> list[float]:
        """For how long they sleep, as soon as so many do."""
        async with asyncio.timeout(LIMIT_S):
            while len(self._sleeping()) < count:
                self._changed.clear()
                await self._changed.wait()
        return [seconds for seconds, _ in self._sleeping()]

    def wake(self) -> None:
        """Everybody's time has come."""
        for _, until in self._sleeping():
            until.set_result(None)
        self._asleep.clear()

    def _sleeping(self) -> list[tuple[float, asyncio.Future[None]]]:
        return [each for each in self._asleep if not each[1].done()]
