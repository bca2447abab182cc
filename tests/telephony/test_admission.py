"""Which calls are taken."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.admission import REMEMBERED, Admission, Limits, Load, Refusal

IDLE = Load(calls=0, fleet_calls=0, lag_s=0.0, memory_mb=100)
CALLER = "+15005550006"


def test_without_limits_every_call_is_taken() -> None:
    admission = Admission(Limits())
    busy = Load(calls=10_000, fleet_calls=100_000, lag_s=5.0, memory_mb=64_000)
    assert [admission.refusal(busy, CALLER, 0.0) for _ in range(1000)] == [None] * 1000


@pytest.mark.parametrize(
    ("limits", "load", "refusal"),
    [
        (Limits(calls=2), replace(IDLE, calls=2), Refusal.PROCESS_FULL),
        (Limits(fleet_calls=2), replace(IDLE, fleet_calls=2), Refusal.FLEET_FULL),
        (Limits(lag_s=0.1), replace(IDLE, lag_s=0.2), Refusal.LAGGING),
        (Limits(memory_mb=512), replace(IDLE, memory_mb=600), Refusal.MEMORY),
    ],
)
def test_a_limit_that_is_reached_refuses(limits: Limits, load: Load, refusal: Refusal) -> None:
    admission = Admission(limits)
    assert admission.refusal(IDLE, CALLER, 0.0) is None
    assert admission.refusal(load, CALLER, 0.0) is refusal
    assert not refusal.is_abuse


def test_while_nobody_knows_the_fleet_only_the_process_counts() -> None:
    admission = Admission(Limits(calls=5, fleet_calls=1))
    assert admission.refusal(replace(IDLE, fleet_calls=None), CALLER, 0.0) is None


def test_one_caller_who_rings_all_the_time_is_refused_and_others_are_not() -> None:
    admission = Admission(Limits(calls_per_caller_per_minute=2))
    answers = [admission.refusal(IDLE, CALLER, now) for now in (0.0, 1.0, 2.0, 60.5)]
    assert answers == [None, None, Refusal.CALLER_RATE, None]
    assert Refusal.CALLER_RATE.is_abuse
    assert admission.refusal(IDLE, "+15005550007", 2.0) is None


def test_a_caller_without_a_number_is_counted_with_all_and_not_alone() -> None:
    admission = Admission(Limits(calls_per_caller_per_minute=1, calls_per_minute=3))
    assert [admission.refusal(IDLE, "", 0.0) for _ in range(4)] == [None, None, None, Refusal.RATE]


def test_a_refused_call_does_not_count() -> None:
    admission = Admission(Limits(calls=1, calls_per_minute=1))
    assert admission.refusal(replace(IDLE, calls=1), CALLER, 0.0) is Refusal.PROCESS_FULL
    assert admission.refusal(IDLE, CALLER, 0.0) is None


def test_the_callers_remembered_are_bounded() -> None:
    admission = Admission(Limits(calls_per_caller_per_minute=1))
    for number in range(REMEMBERED + 1):
        assert admission.refusal(IDLE, f"+1{number}", 0.0) is None
    assert admission.refusal(IDLE, f"+1{REMEMBERED}", 0.0) is Refusal.CALLER_RATE
    assert admission.refusal(IDLE, "+10", 0.0) is None


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.floats(0, 30), st.sampled_from(["", "+1", "+2"])), max_size=60),
)
def test_no_minute_has_more_calls_than_the_limits_allow(most: int, waits: list[tuple[float, str]]) -> None:
    admission = Admission(Limits(calls_per_minute=2 * most, calls_per_caller_per_minute=most))
    now, taken = 0.0, list[tuple[float, str]]()
    for wait, caller in waits:
        now += wait
        if admission.refusal(IDLE, caller, now) is None:
            taken.append((now, caller))
    for start, _ in taken:
        minute = [caller for at, caller in taken if start <= at < start + 60]
        assert len(minute) <= 2 * most
        assert all(minute.count(caller) <= most for caller in ("+1", "+2"))
