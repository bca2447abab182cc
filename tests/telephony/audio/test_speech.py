from itertools import pairwise
from typing import TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio.speech import SpeechDetector, SpeechEdge, SpeechStarted, SpeechStopped


class Options(TypedDict, total=False):
    window_ms: float
    start_threshold: float
    stop_threshold: float
    min_speech_ms: float
    min_silence_ms: float
    hangover_ms: float


probabilities = st.lists(st.floats(0, 1), max_size=200)
# Runs of one value, as speech has them: independent windows would hardly ever outlast a patience.
runs = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), st.integers(1, 20)), max_size=30).map(
    lambda pairs: [value for value, length in pairs for _ in range(length)]
)
options = st.builds(
    Options,
    window_ms=st.sampled_from([10.0, 32.0]),
    min_speech_ms=st.floats(0, 300),
    min_silence_ms=st.floats(0, 500),
    hangover_ms=st.floats(0, 200),
)


def edges(windows: list[float], **kwargs: Unpack[Options]) -> list[SpeechEdge]:
    detector = SpeechDetector(**kwargs)
    return [edge for window in windows if (edge := detector.feed(window)) is not None]


def test_speech_is_dated_from_where_it_was() -> None:
    windows = [0.1] * 10 + [0.9] * 20 + [0.1] * 20
    started, stopped = edges(windows, window_ms=10, min_speech_ms=30, min_silence_ms=50, hangover_ms=0)
    assert isinstance(started, SpeechStarted)
    assert started.at_s == pytest.approx(0.1)
    assert isinstance(stopped, SpeechStopped)
    assert stopped.at_s == pytest.approx(0.3)


def test_edges_come_as_soon_as_they_are_sure() -> None:
    detector = SpeechDetector(window_ms=32, min_speech_ms=96, min_silence_ms=200)
    assert [detector.feed(1.0) for _ in range(3)] == [None, None, SpeechStarted(0.0)]
    assert detector.speaking
    assert [detector.feed(0.0) for _ in range(6)] == [None] * 6
    assert isinstance(detector.feed(0.0), SpeechStopped)
    assert not detector.speaking
    assert detector.heard_s == pytest.approx(10 * 0.032)


def test_the_hangover_is_taken_off_the_end() -> None:
    windows = [1.0] * 20 + [0.0] * 20
    assert edges(windows, window_ms=10, hangover_ms=50)[1].at_s == pytest.approx(0.15)
    assert edges(windows, window_ms=10, hangover_ms=5000)[1] == SpeechStopped(0.0)


def test_a_cough_is_not_speech() -> None:
    assert edges([0.0, 1.0, 1.0, 0.0] * 20, window_ms=32, min_speech_ms=96) == []


def test_a_breath_does_not_end_speech() -> None:
    assert edges([1.0] * 5 + [0.0, 0.0, 0.0, 1.0] * 20, window_ms=32, min_silence_ms=128) == [SpeechStarted(0.0)]


def test_doubtful_windows_follow_the_last_clear_one() -> None:
    doubtful = [0.4] * 20
    assert edges(doubtful, start_threshold=0.5, stop_threshold=0.35) == []
    assert edges([1.0, *doubtful], start_threshold=0.5, stop_threshold=0.35) == [SpeechStarted(0.0)]
    assert len(edges([1.0] * 5 + [0.0] + doubtful, start_threshold=0.5, stop_threshold=0.35)) == 2


@given(probabilities | runs, options)
def test_edges_alternate_and_time_goes_on(windows: list[float], chosen: Options) -> None:
    detector = SpeechDetector(**chosen)
    found: list[SpeechEdge] = []
    for window in windows:
        edge = detector.feed(window)
        if edge is not None:
            found.append(edge)
            assert 0 <= edge.at_s <= detector.heard_s
            assert detector.speaking == isinstance(edge, SpeechStarted)
    assert detector.heard_s == pytest.approx(len(windows) * chosen["window_ms"] / 1000)
    assert all(isinstance(edge, SpeechStarted if index % 2 == 0 else SpeechStopped) for index, edge in enumerate(found))
    assert all(before.at_s <= after.at_s for before, after in pairwise(found))


@given(runs, options)
def test_patience_is_kept(windows: list[float], chosen: Options) -> None:
    chosen["hangover_ms"] = 0
    for before, after in pairwise(edges(windows, **chosen)):
        patience_ms = chosen["min_speech_ms" if isinstance(before, SpeechStarted) else "min_silence_ms"]
        assert (after.at_s - before.at_s) * 1000 >= patience_ms - 1e-6


@given(st.lists(st.floats(0, 0.49), max_size=100))
def test_nothing_under_the_start_threshold_is_speech(windows: list[float]) -> None:
    assert edges(windows) == []


@pytest.mark.parametrize(
    "bad",
    [
        Options(start_threshold=0.3, stop_threshold=0.4),
        Options(stop_threshold=0.0),
        Options(start_threshold=1.1),
        Options(window_ms=0),
        Options(min_speech_ms=-1),
        Options(min_silence_ms=-1),
        Options(hangover_ms=-1),
    ],
)
def test_settings_that_cannot_work(bad: Options) -> None:
    with pytest.raises(ValueError, match=r"threshold|duration"):
        SpeechDetector(**bad)
