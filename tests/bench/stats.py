"""What many measurements come to: percentiles of one run, medians over several, ratios within one session."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all do not exceed; raises `ValueError` if there are none."""
    if not values:
        raise ValueError("no values have no percentile")
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """The same figure of several runs."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises `ValueError` if there are none."""
        return cls(median(values), min(values), max(values))

    def text(self, digits: int = 1) -> str:
        """`middle (least–most)`, or the middle alone where all runs agree to that precision."""
        middle, least, most = (f"{value:.{digits}f}" for value in (self.middle, self.least, self.most))
        return middle if least == most else f"{middle} ({least}–{most})"
