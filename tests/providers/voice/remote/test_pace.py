from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.remote.pace import Pace


def test_what_was_saved_up_goes_at_once_and_what_is_spoken_now_with_it() -> None:
    pace = Pace(lead_s=0.9)
    assert pace.wait_s(0.5, now=100.0) == 0
    assert [pace.wait_s(0.02, now=100.0 + 0.02 * frame) for frame in range(1, 500)] == [0.0] * 499


def test_a_backlog_waits_for_its_time() -> None:
    pace = Pace(lead_s=0.9)
    assert pace.wait_s(1.0, now=100.0) == pytest.approx(0.1)
    assert pace.wait_s(1.0, now=100.1) == pytest.approx(1.0)


def test_silence_saves_up_no_more_than_the_lead() -> None:
    pace = Pace(lead_s=0.9)
    pace.wait_s(1.0, now=100.0)
    assert pace.wait_s(2.0, now=500.0) == pytest.approx(1.1)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), max_size=50), st.floats(0.5, 20))
def test_at_no_moment_more_has_been_sent_than_the_lead_and_what_time_allows(
    chunks: Sequence[tuple[float, float]], rate: float
) -> None:
    pace = Pace(lead_s=0.9, rate=rate)
    now, sent_s, began_at = 50.0, 0.0, 50.0
    for audio_s, gap_s in chunks:
        now += gap_s
        now += pace.wait_s(audio_s, now)
        sent_s += audio_s
        assert sent_s <= 0.9 + rate * (now - began_at) + 1e-6
