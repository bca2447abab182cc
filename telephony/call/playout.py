"""The ledger of what was sent to the carrier and what the caller has heard of it.

Audio goes out ahead of real time, so that the carrier's queue is the jitter buffer, but never further than a bounded
lead. A mark follows each sentence, and one its first moment; the carrier echoes a mark when playback reaches it. After
`clear` it echoes all that are outstanding, which then stand for audio nobody heard. Pure: audio and time come in,
messages to send and facts come out.
"""

from collections import deque
from dataclasses import dataclass, field

BYTES_PER_S = 8000
"""8 kHz μ-law."""


@dataclass(frozen=True, slots=True)
class SendAudio:
    """`begins` names the sentence, as (turn, sentence), whose first audio this is."""

    payload: bytes
    begins: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SendMark:
    name: str


type Outgoing = SendAudio | SendMark


@dataclass(frozen=True, slots=True)
class Begun:
    """The caller has heard the sentence begin."""

    turn: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller has heard the sentence to its end; `lost_mark` if the carrier never said so and time did."""

    turn: int
    sentence: int
    lost_mark: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Playback was cleared within this sentence, after `fraction` of its audio (0 to 1)."""

    turn: int
    sentence: int
    fraction: float


@dataclass(slots=True)
class _Sentence:
    turn: int
    number: int
    queue: deque[bytes] = field(default_factory=deque)
    size: int = 0  # bytes given so far
    sent: int = 0  # bytes sent so far
    complete: bool = False  # no more audio will be given
    closed: bool = False  # its end mark was sent
    begins_at: float = 0.0  # when playback is expected to reach its first byte
    ends_at: float = 0.0  # when playback is expected to have passed its last byte sent

    def mark(self, part: str) -> str:
        return f"{self.turn}:{self.number}:{part}"


class Playout:
    """One stream's outgoing audio.

    `lead_s`: how far ahead of playback audio is sent; `message_s`: the longest media message; `mark_limit_s`: how
    long after a mark was due its echo is waited for.
    """

    def __init__(self, lead_s: float = 1.0, message_s: float = 0.2, mark_limit_s: float = 2.0) -> None:
        self._lead_s = lead_s
        self._message_bytes = round(message_s * BYTES_PER_S)
        self._mark_limit_s = mark_limit_s
        self._sentences: deque[_Sentence] = deque()  # not yet heard, in order of speech
        self._plays_until = 0.0  # when the carrier's queue runs dry

    @property
    def queued_s(self) -> float:
        """Seconds of audio given but not yet sent."""
        return sum(sentence.size - sentence.sent for sentence in self._sentences) / BYTES_PER_S

    def add(self, turn: int, sentence: int, audio: bytes) -> None:
        """More μ-law audio of a sentence; sentences are spoken in the order in which they first appear."""
        if not self._sentences or (self._sentences[-1].turn, self._sentences[-1].number) != (turn, sentence):
            self._sentences.append(_Sentence(turn, sentence))
        last = self._sentences[-1]
        if audio:
            last.queue.append(audio)
            last.size += len(audio)

    def finish(self, turn: int, sentence: int) -> None:
        """The sentence's audio is complete."""
        self.add(turn, sentence, b"")
        self._sentences[-1].complete = True

    def take(self, now: float) -> list[Outgoing]:
        """What is to be sent by `now`, in order."""
        outgoing: list[Outgoing] = []
        for sentence in self._sentences:
            if sentence.closed:
                continue
            self._take_audio(sentence, now, outgoing)
            if sentence.queue or not sentence.complete:
                break
            sentence.closed = True
            outgoing.append(SendMark(sentence.mark("end")))
        return outgoing

    def _take_audio(self, sentence: _Sentence, now: float, outgoing: list[Outgoing]) -> None:
        while sentence.queue and self._plays_until <= now + self._lead_s:
            payload = self._next_payload(sentence.queue)
            begins_at = max(now, self._plays_until)
            self._plays_until = begins_at + len(payload) / BYTES_PER_S
            first = sentence.sent == 0
            if first:
                sentence.begins_at = begins_at
            sentence.sent += len(payload)
            sentence.ends_at = self._plays_until
            outgoing.append(SendAudio(payload, (sentence.turn, sentence.number) if first else None))
            if first:
                outgoing.append(SendMark(sentence.mark("begin")))

    def _next_payload(self, queue: deque[bytes]) -> bytes:
        """As much as one message may hold; a short chunk is joined with those that follow it."""
        parts: list[bytes] = []
        room = self._message_bytes
        while queue and room:
            chunk = queue.popleft()
            parts.append(chunk[:room])
            if len(chunk) > room:
                queue.appendleft(chunk[room:])
            room -= len(parts[-1])
        return b"".join(parts)

    def echoed(self, name: str) -> list[Begun | Heard]:
        """The carrier has echoed a mark. Echoes of marks that were cleared or never sent say nothing."""
        for index, sentence in enumerate(self._sentences):
            if name == sentence.mark("begin") and sentence.sent:
                return [Begun(sentence.turn, sentence.number)]
            if name == sentence.mark("end") and sentence.closed:
                return [self._heard(lost_mark=n < index) for n in range(index + 1)]
        return []

    def overdue(self, now: float) -> list[Heard]:
        """Sentences whose echo must have been lost: playback should have passed them long ago."""
        lost: list[Heard] = []
        while self._sentences and self._sentences[0].closed and now >= self._sentences[0].ends_at + self._mark_limit_s:
            lost.append(self._heard(lost_mark=True))
        return lost

    def clear(self, now: float) -> Cut | None:
        """Forget everything; tells how far the first sentence not heard to its end had got, None if there is none."""
        if not self._sentences:
            return None
        current = self._sentences[0]
        self._sentences.clear()
        self._plays_until = now
        played = min(current.sent, max(0.0, now - current.begins_at) * BYTES_PER_S) if current.sent else 0.0
        return Cut(current.turn, current.number, played / current.size if current.size else 0.0)

    def wakes_at(self) -> float | None:
        """When `take` or `overdue` has something to do, if nothing is added or echoed before."""
        if not self._sentences:
            return None
        first = self._sentences[0]
        instants = [first.ends_at + self._mark_limit_s] if first.closed else []
        current = next((sentence for sentence in self._sentences if not sentence.closed), None)
        if current is not None and current.queue:
            instants.append(self._plays_until - self._lead_s)
        return min(instants, default=None)

    def _heard(self, *, lost_mark: bool) -> Heard:
        sentence = self._sentences.popleft()
        return Heard(sentence.turn, sentence.number, lost_mark)
