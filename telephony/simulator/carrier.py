"""Twilio's end of one media stream: numbers what it sends, judges what it gets, and plays that in real time.

The rules are those of Twilio's WebSocket message pages. Playback consumes 8000 bytes a second of whatever is queued;
a mark is echoed when playback reaches it, at once if nothing is queued, and with all others on `clear`; a message that
is not exactly right is ignored and warned of, once a stream for each kind. What Twilio leaves undocumented is decided
here: marks come back from a `clear` in the order in which they were sent.
"""

from collections import deque
from dataclasses import dataclass

from telephony.twilio.messages import (
    Clear,
    Connected,
    Dtmf,
    MalformedMessage,
    Mark,
    Media,
    SendMark,
    SendMedia,
    Start,
    Stop,
    decode_to_twilio,
    encode_from_twilio,
)

BYTES_PER_S = 8000
FRAME_BYTES = 160
FRAME_S = 0.02
SILENCE = 0xFF

BINARY_MESSAGE = 31950
MALFORMED_MESSAGE = 31951
BUFFER_FULL = 0  # Twilio documents no limit of its buffer, and so no code

MAX_BUFFERED_BYTES = 600 * BYTES_PER_S
MAX_BUFFERED_ENTRIES = 60_000


@dataclass(frozen=True, slots=True)
class LineWarning:
    """What Twilio's debugger would show: its code, and a text that quotes nothing of the message."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """μ-law that the caller has heard, without a gap, since the instant `began_at`."""

    began_at: float
    audio: bytes


@dataclass(slots=True)
class LineStats:
    """What crossed the line so far. `marks_cleared` are echoes that a `clear` caused: their audio was not heard."""

    frames_sent: int = 0
    media_received: int = 0
    audio_received_bytes: int = 0
    marks_received: int = 0
    marks_echoed: int = 0
    marks_cleared: int = 0
    clears: int = 0
    cleared_bytes: int = 0
    ignored: int = 0


class PlayoutQueue:
    """Audio and marks in the order in which they came, and the playhead that moves through them.

    Every method takes the instant at which it happens and first plays what is due until then; those that can reach
    marks return their names, in order.
    """

    def __init__(self, now: float) -> None:
        self._started_at = now
        self._position = 0  # bytes of line time that have gone by, silence included
        self._taken = 0
        self._entries: deque[bytes | str] = deque()  # audio, or the name of a mark; never a mark at the head
        self._head = 0  # bytes of the first entry that have been played
        self._heard = bytearray()
        self.buffered_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.buffered_bytes >= MAX_BUFFERED_BYTES or len(self._entries) >= MAX_BUFFERED_ENTRIES

    def advance(self, now: float) -> list[str]:
        """Play until `now`; a clock that goes backwards plays nothing."""
        due = int((now - self._started_at) * BYTES_PER_S) - self._position
        reached: list[str] = []
        while self._entries and due > 0:
            due -= self._play(self._entries[0], due)
            while self._entries and isinstance(mark := self._entries[0], str):
                reached.append(mark)
                self._entries.popleft()
        if due > 0:
            self._heard += bytes((SILENCE,)) * due
            self._position += due
        return reached

    def _play(self, entry: bytes | str, due: int) -> int:
        assert isinstance(entry, bytes)  # noqa: S101 - marks leave the head as soon as they reach it
        piece = entry[self._head : self._head + due]
        self._heard += piece
        self._position += len(piece)
        self.buffered_bytes -= len(piece)
        self._head += len(piece)
        if self._head == len(entry):
            self._entries.popleft()
            self._head = 0
        return len(piece)

    def media(self, audio: bytes, now: float) -> list[str]:
        reached = self.advance(now)
        if audio:
            self._entries.append(audio)
            self.buffered_bytes += len(audio)
        return reached

    def mark(self, name: str, now: float) -> list[str]:
        reached = self.advance(now)
        if not self._entries:
            return [*reached, name]
        self._entries.append(name)
        return reached

    def clear(self, now: float) -> tuple[list[str], list[str]]:
        """Drop the audio; returns the marks reached before it, and those that come back because of it."""
        reached = self.advance(now)
        dropped = [entry for entry in self._entries if isinstance(entry, str)]
        self._entries.clear()
        self._head = 0
        self.buffered_bytes = 0
        return reached, dropped

    def take_heard(self) -> Heard:
        """What was played since the last call, gaps filled with silence."""
        heard = Heard(self._started_at + self._taken / BYTES_PER_S, bytes(self._heard))
        self._taken = self._position
        self._heard.clear()
        return heard


class FrameClock:
    """The counters of inbound media: chunks from 1, timestamps in ms.

    Captures of real streams show a first timestamp of 102 to 171 ms, and steps of 19.97 ms on average.
    """

    def __init__(self, first_timestamp_ms: int) -> None:
        self._first_ms = first_timestamp_ms
        self._chunk = 0

    def next(self) -> tuple[int, int]:
        """Chunk and timestamp of the next frame."""
        elapsed_ms = (self._chunk * 1997 + 50) // 100
        self._chunk += 1
        return self._chunk, self._first_ms + elapsed_ms


class Line:
    """One stream, from `connected` to `stop`: sans I/O, text in and text out.

    `start` names the stream, `first_timestamp_ms` is that of the first frame. Nothing that comes in raises.
    """

    def __init__(self, start: Start, now: float, first_timestamp_ms: int = 155) -> None:
        self.start = start
        self.stats = LineStats()
        self._queue = PlayoutQueue(now)
        self._clock = FrameClock(first_timestamp_ms)
        self._sequence = start.sequence
        self._warned: dict[int, LineWarning] = {}
        self._new_warnings: list[LineWarning] = []

    @property
    def buffered_bytes(self) -> int:
        return self._queue.buffered_bytes

    def open(self) -> list[str]:
        """The two messages that every stream begins with."""
        return [encode_from_twilio(Connected()), encode_from_twilio(self.start)]

    def frame(self, audio: bytes) -> str:
        """The next 20 ms of the caller, 160 bytes of μ-law."""
        chunk, timestamp_ms = self._clock.next()
        self.stats.frames_sent += 1
        return encode_from_twilio(Media(self.start.stream_sid, self._next(), chunk, timestamp_ms, audio))

    def press(self, digit: str) -> str:
        return encode_from_twilio(Dtmf(self.start.stream_sid, self._next(), digit))

    def stop(self) -> str:
        start = self.start
        return encode_from_twilio(Stop(start.stream_sid, self._next(), start.call_sid, start.account_sid))

    def tick(self, now: float) -> list[str]:
        """Play until `now`; returns the echoes of the marks that playback reached."""
        return self._echo(self._queue.advance(now))

    def receive(self, message: str | bytes, now: float) -> list[str]:
        """Take one WebSocket message, text or binary, and return what there is to send back."""
        if isinstance(message, bytes):
            return self._ignore(BINARY_MESSAGE, "binary message")
        try:
            order = decode_to_twilio(message)
        except MalformedMessage as error:
            return self._ignore(MALFORMED_MESSAGE, error.reason)
        if order.stream_sid != self.start.stream_sid:
            return self._ignore(MALFORMED_MESSAGE, "streamSid of another stream")
        if self._queue.is_full and not isinstance(order, Clear):
            return self._ignore(BUFFER_FULL, "the simulator's playout buffer is full")
        return self._obey(order, now)

    def _obey(self, order: SendMedia | SendMark | Clear, now: float) -> list[str]:
        match order:
            case SendMedia(payload=audio):
                self.stats.media_received += 1
                self.stats.audio_received_bytes += len(audio)
                return self._echo(self._queue.media(audio, now))
            case SendMark(name=name):
                self.stats.marks_received += 1
                return self._echo(self._queue.mark(name, now))
            case Clear():
                echoes = self.tick(now)
                self.stats.clears += 1
                self.stats.cleared_bytes += self._queue.buffered_bytes
                _, dropped = self._queue.clear(now)
                self.stats.marks_cleared += len(dropped)
                return echoes + self._echo(dropped)

    def take_heard(self) -> Heard:
        return self._queue.take_heard()

    def take_warnings(self) -> list[LineWarning]:
        """The warnings raised since the last call."""
        warnings, self._new_warnings = self._new_warnings, []
        return warnings

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _echo(self, names: list[str]) -> list[str]:
        self.stats.marks_echoed += len(names)
        return [encode_from_twilio(Mark(self.start.stream_sid, self._next(), name)) for name in names]

    def _ignore(self, code: int, text: str) -> list[str]:
        self.stats.ignored += 1
        if code not in self._warned:
            self._warned[code] = LineWarning(code, text)
            self._new_warnings.append(self._warned[code])
        return []
