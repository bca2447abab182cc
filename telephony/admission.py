"""Whether one more call is taken: rules over what the process and the fleet carry, and how often somebody calls."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum

REMEMBERED = 10_000
"""Callers whose recent calls are counted; beyond them those who called longest ago are forgotten."""


class Refusal(StrEnum):
    """Why a call is not taken, in words for the log."""

    NOT_READY = "the engines are not ready"
    LEAVING = "this process is ending"
    PROCESS_FULL = "MAX_CALLS are live in this process"
    FLEET_FULL = "MAX_FLEET_CALLS are live in all processes together"
    LAGGING = "the event loop is later than MAX_LAG_MS"
    MEMORY = "the process holds more than MAX_MEMORY_MB"
    CALLER_RATE = "the caller rings more often than MAX_CALLS_PER_CALLER_PER_MINUTE"
    RATE = "more calls come in than MAX_CALLS_PER_MINUTE"

    @property
    def is_leaving(self) -> bool:
        """Whether another process should be asked, in a moment."""
        return self is Refusal.LEAVING

    @property
    def is_abuse(self) -> bool:
        """Whether another process would refuse the call too, so that waiting or going elsewhere is no help."""
        return self in (Refusal.CALLER_RATE, Refusal.RATE)


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit."""

    calls: int | None = None
    fleet_calls: int | None = None
    lag_s: float | None = None
    memory_mb: int | None = None
    calls_per_minute: int | None = None
    calls_per_caller_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What is carried now. `fleet_calls` is None while nobody knows."""

    calls: int
    fleet_calls: int | None
    lag_s: float
    memory_mb: int


class Admission:
    """Pure: time comes in as `now`, in seconds. Only calls that are taken count against the rates."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: deque[float] = deque()
        self._by_caller: OrderedDict[str, deque[float]] = OrderedDict()

    def refusal(self, load: Load, caller: str, now: float) -> Refusal | None:
        """Why this call is not taken; None if it is, and then it is counted."""
        limits = self._limits
        reached = (
            (Refusal.RATE, _in_a_minute(self._all, now), limits.calls_per_minute),
            (Refusal.CALLER_RATE, self._calls_of(caller, now), limits.calls_per_caller_per_minute),
            (Refusal.PROCESS_FULL, load.calls, limits.calls),
            (Refusal.FLEET_FULL, load.fleet_calls or 0, limits.fleet_calls),
        )
        for refusal, figure, limit in reached:
            if limit is not None and figure >= limit:
                return refusal
        if limits.lag_s is not None and load.lag_s > limits.lag_s:
            return Refusal.LAGGING
        if limits.memory_mb is not None and load.memory_mb > limits.memory_mb:
            return Refusal.MEMORY
        self._count(caller, now)
        return None

    def _calls_of(self, caller: str, now: float) -> int:
        times = self._by_caller.get(caller)
        return 0 if times is None else _in_a_minute(times, now)

    def _count(self, caller: str, now: float) -> None:
        if self._limits.calls_per_minute is not None:
            self._all.append(now)
        if caller and self._limits.calls_per_caller_per_minute is not None:
            self._by_caller.setdefault(caller, deque()).append(now)
            self._by_caller.move_to_end(caller)
            if len(self._by_caller) > REMEMBERED:
                self._by_caller.popitem(last=False)


def _in_a_minute(times: deque[float], now: float) -> int:
    """How many of these instants lie in the last minute; older ones are forgotten."""
    while times and times[0] <= now - 60:
        times.popleft()
    return len(times)
