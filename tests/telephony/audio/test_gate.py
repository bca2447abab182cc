import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from telephony.audio.gate import SILENT_RMS, RestGate, loudness
from tests.providers.audio.signals import tone

REST = 100.0


def settled(rms: float = REST, windows: int = 100) -> RestGate:
    """A gate that has heard a line at rest for a while."""
    gate = RestGate()
    for _ in range(windows):
        gate.learn(rms, 0.0)
    return gate


def test_a_line_is_heard_until_it_is_known() -> None:
    gate = RestGate(sure_windows=3)
    for _ in range(3):
        assert not gate.is_at_rest(0.0)
        gate.learn(0.0, 0.1)
    assert gate.is_at_rest(0.0)


def test_what_is_as_loud_as_the_line_at_rest_is_passed_over() -> None:
    gate = settled()
    assert [gate.is_at_rest(rms) for rms in (0.6 * REST, 0.7 * REST, REST, 1.5 * REST, 1.7 * REST)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_after_a_voice_the_detector_is_asked_until_it_is_sure() -> None:
    gate = settled()
    gate.learn(1000.0, 0.9)
    for _ in range(8):
        assert not gate.is_at_rest(REST)
        gate.learn(REST, 0.1)
    assert gate.is_at_rest(REST)


def test_a_voice_teaches_nothing_about_the_line() -> None:
    gate = settled()
    for _ in range(1000):
        gate.learn(3000.0, 0.9)
    for _ in range(8):
        gate.learn(REST, 0.1)
    assert gate.is_at_rest(REST)


def test_noise_that_comes_and_stays_is_learnt() -> None:
    gate = settled()
    for _ in range(40):  # 1.3 s
        gate.learn(10 * REST, 0.1)
    assert gate.is_at_rest(10 * REST)
    assert not gate.is_at_rest(REST)  # the noise has stopped: somebody may have closed a window, or begun to whisper


def test_one_click_changes_nothing() -> None:
    gate = settled()
    gate.learn(3 * REST, 0.1)
    assert gate.is_at_rest(REST)


@given(st.lists(st.tuples(st.floats(0, 32768), st.floats(0, 1))))
def test_silence_is_passed_over_whatever_was_heard_before(heard: list[tuple[float, float]]) -> None:
    gate = RestGate()
    for rms, probability in heard:
        gate.learn(rms, probability)
    for _ in range(8):
        gate.learn(0.0, 0.0)
    assert gate.is_at_rest(SILENT_RMS)


@given(st.lists(st.floats(0, 32768), min_size=1))
def test_a_window_louder_than_all_that_was_ever_heard_is_never_passed_over(heard: list[float]) -> None:
    gate = RestGate()
    for rms in heard:
        gate.learn(rms, 0.0)
    assert not gate.is_at_rest(1.6 * max(*heard, SILENT_RMS))


@pytest.mark.parametrize("level", [100, 1000, 10000])
def test_loudness_is_the_rms(level: int) -> None:
    ulaw = mulaw.encode(tone(400, 8000, 0.032, level))
    assert loudness(ulaw) == pytest.approx(level / math.sqrt(2), rel=0.03)
    assert loudness(mulaw.SILENCE * 256) == 0
    samples = np.frombuffer(mulaw.decode(ulaw), "<i2").astype(float)
    assert loudness(ulaw) == pytest.approx(np.sqrt(np.mean(samples**2)), abs=1)
