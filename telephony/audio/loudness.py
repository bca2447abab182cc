"""The shipped fake of a detector: whatever is loud is speech, so that in tests and load runs a tone can be a caller."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class LoudnessEngine:
    """A `VadEngine` with no model and no memory: 1 for a window whose RMS reaches the threshold, else 0."""

    hangover_ms = 0.0

    def __init__(self, threshold: float = 300.0) -> None:
        """`threshold` is in steps of a 16-bit sample; 300 is -41 dBFS."""
        self._threshold = threshold

    def run(self, streams: Sequence[int], windows: NDArray[np.int16]) -> list[float]:
        """Score one window of each stream; see `VadEngine`."""
        rms = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return [float(loud) for loud in rms >= self._threshold]

    def forget(self, stream: int) -> None:
        """There is nothing to forget."""
