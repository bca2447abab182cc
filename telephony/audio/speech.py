"""When the caller speaks: the probability of speech, window by window, made into edges in the time of the audio."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak at `at_s` seconds of audio, some windows before this was sure."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller fell silent at `at_s` seconds of audio; it took `min_silence_ms` of silence to be sure."""

    at_s: float


type SpeechEdge = SpeechStarted | SpeechStopped


class SpeechDetector:
    """A trigger with two thresholds and two patiences, over windows of `window_ms` that follow without a gap.

    A window is voiced from `start_threshold` up, and after a voiced one from `stop_threshold` up. Speech starts with
    the first of `min_speech_ms` of voiced windows; a shorter sound is a cough. It stops with the last window before
    `min_silence_ms` of unvoiced ones; a shorter gap is a breath. Patiences are rounded up to whole windows. The end is
    dated `hangover_ms` earlier, for engines go on calling it speech a while.
    """

    def __init__(
        self,
        *,
        window_ms: float = 32.0,
        start_threshold: float = 0.5,
        stop_threshold: float = 0.35,
        min_speech_ms: float = 96.0,
        min_silence_ms: float = 200.0,
        hangover_ms: float = 0.0,
    ) -> None:
        if not 0.0 < stop_threshold <= start_threshold <= 1.0:
            raise ValueError("thresholds must keep 0 < stop_threshold <= start_threshold <= 1")
        if window_ms <= 0 or min(min_speech_ms, min_silence_ms, hangover_ms) < 0:
            raise ValueError("window_ms must be positive and the other durations not negative")
        self._window_s = window_ms / 1000
        self._start_threshold = start_threshold
        self._stop_threshold = stop_threshold
        self._speech_windows = math.ceil(min_speech_ms / window_ms)
        self._silence_windows = math.ceil(min_silence_ms / window_ms)
        self._hangover_s = hangover_ms / 1000
        self._windows = 0  # heard so far
        self._voiced = False
        self._changed_at = 0  # the window that was the first to be voiced, or not
        self._speaking = False
        self._edge_s = 0.0

    @property
    def speaking(self) -> bool:
        """Whether the last edge was a start."""
        return self._speaking

    @property
    def heard_s(self) -> float:
        """How much audio the windows so far cover."""
        return self._windows * self._window_s

    def feed(self, probability: float) -> SpeechEdge | None:
        """The next window's probability of speech, 0 to 1, and the edge that it makes sure of, if any."""
        voiced = probability >= (self._stop_threshold if self._voiced else self._start_threshold)
        if voiced != self._voiced:
            self._voiced, self._changed_at = voiced, self._windows
        self._windows += 1
        patience = self._speech_windows if voiced else self._silence_windows
        if voiced == self._speaking or self._windows - self._changed_at < patience:
            return None
        self._speaking = voiced
        changed_s = self._changed_at * self._window_s
        self._edge_s = changed_s if voiced else max(self._edge_s, changed_s - self._hangover_s)
        return SpeechStarted(self._edge_s) if voiced else SpeechStopped(self._edge_s)
