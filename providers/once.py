"""Work that several may ask for and that is done once."""

import asyncio
from collections.abc import Callable, Coroutine


class Once:
    """Begun by whoever asks first, shared by all who ask while it goes on, and done again only if it failed."""

    def __init__(self, work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
        self._work = work
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> "asyncio.Task[None]":
        """The work, under way or done."""
        task = self._task
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._task = asyncio.create_task(self._work(), name=self._name)
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting for it
        return task

    async def done(self) -> None:
        """Wait until it is done; raises what it raises. Cancelling leaves it going on."""
        await asyncio.shield(self.begin())

    async def give_up(self) -> None:
        """Cancel it, or forget that it was done; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
