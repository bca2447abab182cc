"""A circuit breaker: when an engine that fails is left alone, and how it is found out that it works again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from providers.errors import Fault, ProviderException


class State(StrEnum):
    """Whether an engine is asked: as usual, not at all, or once to see whether it is back."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """`failures` in a row open a breaker; then it pauses, twice as long after every probe that fails."""

    failures: int = 3
    first_pause_s: float = 2.0
    longest_pause_s: float = 60.0
    longest_told_s: float = 3600.0
    """The most that an engine may ask us to wait."""
    probe_limit_s: float = 30.0
    """A probe that has not been answered for so long is forgotten."""


_AT_ONCE = (Fault.TIMEOUT, Fault.RATE_LIMIT, Fault.AUTHENTICATION, Fault.QUOTA)
"""Faults that open a breaker at once: they cost a caller their time, or will not be gone with the next request."""


class Breaker:
    """One engine's, in one direction, shared by all calls of the process. Pure: time comes in as `now`.

    An attempt carries the number that `begin` gave it. What comes of one that began before the breaker last changed
    its state says nothing about the present, and is dropped.
    """

    def __init__(self, rules: BreakerRules = BreakerRules()) -> None:
        self._rules = rules
        self.state = State.CLOSED
        self._period = 0  # counts changes of state
        self._failures = 0
        self._pause_s = rules.first_pause_s
        self._due_at = 0.0
        self._told_until = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time to probe; never while another probe is under way."""
        return self.state is not State.CLOSED and now >= self._due_at

    def is_told_to_wait(self, now: float) -> bool:
        """Whether the engine itself has asked to be left alone until later."""
        return self.state is not State.CLOSED and now < self._told_until

    def begin(self) -> int:
        """An attempt begins; its number is handed back with what comes of it."""
        return self._period

    def begin_probe(self, now: float) -> None:
        """One attempt is about to begin that finds out whether the engine is back; see `is_due`."""
        self._enter(State.PROBING, due_at=now + self._rules.probe_limit_s)

    def succeeded(self, attempt: int) -> None:
        """The engine did what was asked."""
        if attempt != self._period:
            return
        self._failures = 0
        if self.state is not State.CLOSED:
            self._pause_s = self._rules.first_pause_s
            self._enter(State.CLOSED)

    def failed(self, attempt: int, now: float, error: Exception) -> None:
        """The engine did not; a `ProviderException` may say how grave that is, and how long to wait."""
        if attempt != self._period:
            return
        grave, told_s = isinstance(error, TimeoutError), 0.0
        if isinstance(error, ProviderException):
            grave = grave or error.fault in _AT_ONCE or error.retry_after_s is not None
            told_s = min(error.retry_after_s or 0.0, self._rules.longest_told_s)
        self._failures += 1
        match self.state:
            case State.CLOSED if not grave and self._failures < self._rules.failures:
                return
            case State.PROBING:
                self._pause_s = min(2 * self._pause_s, self._rules.longest_pause_s)
        self._told_until = now + told_s
        self._enter(State.OPEN, due_at=now + max(self._pause_s, told_s))

    def withdrawn(self, attempt: int, now: float) -> None:
        """The attempt was given up before it came to anything; after a probe another may follow at once."""
        if attempt == self._period and self.state is State.PROBING:
            self._enter(State.OPEN, due_at=now)

    @contextmanager
    def attempt(self, clock: Callable[[], float]) -> Iterator[None]:
        """An attempt as long as this context: left by an error it has failed, cancelled or closed it says nothing."""
        number = self.begin()
        try:
            yield
        except Exception as error:
            self.failed(number, clock(), error)
            raise
        except BaseException:
            self.withdrawn(number, clock())
            raise
        self.succeeded(number)

    def _enter(self, state: State, due_at: float = 0.0) -> None:
        self.state = state
        self._due_at = due_at
        self._period += 1
