"""Breakers in invented time: table by table, and by properties over any sequence of outcomes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.breaker import Breaker, BreakerRules, State
from providers.errors import Fault, ProviderException

RULES = BreakerRules()
BROKEN = ProviderException(fault=Fault.UNAVAILABLE)
SLOW = ProviderException(fault=Fault.TIMEOUT)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    breaker.failed(breaker.begin(), now, SLOW)
    return breaker


def state(breaker: Breaker) -> State:
    return breaker.state


def probe(breaker: Breaker, now: float) -> int:
    assert breaker.is_due(now)
    breaker.begin_probe(now)
    return breaker.begin()


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for outcome in (False, False, True, False, False):
        assert state(breaker) is State.CLOSED
        if outcome:
            breaker.succeeded(breaker.begin())
        else:
            breaker.failed(breaker.begin(), 0.0, BROKEN)
    assert state(breaker) is State.CLOSED
    breaker.failed(breaker.begin(), 0.0, RuntimeError())
    assert state(breaker) is State.OPEN


@pytest.mark.parametrize(
    "error",
    [
        SLOW,
        TimeoutError(),
        ProviderException(fault=Fault.QUOTA),
        ProviderException(fault=Fault.AUTHENTICATION),
        ProviderException(fault=Fault.RATE_LIMIT),
        ProviderException(fault=Fault.UNAVAILABLE, retry_after_s=1.0),
    ],
)
def test_what_costs_callers_time_or_will_not_pass_opens_it_at_once(error: Exception) -> None:
    breaker = Breaker()
    breaker.failed(breaker.begin(), 0.0, error)
    assert state(breaker) is State.OPEN


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = opened()
    assert not breaker.is_due(RULES.first_pause_s - 0.01)
    attempt = probe(breaker, RULES.first_pause_s)
    assert not breaker.is_due(RULES.first_pause_s)
    breaker.succeeded(attempt)
    assert state(breaker) is State.CLOSED


def test_pauses_grow_to_a_bound_and_begin_anew_after_a_success() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for pause in (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        assert not breaker.is_due(now + pause - 0.01)
        now += pause
        pauses.append(pause)
        breaker.failed(probe(breaker, now), now, BROKEN)
    breaker.succeeded(probe(breaker, now + 60.0))
    breaker.failed(breaker.begin(), now, SLOW)
    assert breaker.is_due(now + RULES.first_pause_s)


def test_an_engine_that_says_when_to_come_back_is_obeyed_within_reason() -> None:
    breaker = Breaker()
    breaker.failed(breaker.begin(), 10.0, ProviderException(fault=Fault.RATE_LIMIT, retry_after_s=20.0))
    assert breaker.is_told_to_wait(29.9)
    assert not breaker.is_due(29.9)
    assert not breaker.is_told_to_wait(30.0)
    assert breaker.is_due(30.0)
    breaker.failed(probe(breaker, 30.0), 30.0, ProviderException(fault=Fault.RATE_LIMIT, retry_after_s=1e9))
    assert breaker.is_due(30.0 + RULES.longest_told_s)


def test_a_probe_that_was_given_up_makes_room_for_another() -> None:
    breaker = opened()
    breaker.withdrawn(probe(breaker, 5.0), 5.5)
    assert breaker.is_due(5.5)


def test_a_probe_that_nobody_ends_does_not_shut_the_engine_out_for_ever() -> None:
    breaker = opened()
    lost = probe(breaker, 5.0)
    assert breaker.is_due(5.0 + RULES.probe_limit_s)
    current = probe(breaker, 5.0 + RULES.probe_limit_s)
    breaker.succeeded(lost)
    assert state(breaker) is State.PROBING
    breaker.succeeded(current)
    assert state(breaker) is State.CLOSED


def test_what_began_in_better_days_says_nothing() -> None:
    breaker = Breaker()
    old = [breaker.begin(), breaker.begin()]
    breaker.failed(breaker.begin(), 0.0, SLOW)
    breaker.succeeded(old[0])
    assert state(breaker) is State.OPEN
    attempt = probe(breaker, 2.0)
    breaker.failed(old[1], 2.0, BROKEN)
    assert state(breaker) is State.PROBING
    breaker.succeeded(attempt)
    assert state(breaker) is State.CLOSED


def test_asked_in_need_it_may_prove_that_it_is_back() -> None:
    breaker = opened()
    breaker.succeeded(breaker.begin())
    assert state(breaker) is State.CLOSED


@pytest.mark.parametrize(
    ("error", "then"), [(None, State.CLOSED), (SLOW, State.OPEN), (KeyboardInterrupt(), State.CLOSED)]
)
def test_an_attempt_ends_with_its_context(error: BaseException | None, then: State) -> None:
    breaker = Breaker()
    with suppress(Exception, KeyboardInterrupt), breaker.attempt(lambda: 0.0):
        if error is not None:
            raise error
    assert state(breaker) is then


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["succeeded", "slow", "broken", "told", "withdrawn", "stale"]),
        st.floats(0, 100, allow_nan=False),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_it_is_due_again_within_bounds_and_probes_come_one_at_a_time(
    steps: list[tuple[str, float]],
) -> None:
    breaker, now = Breaker(), 0.0
    errors = {"slow": SLOW, "broken": BROKEN, "told": ProviderException(retry_after_s=90.0)}
    for outcome, passed_s in steps:
        now += passed_s
        if breaker.is_due(now):
            breaker.begin_probe(now)
            assert not breaker.is_due(now)
        attempt = breaker.begin()
        match outcome:
            case "succeeded":
                breaker.succeeded(attempt)
                assert state(breaker) is State.CLOSED
            case "withdrawn":
                breaker.withdrawn(attempt, now)
            case "stale":
                before = state(breaker)
                breaker.succeeded(attempt - 1)
                breaker.failed(attempt - 1, now, SLOW)
                assert state(breaker) is before
            case _:
                breaker.failed(attempt, now, errors[outcome])
        assert (state(breaker) is State.CLOSED) == (not breaker.is_due(now + RULES.longest_told_s))
        if breaker.is_told_to_wait(now):
            assert not breaker.is_due(now)
