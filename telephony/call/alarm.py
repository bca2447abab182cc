"""A timer that goes off at an instant, never before it: whoever is woken early finds nothing due, and spins."""

import asyncio
import math
from collections.abc import Callable

_TICKS_PER_S = 1000
"""A tick is what the event loop's clock and its timers tell apart; uvloop rounds to the nearest."""


class Alarm:
    """Calls `ring` on the event loop, once each time it is set; belongs to whoever made it, who also puts it out."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._at: float | None = None

    def set(self, at: float | None) -> None:
        """Go off at this instant of the loop's clock, or at none; what it was set to before is forgotten.

        An instant that has passed is as good as now, but `ring` is not called from here.
        """
        if self._timer is not None:
            if self._at == at:
                return
            self._timer.cancel()
        # What uvloop gives for an instant that has passed cannot tell it, so that is kept beside.
        self._at = at
        if at is None:
            self._timer = None
        else:
            tick = math.ceil(at * _TICKS_PER_S) / _TICKS_PER_S
            self._timer = asyncio.get_running_loop().call_at(tick, self._go_off)

    def close(self) -> None:
        """Never go off again, and forget who would have been rung."""
        self.set(None)
        self._ring = lambda: None

    def _go_off(self) -> None:
        self._timer = None
        self._ring()
