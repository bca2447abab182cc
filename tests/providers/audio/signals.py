"""Test signals as PCM16, and how loud they are."""

import numpy as np
from numpy.typing import NDArray

RATES = (8000, 16000, 22050, 24000, 44100, 48000)
PAIRS = [(source, target) for source in RATES for target in RATES if source != target]


def pcm16(samples: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 0.2, amplitude: float = 20000.0) -> bytes:
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    return pcm16(amplitude * np.sin(2 * np.pi * frequency_hz * times + 0.3))


def noise(size: int, rms: float = 3000.0, seed: int = 1) -> bytes:
    return pcm16(np.random.default_rng(seed).normal(0, rms, size))


def decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-9)))


def rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
