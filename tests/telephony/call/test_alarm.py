"""The alarm on a loop whose clock and timers know whole milliseconds only, as uvloop's do."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call.alarm import Alarm


class Loop:
    """Time stands still until `run_until`; a timer is rounded to the nearest millisecond."""

    def __init__(self) -> None:
        self.ms = 0
        self.made = 0
        self._timers: list[tuple[int, Callable[[], Any], Timer]] = []

    def time(self) -> float:
        return self.ms / 1000

    def call_at(self, when: float, callback: Callable[[], Any]) -> "Timer":
        self.made += 1
        timer = Timer()
        self._timers.append((max(self.ms, self.ms + round((when - self.time()) * 1000)), callback, timer))
        return timer

    def run_until(self, ms: int) -> None:
        while due := sorted((timer for timer in self._timers if timer[0] <= ms), key=lambda timer: timer[0]):
            self._timers.remove(due[0])
            self.ms, callback, timer = due[0]
            if not timer.is_cancelled:
                callback()
        self.ms = ms


class Timer:
    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


@given(at=st.floats(0.0, 100.0))
def test_it_goes_off_once_within_a_tick_and_never_before(at: float) -> None:
    loop, rung = Loop(), list[float]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", lambda: loop)
        Alarm(lambda: rung.append(loop.time())).set(at)
    loop.run_until(200_000)

    (rung_at,) = rung
    assert at <= rung_at + 1e-9 < at + 0.002


def test_set_to_another_instant_it_forgets_the_first(loop: Loop) -> None:
    rung: list[float] = []
    alarm = Alarm(lambda: rung.append(loop.time()))
    alarm.set(1.0)
    alarm.set(2.0)
    loop.run_until(3000)
    assert rung == [2.0]

    alarm.set(4.0)
    alarm.set(None)
    loop.run_until(5000)
    assert rung == [2.0]


def test_set_to_the_same_instant_again_it_keeps_its_timer(loop: Loop) -> None:
    rung: list[float] = []
    alarm = Alarm(lambda: rung.append(loop.time()))
    for _ in range(3):
        alarm.set(1.0)
    assert loop.made == 1

    loop.run_until(1500)
    alarm.set(1.0)  # gone off, and set anew: as good as now
    loop.run_until(1500)
    assert rung == [1.0, 1.5]
