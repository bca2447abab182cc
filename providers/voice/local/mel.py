"""Whisper's ears: 16 kHz samples in, a log-mel spectrogram out.

The recipe (25 ms Hann window, 10 ms hop, Slaney mel scale, log10 clipped 8 decades below the maximum) is that of the
Whisper paper's reference implementation, section 2.2 of https://arxiv.org/abs/2212.04356.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

type Samples = NDArray[np.float32]

SAMPLE_RATE = 16000
FRAMES_PER_SECOND = 100

_WINDOW = 400
_HOP = SAMPLE_RATE // FRAMES_PER_SECOND
_LOG_RANGE = 8.0


def samples_of(pcm: bytes | bytearray) -> Samples:
    """PCM16 little-endian as float32 between -1 and 1; half a sample at the end is dropped."""
    whole = memoryview(pcm)[: len(pcm) // 2 * 2]
    return np.frombuffer(whole, dtype="<i2").astype(np.float32) / np.float32(32768)


def log_mel(samples: Samples, duration_s: float, bands: int = 80) -> Samples:
    """The spectrogram of `samples`, cut or filled with silence to `duration_s`: shape [bands, 100 per second]."""
    length = round(duration_s * FRAMES_PER_SECOND) * _HOP
    audio = np.zeros(length, np.float32)
    audio[: min(length, len(samples))] = samples[:length]
    centred = np.pad(audio, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(centred, _WINDOW)[::_HOP][:-1]
    power = np.abs(np.fft.rfft(frames * _hann(), axis=1)) ** 2
    log_power = np.log10(np.maximum(_filters(bands) @ power.T, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - _LOG_RANGE)
    return np.ascontiguousarray((log_power + 4.0) / 4.0, dtype=np.float32)


@lru_cache(maxsize=1)
def _hann() -> Samples:
    """The periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


@lru_cache(maxsize=2)
def _filters(bands: int) -> Samples:
    """Triangles of equal area, evenly spaced in mel from 0 Hz to the Nyquist frequency: shape [bands, bins]."""
    bins = np.arange(_WINDOW // 2 + 1) * SAMPLE_RATE / _WINDOW
    edges = _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), bands + 2))
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


_LINEAR_STEP = 200.0 / 3  # Hz a mel below 1 kHz; above, 27 mels span a factor of 6.4 (Slaney's Auditory Toolbox)
_LOG_STEP = np.log(6.4) / 27
_CORNER_HZ = 1000.0
_CORNER_MEL = _CORNER_HZ / _LINEAR_STEP


def _mel(hertz: float) -> float:
    if hertz < _CORNER_HZ:
        return hertz / _LINEAR_STEP
    return float(_CORNER_MEL + np.log(hertz / _CORNER_HZ) / _LOG_STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < _CORNER_MEL, mels * _LINEAR_STEP, _CORNER_HZ * np.exp(_LOG_STEP * (mels - _CORNER_MEL)))
