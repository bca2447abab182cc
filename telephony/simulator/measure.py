"""What can be told of recorded speech by looking at it: level, clipping, spans of speech, gaps."""

import math
from dataclasses import dataclass

import audioop
import numpy as np
from numpy.typing import NDArray

from providers.audio import mulaw

SPEECH_DBFS = -45.0
"""What is louder is speech: some 25 dB below the voice of a telephone call, well above the noise of its line."""

QUIETEST_DBFS = -96.0
_FULL_SCALE = 32768.0
_WINDOW_S = 0.02
_BRIDGED_S = 0.15  # stops inside a word, such as that before a p, belong to the speech around them


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds from the beginning of the track."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """A track in figures. The level is that of the speech alone, `QUIETEST_DBFS` where there is none."""

    duration_s: float
    spans: tuple[Span, ...]
    level_dbfs: float
    peak_dbfs: float
    clipped_samples: int

    @property
    def speech_s(self) -> float:
        return sum(span.duration_s for span in self.spans)

    @property
    def longest_gap_s(self) -> float:
        """The longest silence between two spans of speech."""
        pairs = zip(self.spans, self.spans[1:], strict=False)
        return max((later.start_s - earlier.end_s for earlier, later in pairs), default=0.0)

    def longest_gap_within(self, span: Span) -> float:
        """The longest silence inside `span`, its edges included."""
        edges = [span.start_s]
        for speech in self.spans:
            edges += [min(max(edge, span.start_s), span.end_s) for edge in (speech.start_s, speech.end_s)]
        edges.append(span.end_s)
        return max(max(0.0, later - earlier) for earlier, later in zip(edges[::2], edges[1::2], strict=True))


def measure_mulaw(ulaw: bytes) -> AudioFacts:
    """Measure a track of 8 kHz μ-law."""
    return measure_pcm16(mulaw.decode(ulaw), mulaw.RATE_HZ)


def measure_pcm16(pcm16: bytes, rate_hz: int) -> AudioFacts:
    """Measure a mono track of PCM16 little-endian; a last window shorter than 20 ms counts as far as it goes."""
    samples = np.frombuffer(pcm16, dtype="<i2").astype(np.float64)
    size = round(_WINDOW_S * rate_hz)
    loud = _window_levels(samples, size) > SPEECH_DBFS
    spans = _spans(loud, size / rate_hz, len(samples) / rate_hz)
    spoken = [samples[round(span.start_s * rate_hz) : round(span.end_s * rate_hz)] for span in spans]
    return AudioFacts(
        duration_s=len(samples) / rate_hz,
        spans=spans,
        level_dbfs=_dbfs(_mean_square(np.concatenate(spoken)) if spoken else 0.0),
        peak_dbfs=_dbfs(float(np.max(np.abs(samples), initial=0.0)) ** 2),
        # μ-law has no larger magnitude than 32124, so that is where a track that was clipped stays
        clipped_samples=int(np.count_nonzero(np.abs(samples) >= 32124)),
    )


_ZEROS = b"\xff\x7f"


def level_dbfs(ulaw: bytes) -> float:
    """The level of a piece of μ-law, in dB below full scale; cheap enough for every frame of every call."""
    return _dbfs(float(audioop.rms(mulaw.decode(ulaw), 2) ** 2)) if ulaw else QUIETEST_DBFS


def trimmed(ulaw: bytes) -> bytes:
    """The speech of a piece of μ-law, without the silence before and after it; all of it where nothing is loud."""
    spans = measure_mulaw(ulaw).spans
    if not spans:
        return ulaw
    return ulaw[round(spans[0].start_s * mulaw.RATE_HZ) : round(spans[-1].end_s * mulaw.RATE_HZ)]


def _mean_square(samples: NDArray[np.float64]) -> float:
    return float(np.mean(samples**2))


def _dbfs(mean_square: float) -> float:
    return max(QUIETEST_DBFS, 10 * math.log10(mean_square / _FULL_SCALE**2)) if mean_square else QUIETEST_DBFS


def _window_levels(samples: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    starts = np.arange(0, len(samples), size)
    if not len(starts):
        return np.empty(0)
    sums = np.add.reduceat(samples**2, starts)
    counts = np.diff(np.append(starts, len(samples)))
    return 10 * np.log10(np.maximum(sums / counts, 1e-9) / _FULL_SCALE**2)


def _spans(loud: NDArray[np.bool_], window_s: float, duration_s: float) -> tuple[Span, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(np.int8)))
    spans: list[Span] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        span = Span(float(first) * window_s, min(float(last) * window_s, duration_s))
        if spans and span.start_s - spans[-1].end_s < _BRIDGED_S:
            span = Span(spans.pop().start_s, span.end_s)
        spans.append(span)
    return tuple(spans)
