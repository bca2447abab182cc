"""Sounds to try the engine with, as float32 between -1 and 1."""

import numpy as np
from numpy.typing import NDArray

type Wave = NDArray[np.float32]


def tone(hertz: float, seconds: float, rate: int = 16000, amplitude: float = 0.1) -> Wave:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def keys(*pairs: tuple[int, int], rate: int = 16000) -> Wave:
    """DTMF: each pair of tones for 0.12 s, 0.1 s apart, with room around."""
    parts = [silence(0.4, rate)]
    for low, high in pairs:
        parts += [tone(low, 0.12, rate) + tone(high, 0.12, rate), silence(0.1, rate)]
    return np.concatenate([*parts, silence(0.4, rate)])


def silence(seconds: float, rate: int = 16000) -> Wave:
    return np.zeros(round(seconds * rate), np.float32)


def noise(seconds: float, dbfs: float, *, pink: bool = False, rate: int = 16000, seed: int = 0) -> Wave:
    """Noise in the telephone band, white or falling by 3 dB an octave, at an RMS level."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(round(seconds * rate)))
    hertz = np.fft.rfftfreq(round(seconds * rate), 1 / rate)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    if pink:
        spectrum /= np.sqrt(np.maximum(hertz, 300))
    wave = np.fft.irfft(spectrum, round(seconds * rate))
    return (wave / wave.std() * 10 ** (dbfs / 20)).astype(np.float32)


def pcm(wave: Wave) -> bytes:
    return bytes(np.rint(np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes())


def wave_of(audio: bytes) -> Wave:
    return np.frombuffer(audio, "<i2").astype(np.float32) / np.float32(32768)
