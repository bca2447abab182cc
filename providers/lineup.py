"""Engines that stand in for one another: which to ask now, and probes, beside the calls, of those that had failed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from providers.breaker import Breaker, State

logger = logging.getLogger(__name__)

PROBE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Choice[E]:
    """One of them, by the name that the settings know it under."""

    engine: E
    name: str
    breaker: Breaker

    def attempt(self) -> AbstractContextManager[None]:
        """Ask it within this context, so that its breaker learns what came of it."""
        return self.breaker.attempt(asyncio.get_running_loop().time)


class Lineup[E]:
    """Engines in the order of preference; belongs to one event loop. `probe` finds out whether one works again.

    A probe is small work beside the calls: no caller waits for an engine that may still be away.
    """

    def __init__(self, choices: Iterable[Choice[E]], probe: Callable[[Choice[E]], Awaitable[None]]) -> None:
        self.choices = tuple(choices)
        self._probe = probe
        self._probes: dict[str, asyncio.Task[None]] = {}

    def ready(self) -> list[Choice[E]]:
        """Those to ask now, in that order, while those that are due are probed.

        If all are failing they are asked in spite of that, but for those that have told us to wait, or are being
        probed by this line-up, for which they cannot do two things at once; it may be none.
        """
        now = asyncio.get_running_loop().time()
        free = [choice for choice in self.choices if choice.name not in self._probes]
        ready = [choice for choice in free if choice.breaker.state is State.CLOSED]
        if not ready:
            return [choice for choice in free if not choice.breaker.is_told_to_wait(now)]
        for choice in free:
            if choice.breaker.is_due(now):
                choice.breaker.begin_probe(now)
                task = asyncio.create_task(self._find_out(choice), name=f"probe {choice.name}")
                self._probes[choice.name] = task
                task.add_done_callback(partial(self._forget, choice.name))
        return ready

    async def aclose(self) -> None:
        """Give up the probes that are under way."""
        probes = list(self._probes.values())
        for task in probes:
            task.cancel()
        if probes:
            await asyncio.wait(probes)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        del self._probes[name]

    async def _find_out(self, choice: Choice[E]) -> None:
        try:
            with choice.attempt():
                async with asyncio.timeout(PROBE_LIMIT_S):
                    await self._probe(choice)
        except Exception as error:
            logger.info("%s is still away: %s", choice.name, str(error) or type(error).__name__)
        else:
            logger.warning("%s is back", choice.name)
