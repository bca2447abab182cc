import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.levels import active_level, frame_levels
from providers.voice.local.loudness import TARGET_DBFS, shaped
from tests.providers.voice.local.sounds import noise, silence, tone, wave_of

RATE = 24000


def piece(lead_s: float, spoken_s: float, tail_s: float, dbfs: float) -> bytes:
    samples = np.concatenate([silence(lead_s, RATE), noise(spoken_s, dbfs, rate=RATE), silence(tail_s, RATE)])
    return shaped(samples, RATE, tail_ms=100)


@given(st.floats(0.2, 1.0), st.integers(-45, -6))
def test_speech_comes_out_at_one_level_and_not_clipped(spoken_s: float, dbfs: int) -> None:
    wave = wave_of(piece(0.3, spoken_s, 0.3, dbfs))
    assert active_level(frame_levels(wave, RATE)) == pytest.approx(TARGET_DBFS, abs=1.0)
    assert np.abs(wave).max() <= 0.91


@given(st.floats(0.0, 0.8), st.floats(0.2, 0.6), st.floats(0.0, 0.8))
def test_silence_is_trimmed_to_a_short_lead_and_the_tail_that_was_asked_for(
    lead_s: float, spoken_s: float, tail_s: float
) -> None:
    wave = wave_of(piece(lead_s, spoken_s, tail_s, -25))
    loud = np.flatnonzero(np.abs(wave) > 0.01) / RATE
    assert loud[0] <= 0.021
    assert len(wave) / RATE - loud[-1] == pytest.approx(0.1, abs=0.021)


def test_pauses_inside_stay() -> None:
    word = noise(0.3, -25, rate=RATE)
    samples = np.concatenate([word, silence(0.25, RATE), word])
    assert len(shaped(samples, RATE, tail_ms=0)) / 2 == pytest.approx(len(samples), abs=RATE * 0.02)


def test_peaks_hold_the_gain_back() -> None:
    samples = 0.001 * noise(1.0, -20, rate=RATE)
    samples[RATE // 2] = 0.5
    wave = wave_of(shaped(samples, RATE, tail_ms=0))
    assert np.abs(wave).max() == pytest.approx(0.9, abs=0.001)


def test_it_begins_and_ends_without_a_click() -> None:
    wave = wave_of(shaped(tone(200, 0.5, RATE), RATE, tail_ms=0))
    assert abs(wave[0]) < 0.001
    assert abs(wave[-1]) < 0.001


@pytest.mark.parametrize("samples", [silence(0.0), silence(0.5), noise(0.5, -110)], ids=["none", "silence", "hiss"])
def test_silence_gives_nothing(samples: np.typing.NDArray[np.float32]) -> None:
    assert shaped(samples, RATE, tail_ms=100) == b""


def test_a_single_frame_can_be_shaped() -> None:
    assert shaped(tone(1000, 0.01, RATE), RATE, tail_ms=0) != b""
