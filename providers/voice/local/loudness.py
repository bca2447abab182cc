"""What a synthesiser gives, made fit for a telephone: silence trimmed at both ends, one level, no clipping."""

import numpy as np
from numpy.typing import NDArray

from providers.voice.local.levels import FRAME_MS, active_level, frame_levels

TARGET_DBFS = -21.5  # of active speech; telephone speech is nominally about -20 dBm0 (ITU-T P.56, G.711)

_PEAK = 0.9  # room for what resampling to 8 kHz adds
_MOST_GAIN_DB = 24.0
_ROOM_DB = 40.0  # a frame this far below the speech level is not speech any more
_LEAD_MS = 10
_FADE_MS = 5


def shaped(samples: NDArray[np.float32], rate: int, *, tail_ms: int) -> bytes:
    """PCM16 of one spoken piece: at most 10 ms before it, `tail_ms` after it, at `TARGET_DBFS` while it speaks."""
    levels = frame_levels(samples, rate)
    level = active_level(levels)
    speech = np.flatnonzero(levels > max(level - _ROOM_DB, -80.0))
    if not len(speech):
        return b""
    step = rate * FRAME_MS // 1000
    start = max(0, int(speech[0]) - _LEAD_MS // FRAME_MS) * step
    end = (int(speech[-1]) + 1) * step
    spoken = samples[start:end] * _gain(level, float(np.abs(samples[start:end]).max()))
    ramp = np.linspace(0.0, 1.0, rate * _FADE_MS // 1000, dtype=np.float32)
    spoken[: len(ramp)] *= ramp[: len(spoken)]
    spoken[-len(ramp) :] *= ramp[::-1][-len(spoken) :]
    tail = np.zeros(rate * tail_ms // 1000, np.float32)
    pcm = np.rint(np.concatenate([spoken, tail]) * 32767).astype("<i2")
    return bytes(pcm.tobytes())


def _gain(level: float, peak: float) -> float:
    """The factor that brings speech at `level` to the target, held back where its peak would not fit."""
    wanted = 10 ** (min(TARGET_DBFS - level, _MOST_GAIN_DB) / 20)
    return float(min(wanted, _PEAK / peak))
