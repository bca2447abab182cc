"""The keys a caller presses, put together into one entry."""

from telephony.call.rules import CallRules


class Keypad:
    """Collects keys until the terminator, the wanted number of them, or a pause. Pure: time comes in as `now`."""

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._keys = ""
        self._pressed_at = 0.0
        self._forget_wishes()

    @property
    def is_open(self) -> bool:
        """Whether an entry has been begun."""
        return bool(self._keys)

    def want(self, length: int | None, terminator: str) -> None:
        """The next entry was asked for, and is complete with so many keys, or with the terminator."""
        self.is_wanted = True
        self._length, self._terminator = length, terminator

    def restore(self, keys: str, wanted: tuple[int | None, str] | None, now: float) -> None:
        """Go on with an entry that was begun elsewhere."""
        if wanted is not None:
            self.want(*wanted)
        self._keys, self._pressed_at = keys, now

    def press(self, key: str, now: float) -> str | None:
        """One key; the entry it completes, if it does, without the terminator."""
        if key == self._terminator:
            return self.take()
        self._keys += key
        self._pressed_at = now
        return self.take() if len(self._keys) == self._length else None

    def take(self) -> str:
        """The entry so far, which ends it; the next is complete as the rules say."""
        keys, self._keys = self._keys, ""
        self._forget_wishes()
        return keys

    def _forget_wishes(self) -> None:
        self.is_wanted = False
        self._length, self._terminator = self._rules.key_length, self._rules.key_terminator

    def deadline(self) -> float | None:
        """When the pause ends the entry."""
        return self._pressed_at + self._rules.key_pause_s if self._keys else None
