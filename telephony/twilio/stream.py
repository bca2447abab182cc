"""The protocol of one media stream as a state machine: text in, messages and faults out, no socket.

    unconnected ── connected ──► connected ── start ──► streaming ── stop ──► over

A stream that cannot go on is failed, from any state.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from telephony.twilio.messages import (
    Connected,
    Dtmf,
    FromTwilio,
    MalformedMessage,
    Mark,
    Media,
    MediaFormat,
    Start,
    Stop,
    Unknown,
    decode_from_twilio,
    encode_clear,
    encode_mark,
    encode_media,
)

BYTES_PER_MS = 8  # μ-law at 8000 Hz
GAP_MS = 20  # one frame: what is less is Twilio's clock, whose frames are not exactly 20 ms apart
MAX_GAP_MS = 10_000
_REMEMBERED = 64
"""Numbers of which we know whether they came; one further back means that they are counted anew."""


class State(StrEnum):
    """What a stream waits for, or how it came to its end."""

    UNCONNECTED = "unconnected"
    CONNECTED = "connected"
    STREAMING = "streaming"
    OVER = "over"
    FAILED = "failed"


_STREAMING, _OVER, _FAILED = State.STREAMING, State.OVER, State.FAILED  # quicker than through their class

_NEXT: dict[tuple[State, type[FromTwilio]], State] = {
    (State.UNCONNECTED, Connected): State.CONNECTED,
    (State.CONNECTED, Start): State.STREAMING,
    (State.STREAMING, Media): State.STREAMING,
    (State.STREAMING, Dtmf): State.STREAMING,
    (State.STREAMING, Mark): State.STREAMING,
    (State.STREAMING, Stop): State.OVER,
}
"""What may come when; anything else is refused."""


class FaultKind(StrEnum):
    """What was wrong with a message, as coarse as an operator needs it."""

    BINARY = "binary_frame"
    MALFORMED = "malformed"
    ORDER = "wrong_order"
    STREAM = "wrong_stream"
    TRACK = "wrong_track"
    FORMAT = "unsupported_format"
    SEQUENCE = "out_of_sequence"
    TOO_MANY = "too_many_faults"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something Twilio should not have sent. After a fatal one the socket is to be closed. Safe to log."""

    kind: FaultKind
    detail: str
    is_fatal: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Caller audio that never came, before the media that follows; `MAX_GAP_MS` stands for that much or more."""

    missing_ms: int


type Received = Start | Media | Dtmf | Mark | Stop | Gap | Fault


class MediaStream:
    """One stream from its socket's first message to its last.

    `receive` never raises. A bad message is refused with a fault, and the call goes on without it; the stream fails
    on audio we cannot hear, or after `max_refused` refusals. Messages out of sequence are told as faults and let
    through, only exact repetitions being dropped: 20 ms in the wrong place harm less than a bot gone deaf.
    """

    def __init__(self, max_refused: int = 100) -> None:
        self.state = State.UNCONNECTED
        self.faults: Counter[FaultKind] = Counter()
        self._max_refused = max_refused
        self._refused = 0
        self._stream_sid = ""
        self._sequence = -1  # none has come
        self._missing: set[int] = set()  # those before it that may yet come late
        self._audio_end_ms: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come: the socket can be closed."""
        return self.state is _OVER or self.state is _FAILED

    @property
    def stream_sid(self) -> str:
        """The stream's name, once `start` has told it; raises `RuntimeError` before."""
        if not self._stream_sid:
            raise RuntimeError("the stream has not started")
        return self._stream_sid

    def receive(self, data: str | bytes) -> tuple[Received, ...]:
        """Take one WebSocket message, text as `str`, binary as `bytes`; returns what to handle, in order."""
        if self.state is _FAILED:
            return ()
        if not isinstance(data, str):
            return (self._refuse(FaultKind.BINARY, "binary where Twilio sends text"),)
        try:
            message = decode_from_twilio(data)
        except MalformedMessage as error:
            return (self._refuse(FaultKind.MALFORMED, error.reason),)
        if (
            type(message) is Media
            and message.stream_sid == self._stream_sid
            and message.track == "inbound"
            and self.state is _STREAMING
        ):
            return self._in_sequence(message)  # as nearly all do
        if isinstance(message, Unknown):
            return ()
        state = _NEXT.get((self.state, type(message)))
        if state is None:
            return (self._refuse(FaultKind.ORDER, f"{type(message).__name__.lower()} while {self.state}"),)
        match message:
            case Connected():
                self.state = state
                return ()
            case Start():
                return (self._start(message),)
        if message.stream_sid != self._stream_sid:
            return (self._refuse(FaultKind.STREAM, "a message of another stream"),)
        if isinstance(message, Media) and message.track != "inbound":
            return (self._refuse(FaultKind.TRACK, "audio that is not the caller's"),)
        self.state = state
        return (message,) if isinstance(message, Stop) else self._in_sequence(message)

    def flooded(self) -> Fault:
        """More comes than a call can bring: the stream fails."""
        self.state = State.FAILED
        return self._fault(FaultKind.FLOOD, "messages come faster than any call sends them", is_fatal=True)

    def media(self, payload: bytes) -> str:
        """The text that plays `payload`, bare μ-law, to the caller."""
        return encode_media(self.stream_sid, payload)

    def mark(self, name: str) -> str:
        """The text that asks for an echo when playback gets here."""
        return encode_mark(self.stream_sid, name)

    def clear(self) -> str:
        """The text that drops what has not been played."""
        return encode_clear(self.stream_sid)

    def _start(self, message: Start) -> Start | Fault:
        if message.media_format != MediaFormat():
            self.state = State.FAILED
            return self._fault(FaultKind.FORMAT, "audio other than 8000 Hz mono μ-law", is_fatal=True)
        self.state = State.STREAMING
        self._stream_sid = message.stream_sid
        self._go_on_at(message.sequence)
        return message

    def _in_sequence(self, message: Media | Dtmf | Mark) -> tuple[Received, ...]:
        """Let a message through, after whatever is odd about its place in the stream."""
        missing_ms = self._missing_ms(message) if isinstance(message, Media) else 0
        received = (Gap(missing_ms), message) if missing_ms else (message,)
        step = message.sequence - self._sequence
        if step == 1:
            self._sequence = message.sequence
            return received
        if not -_REMEMBERED < step < 1:
            self._go_on_at(message.sequence)
        elif message.sequence in self._missing:
            self._missing.remove(message.sequence)
        else:
            return (self._fault(FaultKind.SEQUENCE, "a message was repeated"),)
        detail = f"{step - 1} messages are missing" if step > 1 else "a message came late"
        return (self._fault(FaultKind.SEQUENCE, detail), *received)

    def _go_on_at(self, sequence: int) -> None:
        """Count from here; those passed over may come late."""
        oldest = sequence - _REMEMBERED + 1
        skipped = range(max(self._sequence + 1, oldest), sequence)
        self._missing = {number for number in (*self._missing, *skipped) if number >= oldest}
        self._sequence = sequence

    def _missing_ms(self, media: Media) -> int:
        """Silence between the last audio and this, by Twilio's own clock; moves that clock on."""
        start_ms = media.timestamp_ms
        end_ms = start_ms + len(media.payload) // BYTES_PER_MS
        expected_ms = start_ms if self._audio_end_ms is None else self._audio_end_ms
        self._audio_end_ms = end_ms if end_ms > expected_ms else expected_ms
        missing_ms = start_ms - expected_ms
        return 0 if missing_ms < GAP_MS else min(missing_ms, MAX_GAP_MS)

    def _refuse(self, kind: FaultKind, detail: str) -> Fault:
        self._refused += 1
        fault = self._fault(kind, detail)
        if self._refused <= self._max_refused:
            return fault
        self.state = State.FAILED
        return self._fault(FaultKind.TOO_MANY, f"{self._refused} messages refused, the last: {detail}", is_fatal=True)

    def _fault(self, kind: FaultKind, detail: str, *, is_fatal: bool = False) -> Fault:
        self.faults[kind] += 1
        return Fault(kind, detail, is_fatal)
