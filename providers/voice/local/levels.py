"""How loud audio is, frame by frame, and what follows from it: where speech is, and where a long stretch may be cut.

Levels are dBFS: 0 is the RMS of a full-scale square wave, and digital silence is held at -120.
"""

import numpy as np
from numpy.typing import NDArray

FRAME_MS = 10
SILENCE_DBFS = -120.0

_ACTIVE_RANGE_DB = 30.0  # syllables of one sentence lie this close together, the room between them below


def frame_levels(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """The level of every whole 10 ms frame, in dBFS."""
    step = rate * FRAME_MS // 1000
    frames = samples[: len(samples) // step * step].reshape(-1, step).astype(np.float64)
    return _dbfs(np.mean(frames**2, axis=1))


def active_frames(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The frames within 30 dB of the loudest one: speech, and in noise the noise too."""
    return levels > levels.max(initial=SILENCE_DBFS) - _ACTIVE_RANGE_DB


def active_level(levels: NDArray[np.float64]) -> float:
    """The RMS level of the active frames alone: how loud somebody speaks, pauses left out."""
    active = levels[active_frames(levels) & (levels > SILENCE_DBFS)]
    return float(_dbfs(np.mean(10 ** (active / 10)))) if len(active) else SILENCE_DBFS


def active_s(levels: NDArray[np.float64]) -> float:
    """How long somebody may have been speaking at most, in seconds."""
    return int(np.count_nonzero(active_frames(levels) & (levels > SILENCE_DBFS))) * FRAME_MS / 1000


def quietest_cut(samples: NDArray[np.float32], rate: int, *, within_s: float, pause_ms: int = 200) -> int:
    """The sample in the middle of the quietest `pause_ms` of the last `within_s` seconds."""
    step = rate * FRAME_MS // 1000
    start = max(0, len(samples) - round(within_s * rate))
    power = 10 ** (frame_levels(samples[start:], rate) / 10)
    width = max(1, min(pause_ms // FRAME_MS, len(power)))
    if len(power) < width:
        return len(samples)
    loudness = np.convolve(power, np.ones(width), mode="valid")
    return start + (int(loudness.argmin()) + width // 2) * step


def _dbfs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10))))
