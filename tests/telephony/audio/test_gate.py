import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from telephony.audio.gate import REMINDER_WINDOWS, REMINDERS, SILENT_RMS, VOUCHED_WINDOWS, Gate, loudness
from tests.providers.audio.signals import tone

REST = 100.0


def settled(rms: float = REST, windows: int = 100) -> Gate:
    """A gate that has heard a line at rest for a while."""
    gate = Gate()
    for _ in range(windows):
        gate.learn(rms, 0.0)
    return gate


def test_a_line_is_heard_until_it_is_known() -> None:
    gate = Gate(sure_windows=3)
    for _ in range(3):
        assert gate.judge(0.0) is None
        gate.learn(0.0, 0.1)
    assert gate.judge(0.0) == 0


def test_what_is_as_loud_as_the_line_at_rest_is_passed_over() -> None:
    gate = settled()
    judged = [gate.judge(rms) for rms in (0.6 * REST, 0.7 * REST, REST, 1.5 * REST, 1.7 * REST)]
    assert judged == [None, 0.0, 0.0, 0.0, None]


def test_after_a_voice_the_detector_is_asked_until_it_is_sure() -> None:
    gate = settled()
    gate.learn(1000.0, 0.9)
    for _ in range(8):
        assert gate.judge(REST) is None
        gate.learn(REST, 0.1)
    assert gate.judge(REST) == 0


def test_a_voice_teaches_nothing_about_the_line() -> None:
    gate = settled()
    for _ in range(1000):
        gate.learn(3000.0, 0.9)
    for _ in range(8):
        gate.learn(REST, 0.1)
    assert gate.judge(REST) == 0


def test_noise_that_comes_and_stays_is_learnt() -> None:
    gate = settled()
    for _ in range(40):  # 1.3 s
        gate.learn(10 * REST, 0.1)
    assert gate.judge(10 * REST) == 0
    assert gate.judge(REST) is None  # the noise has stopped: somebody may have closed a window, or begun to whisper


def test_one_click_changes_nothing() -> None:
    gate = settled()
    gate.learn(3 * REST, 0.1)
    assert gate.judge(REST) == 0


def test_a_voice_that_is_noticed_late_does_not_pass_for_noise() -> None:
    gate = settled()
    for _ in range(6):
        gate.learn(40 * REST, 0.1)
    assert gate.judge(1.5 * REST) == 0


def talking(gate: Gate, rms: float = 20 * REST, windows: int = 50) -> Gate:
    """The gate, on a line with a voice on it."""
    for _ in range(windows):
        gate.learn(rms, 0.9)
    return gate


def test_where_there_are_words_what_is_loud_is_the_voice_and_a_pause_is_as_the_line_at_rest() -> None:
    gate = talking(settled())
    assert [gate.judge(20 * REST), gate.judge(REST)] == [None, None]
    gate.vouch()
    assert [gate.judge(20 * REST), gate.judge(2 * REST), gate.judge(1.5 * REST), gate.judge(0.0)] == [1, 1, 0, 0]


def test_the_detector_is_to_hear_a_part_of_the_voice_and_the_beginning_of_the_pause() -> None:
    gate = Gate()
    assert not any(gate.reminds(0.0) for _ in range(20))
    voice = [gate.reminds(1.0) for _ in range(3 * REMINDER_WINDOWS)]
    assert [number for number, reminds in enumerate(voice, start=1) if reminds] == [4, 8, 12]
    assert [gate.reminds(0.0) for _ in range(20)] == [True] * REMINDERS + [False] * (20 - REMINDERS)


def test_words_vouch_for_a_while() -> None:
    gate = talking(settled())
    gate.vouch()
    for _ in range(VOUCHED_WINDOWS):
        assert gate.judge(20 * REST) == 1
        gate.learn(20 * REST, 1.0)
    assert gate.judge(20 * REST) is None


def test_words_that_come_when_the_voice_is_long_over_vouch_for_nothing() -> None:
    gate = talking(settled())
    for _ in range(8):
        gate.learn(REST, 0.0)
    gate.vouch()
    assert gate.judge(20 * REST) is None  # a door


@pytest.mark.parametrize(("voice", "vouched"), [(13.0, None), (15.0, 1.0)])
def test_words_vouch_only_for_a_voice_well_above_the_noise(voice: float, vouched: float | None) -> None:
    gate = talking(settled(), voice * REST)
    gate.vouch()
    assert gate.judge(voice * REST) == vouched


def test_words_do_not_vouch_on_a_line_whose_noise_swells() -> None:
    gate = Gate()
    for number in range(300):
        gate.learn(REST * (1 + 0.8 * math.sin(number / 17)), 0.1)
    talking(gate, 40 * REST).vouch()
    assert gate.judge(40 * REST) is None


@given(st.lists(st.tuples(st.floats(0, 32768), st.floats(0, 1))))
def test_silence_is_passed_over_whatever_was_heard_before(heard: list[tuple[float, float]]) -> None:
    gate = Gate()
    for rms, probability in heard:
        gate.learn(rms, probability)
    for _ in range(8):
        gate.learn(0.0, 0.0)
    assert gate.judge(SILENT_RMS) == 0


@given(st.lists(st.floats(0, 32768), min_size=1))
def test_a_window_louder_than_all_that_was_ever_heard_is_never_passed_over(heard: list[float]) -> None:
    gate = Gate()
    for rms in heard:
        gate.learn(rms, 0.0)
    assert gate.judge(1.6 * max(*heard, SILENT_RMS)) is None


@pytest.mark.parametrize("level", [100, 1000, 10000])
def test_loudness_is_the_rms(level: int) -> None:
    ulaw = mulaw.encode(tone(400, 8000, 0.032, level))
    assert loudness(ulaw) == pytest.approx(level / math.sqrt(2), rel=0.03)
    assert loudness(mulaw.SILENCE * 256) == 0
    samples = np.frombuffer(mulaw.decode(ulaw), "<i2").astype(float)
    assert loudness(ulaw) == pytest.approx(np.sqrt(np.mean(samples**2)), abs=1)
