"""The bucket, in invented time."""

from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio.bucket import Bucket


def test_so_many_at_once_and_so_many_a_second() -> None:
    bucket = Bucket(per_s=2.0, at_once=3)
    assert [bucket.overflows(10.0) for _ in range(5)] == [False, False, False, True, True]
    assert [bucket.overflows(10.5) for _ in range(2)] == [False, True]
    assert [bucket.overflows(100.0) for _ in range(4)] == [False, False, False, True]


def test_many_may_be_counted_together() -> None:
    bucket = Bucket(per_s=2.0, at_once=10)
    assert [bucket.overflows(10.0, 5) for _ in range(3)] == [False, False, True]
    assert [bucket.overflows(12.0, count) for count in (5, 4)] == [True, False]


def test_who_keeps_to_the_rate_never_overflows() -> None:
    bucket = Bucket(per_s=50.0, at_once=2)
    assert not any(bucket.overflows(number / 50) for number in range(1000))


@given(st.lists(st.floats(0.0, 2.0), max_size=200))
def test_never_more_than_the_rate_allows(pauses: list[float]) -> None:
    bucket, now, taken = Bucket(per_s=3.0, at_once=4), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if not bucket.overflows(now):
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= 4 + 3.0 * (taken[last] - taken[first]) + 1e-6
