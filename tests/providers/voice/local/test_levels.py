import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.levels import SILENCE_DBFS, active_level, active_s, frame_levels, quietest_cut
from tests.providers.voice.local.sounds import noise, silence, tone

RATE = 16000


def test_a_full_scale_sine_is_three_db_below_full_scale() -> None:
    assert frame_levels(tone(1000, 0.1, amplitude=1.0), RATE) == pytest.approx(np.full(10, -3.01), abs=0.01)


def test_digital_silence_has_a_level_and_no_speech() -> None:
    levels = frame_levels(silence(0.1), RATE)
    assert set(levels.tolist()) == {SILENCE_DBFS}
    assert (active_s(levels), active_level(levels)) == (0.0, SILENCE_DBFS)


def test_less_than_a_frame_is_nothing() -> None:
    levels = frame_levels(tone(1000, 0.009), RATE)
    assert len(levels) == 0
    assert (active_s(levels), active_level(levels)) == (0.0, SILENCE_DBFS)


@given(st.floats(0.1, 1.0), st.floats(0.0, 1.0), st.integers(-50, -10))
def test_pauses_count_neither_as_time_nor_in_the_level(spoken_s: float, pause_s: float, dbfs: int) -> None:
    levels = frame_levels(np.concatenate([silence(pause_s), noise(spoken_s, dbfs), silence(pause_s)]), RATE)
    assert active_s(levels) == pytest.approx(spoken_s, abs=0.021)
    assert active_level(levels) == pytest.approx(dbfs, abs=1.5)


@pytest.mark.parametrize("pause_at_s", [5.0, 7.5])
def test_a_long_stretch_is_cut_in_the_middle_of_its_pause(pause_at_s: float) -> None:
    speech = noise(10.0, -20)
    start = round(pause_at_s * RATE)
    speech[start : start + RATE // 2] *= 0.01
    cut = quietest_cut(speech, RATE, within_s=8.0)
    assert start <= cut <= start + RATE // 2


def test_a_pause_that_comes_too_early_is_not_looked_for() -> None:
    speech = noise(10.0, -20)
    speech[RATE : 2 * RATE] = 0
    assert quietest_cut(speech, RATE, within_s=3.0) >= 7 * RATE


@given(st.integers(0, 5000), st.floats(0.0, 1.0))
def test_a_cut_is_always_inside(length: int, within_s: float) -> None:
    assert 0 <= quietest_cut(np.ones(length, np.float32), RATE, within_s=within_s) <= length
