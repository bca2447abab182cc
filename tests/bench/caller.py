"""A caller of a load run: performs a script by the clock, and times what comes back. Pure: no socket, no clock."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

BYTES_PER_S = 8000
GAP_S = 0.02
"""An underrun is a silence of at least this in the middle of a reply."""
ANSWER_LIMIT_S = 8.0
_WHOLE = 0.95  # of a reply's audio; bots differ in how they round it
AT_REST = -1


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Speak:
    """Say the sentence from beginning to end."""


@dataclass(frozen=True, slots=True)
class AwaitReply:
    """Hear the answer out."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Let the answer run for so long, then say the sentence over it."""

    after_s: float


type Step = Pause | Speak | AwaitReply | Interrupt

TALK: tuple[Step, ...] = (
    Pause(2.0),
    Speak(),
    AwaitReply(),
    Pause(2.0),
    Speak(),
    Interrupt(2.0),
    AwaitReply(),
    Pause(2.0),
)
"""Three turns, the third of which is a barge-in: about 30 s, a third of it the caller's and a third the bot's."""


@dataclass(slots=True)
class Measures:
    """What one call brought, in seconds. `lost` counts answers that did not come, or not to their end."""

    answered_s: list[float] = field(default_factory=list)
    cleared_s: list[float] = field(default_factory=list)
    gaps_s: list[float] = field(default_factory=list)
    lost: int = 0


class LoadCaller:
    """One caller, asked every 20 ms what to send.

    `speech_frames` is the length of the sentence, `reply_s` that of each of the bot's answers, by which it is known
    what is an answer's end and what a gap in it.
    """

    def __init__(self, script: Sequence[Step], speech_frames: int, reply_s: float, now: float) -> None:
        self.measures = Measures()
        self._script = script
        self._speech_frames = speech_frames
        self._reply_bytes = int(reply_s * BYTES_PER_S * _WHOLE)
        self._next = 0
        self._since = now  # when the current step began
        self._frame = 0  # of the sentence
        self._asked_at: float | None = None  # the end of the sentence that has no answer yet
        self._cut_in_at: float | None = None  # the start of the sentence that should silence the bot
        self._began_at: float | None = None  # the first audio of the answer under way
        self._got = 0  # bytes of it
        self._plays_until = now
        self._marks: deque[tuple[float, str]] = deque()

    @property
    def is_done(self) -> bool:
        """Whether the script is over."""
        return self._next == len(self._script)

    def tick(self, now: float) -> int:
        """The frame of the sentence to send now, or `AT_REST`."""
        if self._frame:
            return self._go_on_speaking(now)
        if self.is_done:
            return AT_REST
        match self._script[self._next]:
            case Pause(seconds):
                if now >= self._since + seconds:
                    self._proceed(now)
            case Speak():
                return self._go_on_speaking(now)
            case Interrupt(after_s):
                if self._began_at is not None and now >= self._began_at + after_s:
                    self._cut_in_at = now
                    return self._go_on_speaking(now)
                self._give_up(now)
            case AwaitReply():
                if self._got >= self._reply_bytes and now >= self._plays_until:
                    self._proceed(now)
                else:
                    self._give_up(now)
        return AT_REST

    def audio(self, size: int, now: float) -> None:
        """So many bytes of bot audio have come."""
        if self._asked_at is not None:
            self.measures.answered_s.append(now - self._asked_at)
            self._asked_at = None
            self._began_at, self._got = now, 0
        elif self._began_at is not None and self._got < self._reply_bytes and now - self._plays_until >= GAP_S:
            self.measures.gaps_s.append(now - self._plays_until)
        self._got += size
        self._plays_until = max(now, self._plays_until) + size / BYTES_PER_S

    def clear(self, now: float) -> None:
        """The bot wants its audio dropped: every mark comes back at once."""
        if self._cut_in_at is not None:
            self.measures.cleared_s.append(now - self._cut_in_at)
            self._cut_in_at = None
        self._began_at = None
        self._plays_until = now
        self._marks = deque((now, name) for _, name in self._marks)

    def mark(self, name: str, now: float) -> None:
        self._marks.append((max(now, self._plays_until), name))

    def due_marks(self, now: float) -> list[str]:
        """The marks that playback has reached, in order."""
        due: list[str] = []
        while self._marks and self._marks[0][0] <= now:
            due.append(self._marks.popleft()[1])
        return due

    def _go_on_speaking(self, now: float) -> int:
        frame, self._frame = self._frame, self._frame + 1
        if self._frame == self._speech_frames:
            self._frame = 0
            self._asked_at = now
            self._cut_in_at = None
            self._began_at, self._got = None, 0
            self._proceed(now)
        return frame

    def _give_up(self, now: float) -> None:
        if now >= max(self._since, self._plays_until) + ANSWER_LIMIT_S:
            self.measures.lost += 1
            self._asked_at = None
            self._proceed(now)

    def _proceed(self, now: float) -> None:
        self._next += 1
        self._since = now
