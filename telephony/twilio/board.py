"""The call board: what this process knows of each call's fate, for when Twilio asks what comes after the stream."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """How far a call has come."""

    EXPECTED = "expected"
    STREAMING = "streaming"
    TRANSFERRING = "transferring"
    RETURNING = "returning"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class HangUp:
    """The talk came to its end; so does the call."""


@dataclass(frozen=True, slots=True)
class Dial:
    """The bot has promised to put the caller through."""

    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The caller could not be put through, and may come back to the bot; `reason` says why, as a sentence has it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody meant the stream to end: it broke, or another process knows of it."""


type AfterStream = HangUp | Dial | Lost
type AfterDial = HangUp | Reconnect | Lost

_UNANSWERED = {
    "no-answer": "nobody answered",
    "busy": "the line was busy",
    "failed": "the number could not be reached",
    "canceled": "the call to it was given up",
}
"""What a `DialCallStatus` says of a call that nobody took."""


@dataclass(frozen=True, slots=True)
class _Entry:
    fate: Fate
    number: str
    expires_at: float


class CallBoard:
    """Calls by CallSid, the last statement about each counting.

    Holds at most `capacity` calls, those touched longest ago being forgotten first, and none for longer than
    `lifetime_s` after it was last touched: longer than any call. `now` is monotonic, in seconds.
    """

    def __init__(self, capacity: int = 10_000, lifetime_s: float = 86_400) -> None:
        self._capacity = capacity
        self._lifetime_s = lifetime_s
        self._entries: dict[str, _Entry] = {}

    def expected(self, call_sid: str, now: float) -> None:
        """The webhook was answered: a stream should follow."""
        self._post(call_sid, Fate.EXPECTED, now)

    def streaming(self, call_sid: str, now: float) -> None:
        """The stream has started."""
        self._post(call_sid, Fate.STREAMING, now)

    def transferring(self, call_sid: str, number: str, now: float) -> None:
        """The bot is about to end the stream in order to put the caller through."""
        self._post(call_sid, Fate.TRANSFERRING, now, number)

    def returning(self, call_sid: str, now: float) -> None:
        """A transfer has failed and the caller was sent back to the bot: another stream should follow."""
        self._post(call_sid, Fate.RETURNING, now)

    def ended(self, call_sid: str, now: float) -> None:
        """The talk was ended on purpose, or the caller has gone."""
        self._post(call_sid, Fate.ENDED, now)

    def fate(self, call_sid: str, now: float) -> Fate | None:
        """What is known of a call, if anything is."""
        self._forget(now)
        entry = self._entries.get(call_sid)
        return entry.fate if entry else None

    def after_stream(self, call_sid: str, now: float) -> AfterStream:
        """What Twilio should do with a call whose stream is over; the same answer however often it asks."""
        match self.fate(call_sid, now):
            case Fate.ENDED:
                return HangUp()
            case Fate.TRANSFERRING:
                return Dial(self._entries[call_sid].number)
            case _:
                return Lost()

    def after_dial(self, call_sid: str, dial_status: str, now: float) -> AfterDial:
        """What Twilio should do with a call whose transfer is over; `Lost` if nobody took it and nobody here made it.

        The same answer however often it asks, until the caller's next stream has started.
        """
        reason = _UNANSWERED.get(dial_status)
        if reason is None:
            return HangUp()
        back = self.fate(call_sid, now) in (Fate.TRANSFERRING, Fate.RETURNING)
        return Reconnect(reason) if back else Lost()

    def _post(self, call_sid: str, fate: Fate, now: float, number: str = "") -> None:
        self._forget(now)
        self._entries.pop(call_sid, None)  # so that the order of the entries is the order in which they expire
        self._entries[call_sid] = _Entry(fate, number, now + self._lifetime_s)
        if len(self._entries) > self._capacity:
            del self._entries[next(iter(self._entries))]

    def _forget(self, now: float) -> None:
        while self._entries and self._entries[oldest := next(iter(self._entries))].expires_at <= now:
            del self._entries[oldest]
