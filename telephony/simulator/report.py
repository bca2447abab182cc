"""What came of a call, turn by turn: a fold over its events."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from statistics import median

from telephony.simulator.carrier import LineStats
from telephony.simulator.events import (
    BotAudioArrived,
    BotQuiet,
    BotReported,
    BotSpeaking,
    CallEnded,
    CallerPressed,
    CallerSpeaking,
    CallerSpoke,
    CarrierSpoke,
    Dialled,
    Event,
    Lateness,
    StreamClosed,
    StreamOpened,
    Warned,
    WebhookAnswered,
)
from telephony.simulator.words import word_error_rate


@dataclass(slots=True)
class Turn:
    """What the caller said or pressed, and what came back. The first turn is the bot's greeting, if it greets.

    Latencies count from the end of the caller's speech and are None for what did not happen; they are negative for
    a bot that did not wait for it. Those of text and first token come from the server's feed, and so do `heard` and
    most of `answer`; sending and hearing are seen on the line. `silenced_ms` is how long the bot went on after the
    caller had barged in.
    """

    said: str = ""
    keys: str = ""
    barge_in: bool = False
    heard: str | None = None
    answer: str = ""
    text_ms: float | None = None
    first_token_ms: float | None = None
    audio_sent_ms: float | None = None
    audio_heard_ms: float | None = None
    silenced_ms: float | None = None

    @property
    def word_error_rate(self) -> float | None:
        """Of `heard` against `said`; None where nobody spoke or the server has no feed."""
        return None if self.heard is None or not self.said else word_error_rate(self.said, self.heard)


@dataclass(frozen=True, slots=True)
class CallReport:
    """A call that is over. `greeting_ms` is how long after the stream had opened the bot was heard."""

    call_sid: str
    reason: str
    status: str
    duration_s: float
    webhook_ms: float | None
    greeting_ms: float | None
    turns: tuple[Turn, ...]
    streams: int
    stats: LineStats
    lateness: Lateness
    warnings: tuple[Warned, ...]
    dialled: tuple[Dialled, ...]
    events: tuple[Event, ...] = field(repr=False)

    @property
    def voice_to_voice_ms(self) -> list[float]:
        """End of caller speech to first bot audio heard, of every turn that was answered."""
        return [turn.audio_heard_ms for turn in self.turns if turn.audio_heard_ms is not None]

    @property
    def median_voice_to_voice_ms(self) -> float | None:
        return median(self.voice_to_voice_ms) if self.voice_to_voice_ms else None

    @property
    def word_error_rate(self) -> float | None:
        """Of the whole call: every turn counts by its length, as if it had been one text."""
        turns = [turn for turn in self.turns if turn.word_error_rate is not None]
        if not turns:
            return None
        return word_error_rate(
            " \n ".join(turn.said for turn in turns), " \n ".join(turn.heard or "" for turn in turns)
        )


def build_report(call_sid: str, events: Sequence[Event]) -> CallReport:
    """Fold the events of one call, in any order, into its report."""
    ordered = sorted(events, key=lambda event: event.at_s)
    closed = [event for event in ordered if isinstance(event, StreamClosed)]
    opened = [event.at_s for event in ordered if isinstance(event, StreamOpened)]
    ended = next((event for event in ordered if isinstance(event, CallEnded)), CallEnded(0.0, "unknown", "failed"))
    webhook_ms = next((event.took_ms for event in ordered if isinstance(event, WebhookAnswered)), None)
    turns = _Turns()
    for event in ordered:
        turns.fold(event)
    return CallReport(
        call_sid=call_sid,
        reason=ended.reason,
        status=ended.status,
        duration_s=ended.at_s,
        webhook_ms=webhook_ms,
        greeting_ms=_ms(opened[0] if opened else None, turns.greeted_at_s),
        turns=turns.result(),
        streams=len(opened),
        stats=_total([event.stats for event in closed]),
        lateness=_merged([event.lateness for event in closed]),
        warnings=tuple(event for event in ordered if isinstance(event, Warned)),
        dialled=tuple(event for event in ordered if isinstance(event, Dialled)),
        events=tuple(ordered),
    )


@dataclass(slots=True)
class _Draft:
    """A turn being put together, its instants not yet made into latencies."""

    turn: Turn = field(default_factory=Turn)
    began_at_s: float = 0.0
    ended_at_s: float | None = None
    text_at_s: float | None = None
    first_token_at_s: float | None = None
    sent_at_s: float | None = None
    heard_at_s: float | None = None
    silenced_at_s: float | None = None

    def finished(self) -> Turn:
        turn, end = self.turn, self.ended_at_s
        turn.text_ms = _ms(end, self.text_at_s)
        turn.first_token_ms = _ms(end, self.first_token_at_s)
        turn.audio_sent_ms = _ms(end, self.sent_at_s)
        turn.audio_heard_ms = _ms(end, self.heard_at_s)
        turn.silenced_ms = _ms(self.began_at_s, self.silenced_at_s)
        return turn


class _Turns:
    def __init__(self) -> None:
        self.greeted_at_s: float | None = None
        self._drafts = [_Draft()]
        self._owners: dict[int, _Draft] = {}  # by the server's count of turns, which need not be ours

    def result(self) -> tuple[Turn, ...]:
        greeting, *rest = self._drafts
        turns = [draft.finished() for draft in rest]
        return tuple([greeting.turn, *turns] if greeting.turn.answer else turns)

    def fold(self, event: Event) -> None:
        draft = self._drafts[-1]
        match event:
            case CallerSpeaking(at_s, text, barge_in):
                self._drafts.append(_Draft(Turn(said=text, barge_in=barge_in), began_at_s=at_s))
            case CallerSpoke(at_s):
                draft.ended_at_s = at_s
            case CallerPressed(at_s, digit):
                self._press(at_s, digit)
            case BotAudioArrived(at_s):
                if draft.ended_at_s is not None and draft.sent_at_s is None:
                    draft.sent_at_s = at_s
            case BotSpeaking(at_s):
                self._hear(at_s)
            case BotQuiet(at_s):
                if draft.turn.barge_in and draft.silenced_at_s is None:
                    draft.silenced_at_s = at_s
            case CarrierSpoke(_, text):
                draft.turn.answer = _joined(draft.turn.answer, text)
            case BotReported():
                self._report(event)

    def _press(self, at_s: float, digit: str) -> None:
        draft = self._drafts[-1]
        if not draft.turn.keys or draft.heard_at_s is not None:
            draft = _Draft(began_at_s=at_s)
            self._drafts.append(draft)
        draft.turn.keys += digit
        draft.ended_at_s = at_s

    def _hear(self, at_s: float) -> None:
        draft = self._drafts[-1]
        if len(self._drafts) == 1 and self.greeted_at_s is None:
            self.greeted_at_s = at_s
        if draft.ended_at_s is not None and draft.heard_at_s is None:
            draft.heard_at_s = at_s

    def _report(self, event: BotReported) -> None:
        draft = self._drafts[-1]
        match event.kind:
            case "caller_said":
                draft.turn.heard = _joined(draft.turn.heard or "", event.text())
                if draft.heard_at_s is None:
                    draft.text_at_s = event.at_s
            case "reply_started" | "bot_says":
                self._owners.setdefault(event.turn, draft)
            case "first_token":
                self._owners.setdefault(event.turn, draft)
                if draft.heard_at_s is None:
                    draft.first_token_at_s = event.at_s
            case "bot_said":
                owner = self._owners.get(event.turn, draft)
                owner.turn.answer = _joined(owner.turn.answer, event.text())


def _joined(before: str, text: str) -> str:
    return f"{before} {text}".strip()


def _ms(since_s: float | None, until_s: float | None) -> float | None:
    return None if since_s is None or until_s is None else (until_s - since_s) * 1000


def _total(stats: Sequence[LineStats]) -> LineStats:
    return LineStats(*(sum(getattr(each, name.name) for each in stats) for name in fields(LineStats)))


def _merged(lateness: Sequence[Lateness]) -> Lateness:
    frames = sum(each.frames for each in lateness)
    return Lateness(
        frames=frames,
        mean_ms=sum(each.mean_ms * each.frames for each in lateness) / max(1, frames),
        worst_ms=max((each.worst_ms for each in lateness), default=0.0),
        late_frames=sum(each.late_frames for each in lateness),
    )
