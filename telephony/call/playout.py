"""The ledger of what was sent to the carrier and what the caller has heard of it.

Audio goes out ahead of real time, so that the carrier's queue is the jitter buffer, but never further than a bounded
lead. Marks follow each sentence's first moment, every few seconds of it, and its end; the carrier echoes a mark when
playback reaches it. A `clear` brings back all that are outstanding, which then stand for audio nobody heard: marks
carry the number of clears before them, so that those echoes say nothing. Pure: audio and time come in, messages to
send and facts come out.
"""

import math
from collections import deque
from dataclasses import dataclass, field

BYTES_PER_S = 8000
"""8 kHz μ-law."""

FIRST_BYTES = 160
"""The first message of a sentence is short, so that the mark behind it tells when the caller began to hear it."""

ECHO_S = 0.5
"""How long after playback reached a mark its echo may be on the way; later it has been lost."""


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
    """Playback ended within this sentence, after `heard_s` of its audio, which is `fraction` of it (0 to 1).

    Where all of it had been heard, `heard_s` is infinite.
    """

    turn: int
    sentence: int
    fraction: float
    heard_s: float


@dataclass(slots=True)
class _Sentence:
    turn: int
    number: int
    audio: bytearray = field(default_factory=bytearray)
    sent: int = 0  # bytes of it that are with the carrier
    heard: int = 0  # bytes of it that the caller has heard for sure
    begun: bool = False
    complete: bool = False  # no more audio will be given
    closed: bool = False  # its end mark was sent
    origin_at: float = 0.0  # when playback passes, or would have passed, its first byte
    marks: deque[tuple[str, int]] = field(default_factory=deque)  # outstanding: name and position in bytes

    @property
    def ends_at(self) -> float:
        """When playback passes the last byte sent."""
        return self.origin_at + self.sent / BYTES_PER_S

    def played(self, now: float) -> int:
        """Bytes the caller has heard: by the clock, but no less than marks prove and no more than they deny.

        A mark denies that it was reached while its echo may still be on the way; after that it is lost.
        """
        if self.sent == self.heard:
            return self.heard
        by_clock = int((now - self.origin_at) * BYTES_PER_S)
        least_denied = by_clock - round(ECHO_S * BYTES_PER_S)
        most = next((position for _, position in self.marks if position > max(self.heard, least_denied)), self.sent)
        return max(self.heard, min(most, by_clock))


class Playout:
    """One stream's outgoing audio.

    `lead_s`: how far ahead of playback audio is sent; `message_s`: the longest media message; `reserve_s`: how much the
    carrier has at least before a message is sent that is not full, while the engine may give more; `mark_s`: the
    longest stretch of a sentence without a mark; `mark_limit_s`: how long after a mark was due its echo is waited for;
    `repeat_s`: how much of what was heard is said again after a pause, for the caller to find their place.
    """

    def __init__(
        self,
        lead_s: float = 1.0,
        message_s: float = 0.4,
        reserve_s: float = 0.2,
        mark_s: float = 2.0,
        mark_limit_s: float = 2.0,
        repeat_s: float = 0.3,
    ) -> None:
        self._lead_s = lead_s
        self._message_bytes = round(message_s * BYTES_PER_S)
        self._reserve_s = reserve_s
        self._mark_bytes = round(mark_s * BYTES_PER_S)
        self._mark_limit_s = mark_limit_s
        self._repeat_bytes = round(repeat_s * BYTES_PER_S)
        self._sentences: deque[_Sentence] = deque()  # not yet heard, in order of speech
        self._plays_until = 0.0  # when the carrier's queue runs dry
        self._clears = 0
        self._held = False

    @property
    def is_held(self) -> bool:
        """Whether playback was held and has neither been resumed nor dropped."""
        return self._held

    @property
    def queued_s(self) -> float:
        """Seconds of audio given but not yet sent."""
        queued = 0
        for sentence in self._sentences:
            queued += len(sentence.audio) - sentence.sent
        return queued / BYTES_PER_S

    def ahead_s(self, now: float) -> float:
        """Seconds of audio given that the caller has still to hear."""
        return max(0.0, self._plays_until - now) + self.queued_s

    def add(self, turn: int, sentence: int, audio: bytes) -> None:
        """More μ-law audio of a sentence; sentences are spoken in the order in which they first appear."""
        if not self._sentences or (self._sentences[-1].turn, self._sentences[-1].number) != (turn, sentence):
            self._sentences.append(_Sentence(turn, sentence))
        self._sentences[-1].audio += audio

    def finish(self, turn: int, sentence: int) -> None:
        """The sentence's audio is complete."""
        self.add(turn, sentence, b"")
        self._sentences[-1].complete = True

    def take(self, now: float) -> list[Outgoing]:
        """What is to be sent by `now`, in order; nothing while playback is held."""
        outgoing: list[Outgoing] = []
        if self._held:
            return outgoing
        for sentence in self._sentences:
            if sentence.closed:
                continue
            self._take_audio(sentence, now, outgoing)
            if sentence.sent < len(sentence.audio) or not sentence.complete:
                break
            sentence.closed = True
            outgoing.append(self._mark(sentence, "end"))
        return outgoing

    def _take_audio(self, sentence: _Sentence, now: float, outgoing: list[Outgoing]) -> None:
        while sentence.sent < len(sentence.audio) and self._due_at(sentence) <= now:
            first = sentence.sent == 0
            next_mark = (sentence.sent // self._mark_bytes + 1) * self._mark_bytes
            end = FIRST_BYTES if first else min(sentence.sent + self._message_bytes, next_mark)
            payload = bytes(sentence.audio[sentence.sent : end])
            plays_at = max(now, self._plays_until)
            sentence.origin_at = plays_at - sentence.sent / BYTES_PER_S
            sentence.sent += len(payload)
            self._plays_until = plays_at + len(payload) / BYTES_PER_S
            outgoing.append(SendAudio(payload, (sentence.turn, sentence.number) if first else None))
            if first:
                outgoing.append(self._mark(sentence, "begin"))
            elif sentence.sent == next_mark:
                outgoing.append(self._mark(sentence, str(next_mark)))

    def _due_at(self, sentence: _Sentence) -> float:
        """When more of it is to be sent; a piece of a message only so that the carrier's queue does not run dry."""
        rest = len(sentence.audio) - sentence.sent
        is_piece = sentence.sent > 0 and rest < self._message_bytes and not sentence.complete
        return self._plays_until - (self._reserve_s if is_piece else self._lead_s)

    def _mark(self, sentence: _Sentence, part: str) -> SendMark:
        name = f"{sentence.turn}:{sentence.number}:{part}:{self._clears}"
        sentence.marks.append((name, sentence.sent))
        return SendMark(name)

    def echoed(self, name: str, now: float) -> list[Begun | Heard]:
        """The carrier has echoed a mark. Echoes of marks that were cleared or never sent say nothing."""
        for index, sentence in enumerate(self._sentences):
            position = next((at for mark, at in sentence.marks if mark == name), None)
            if position is None:
                continue
            facts: list[Begun | Heard] = [self._pop(lost_mark=True) for _ in range(index)]
            if sentence.closed and sentence.marks[-1][0] == name:
                return [*facts, self._pop()]
            while sentence.marks.popleft()[0] != name:
                pass  # an echo proves those before it
            if not sentence.begun:
                sentence.begun = True
                facts.append(Begun(sentence.turn, sentence.number))
            sentence.heard = position
            origin_at = now - position / BYTES_PER_S
            self._plays_until += origin_at - sentence.origin_at  # what follows is late by as much
            sentence.origin_at = origin_at
            return facts
        return []

    def overdue(self, now: float) -> list[Heard]:
        """Sentences whose echo must have been lost: playback should have passed them long ago."""
        return self._passed(now, self._mark_limit_s)

    def hold(self, now: float) -> list[Heard]:
        """Playback is cleared, but what was not heard is kept: `resume` goes on there, `drop` forgets it.

        Tells what had been played to its end, though the carrier has not said so.
        """
        passed = self._passed(now, ECHO_S)
        for index, sentence in enumerate(self._sentences):
            sentence.heard = sentence.played(now) if index == 0 else 0
            sentence.sent = max(0, sentence.heard - self._repeat_bytes)
            sentence.closed = False
            sentence.marks.clear()
        self._plays_until = now
        self._clears += 1
        self._held = True
        return passed

    def resume(self) -> None:
        """Playback may go on, from a little before where it was held."""
        self._held = False

    def drop(self, now: float) -> Cut | None:
        """Clear and forget everything; tells how far the first sentence not heard to its end had got, if any.

        Sentences before it were heard.
        """
        passed = [] if self._held else self.hold(now)
        self._held = False
        if not self._sentences:
            return Cut(passed[-1].turn, passed[-1].sentence, 1.0, math.inf) if passed else None
        current = self._sentences[0]
        self._sentences.clear()
        fraction = current.heard / len(current.audio) if current.audio else 0.0
        return Cut(current.turn, current.number, fraction, current.heard / BYTES_PER_S)

    def wakes_at(self) -> float | None:
        """When `take` or `overdue` has something to do, if nothing is added or echoed before."""
        if not self._sentences or self._held:
            return None
        first = self._sentences[0]
        instants = [first.ends_at + self._mark_limit_s] if first.closed else []
        current = next((sentence for sentence in self._sentences if not sentence.closed), None)
        if current is not None and current.sent < len(current.audio):
            instants.append(self._due_at(current))
        return min(instants, default=None)

    def _passed(self, now: float, ago_s: float) -> list[Heard]:
        """Take out the sentences that playback should have passed so long ago."""
        passed: list[Heard] = []
        while self._sentences and self._sentences[0].closed and now >= self._sentences[0].ends_at + ago_s:
            passed.append(self._pop(lost_mark=True))
        return passed

    def _pop(self, *, lost_mark: bool = False) -> Heard:
        sentence = self._sentences.popleft()
        return Heard(sentence.turn, sentence.number, lost_mark)
