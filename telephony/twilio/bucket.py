"""How often something may happen: so many times at once, and so many a second from then on."""


class Bucket:
    """Pure: time comes in as `now`, in seconds of a clock that does not go back."""

    def __init__(self, per_s: float, at_once: int) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._level = 0.0
        self._at = 0.0

    def overflows(self, now: float, count: int = 1) -> bool:
        """Count so many more; whether that is too many. What was too many is not counted."""
        level = max(0.0, self._level - (now - self._at) * self._per_s) + count
        if level > self._at_once:
            return True
        self._level, self._at = level, now
        return False
