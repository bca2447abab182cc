"""How late the event loop is: the one figure that tells whether callers are served in time."""

import asyncio
from collections import deque

EVERY_S = 0.1
REMEMBERED = 50
"""Measurements the figures are taken from: the last five seconds."""


class LoopLag:
    """Measures by a timer that notes how late it was called; costs some microseconds every tenth of a second."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=REMEMBERED)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def worst_s(self) -> float:
        """The longest the loop kept anything waiting lately."""
        return max(self._late_s, default=0.0)

    @property
    def typical_s(self) -> float:
        """The median of late: what a single hiccup does not change."""
        return sorted(self._late_s)[len(self._late_s) // 2] if self._late_s else 0.0

    def start(self) -> None:
        """Begin to measure, on the running loop."""
        self._arm(asyncio.get_running_loop())

    def stop(self) -> None:
        """Measure no more; safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due_at = loop.time() + EVERY_S
        self._timer = loop.call_at(due_at, self._measure, loop, due_at)

    def _measure(self, loop: asyncio.AbstractEventLoop, due_at: float) -> None:
        self._late_s.append(max(0.0, loop.time() - due_at))
        self._arm(loop)
