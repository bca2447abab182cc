"""The caller's side of turn-taking: from the edges of their voice and the recogniser's words to a finished turn."""

from dataclasses import dataclass

from telephony.call.actions import Action, Listen, StopListening, Transcribe
from telephony.call.endpointing import PauseModel, silence_s
from telephony.call.english import same_words
from telephony.call.expectation import Expectation
from telephony.call.rules import CallRules


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """A finished turn: what was said (empty if no words were made out), and how long and until when they spoke.

    `understood` is False where the recogniser failed or did not answer in time.
    """

    number: int
    text: str
    speech_s: float
    ended_at: float
    understood: bool


class TurnTaker:
    """Decides when the caller has finished. Pure: time comes in as `now`.

    A turn opens with the caller's voice, or with words where the voice was missed. It closes when their words are there
    and they have been silent for long enough, which depends on the words, on what the bot asked for, and on how long
    this caller's pauses usually are. Recognition starts at the first short silence and is thrown away if they go on;
    a streaming recogniser tells its words as they come, and is asked for its last word once the silence is long enough.
    """

    def __init__(self, rules: CallRules, first: int = 1) -> None:
        self._rules = rules
        self._number = first  # of the turn that is open, or the next to open
        self._attempt = 0
        self._pauses = PauseModel(rules.endpointing)
        self._last_stopped_at: float | None = None  # of the turn before
        self.expected = Expectation.ANYTHING
        """What the bot has asked for."""
        self._reset()

    def _reset(self) -> None:
        self._started_at: float | None = None
        self._stopped_at: float | None = None
        self._has_voice = False  # if not, the words alone tell how long the caller talks
        self._so_far = ""  # what a streaming recogniser has made out, and may still change
        self._asked_at: float | None = None
        self._text: str | None = None
        self._failed = False
        self._is_over = False  # by the recogniser's own opinion
        self._is_settled = False  # the words so far will do
        self._silence_s: float | None = None  # that the caller must keep to have finished, once it was asked for

    @property
    def number(self) -> int:
        """Of the turn that is open, or the next to open."""
        return self._number

    @property
    def is_open(self) -> bool:
        return self._started_at is not None

    @property
    def talking_since(self) -> float | None:
        """When the caller's turn began, while they are talking."""
        return self._started_at if self._stopped_at is None else None

    @property
    def words(self) -> str | None:
        """What is known of what the caller has said up to the pause they are in; None while they talk."""
        return None if self._stopped_at is None else self._known

    @property
    def has_paused(self) -> bool:
        """Whether the caller's voice was noticed, and its end: of words alone nobody knows whether more are coming."""
        return self._has_voice and self._stopped_at is not None

    @property
    def is_transcribed(self) -> bool:
        """Whether the recogniser has said its last word on what the caller has said."""
        return self._text is not None

    @property
    def speech_s(self) -> float:
        """How long the open turn has lasted, to the pause the caller is in."""
        return 0.0 if self._started_at is None or self._stopped_at is None else self._stopped_at - self._started_at

    @property
    def waiting_since(self) -> float | None:
        """When the caller fell silent, while their words are not known yet."""
        return self._stopped_at if self._text is None and not self._failed else None

    def speech_started(self, at: float, *, too_soon: bool = False) -> list[Action]:
        """The caller talks, or goes on after a pause: words recognised at the pause are out of date.

        `too_soon`: their last turn was taken to be over, and it seems that it was not, unless that was long ago.
        """
        paused_at = self._last_stopped_at if too_soon else self._stopped_at
        if paused_at is not None and at > paused_at:  # if not, the words were there before the voice was noticed
            self._so_far = ""
            if not too_soon or at - paused_at <= self._rules.endpointing.longest_pause_s:
                self._pauses.went_on(at - paused_at)
        self._has_voice = True
        return self._go_on(at)

    def speech_stopped(self, at: float, now: float) -> list[Action]:
        """The caller pauses."""
        if self._started_at is None or self._stopped_at is not None:
            return []
        self._stopped_at = max(at, self._started_at)
        return self._ask(now) if self._rules.transcribe_at_pause else []

    def words_missed(self, at: float, now: float) -> list[Action]:
        """A streaming recogniser made out words, ending at `at`, though no voice was noticed."""
        if self._started_at is not None:
            return []
        return [*self._go_on(at), *self.speech_stopped(at, now)]

    def hears(self, turn: int) -> bool:
        """Whether what the recogniser makes out of this turn, while it goes on, is still wanted."""
        return self.is_open and turn == self._number and self._text is None

    def words_so_far(self, text: str, now: float) -> None:
        """A streaming recogniser has made out this much of the turn. Where no voice was noticed, the caller talks."""
        if text.strip() == self._so_far and not self._is_settled:
            return
        matters = self._is_over or not self._has_voice
        if self._started_at is not None and matters and not same_words(text, self._so_far):
            self._is_over = False
            if not self._has_voice:
                self._stopped_at = min(now, self._started_at + self._rules.longest_turn_s)
        self._so_far = text.strip()
        self._is_settled = False
        self._silence_s = None

    def engine_says_over(self) -> None:
        """The recogniser's own opinion is that the caller has finished, which holds until they say more."""
        self._is_over = True

    def settle(self) -> None:
        """The words so far will do, unless the caller says more: a short silence now ends the turn."""
        self._is_settled = True
        self._silence_s = self._rules.endpointing.short_s * self._pauses.pace

    def expects(self, turn: int, attempt: int) -> bool:
        """Whether an answer of the recogniser is still wanted."""
        waiting = self._asked_at is not None and self._text is None and not self._failed
        return waiting and (turn, attempt) == (self._number, self._attempt)

    def transcript(self, text: str | None) -> None:
        """The recogniser's answer to the attempt under way, None if it failed; words it gave before it stand in."""
        found = (text or "").strip() or self._so_far
        self._failed = text is None and not found
        self._text = None if self._failed else found
        self._silence_s = None

    def poll(self, now: float) -> tuple[list[Action], CallerTurn | None]:
        """Whatever is due by `now`: a request to recognise, or the finished turn."""
        if self._started_at is None:
            return [], None
        if self._stopped_at is None and now >= self._started_at + self._rules.longest_turn_s:
            self._stopped_at = max(self._started_at, now - self._wanted_s)
        if self._stopped_at is None or now < self._stopped_at + self._wanted_s:
            return [], None
        actions = [] if self._asked_at is not None or self._is_settled else self._ask(now)
        if not self._answered(now):
            return actions, None
        words = self._known
        turn = CallerTurn(self._number, words or "", self.speech_s, self._stopped_at, understood=words is not None)
        return [*actions, *self.close()], turn

    def close(self) -> list[Action]:
        """End the open turn, if there is one, whatever came of it."""
        return [StopListening(self.take_number())] if self.is_open else []

    def take_number(self) -> int:
        """Use up a turn number: the open turn's, or that of a turn made without speech."""
        self._last_stopped_at = self._stopped_at
        self._reset()
        self._number += 1
        return self._number - 1

    def deadline(self) -> float | None:
        """When `poll` has something to do, if nothing happens before; None while no turn is open."""
        if self._started_at is None:
            return None
        if self._stopped_at is None:
            return self._started_at + self._rules.longest_turn_s
        silence_ends_at = self._stopped_at + self._wanted_s
        if self._asked_at is None or self._has_answer:
            return silence_ends_at
        return max(silence_ends_at, self._asked_at + self._rules.transcript_limit_s)

    # --- within ------------------------------------------------------------------------------------------------

    @property
    def _known(self) -> str | None:
        return self._so_far or None if self._text is None else self._text

    @property
    def _wanted_s(self) -> float:
        if self._is_over:
            return 0.0
        if self._silence_s is None:  # it takes a while to weigh words, so only those up to a pause are weighed
            self._silence_s = silence_s(self._known, self.expected, self._pauses, self._rules.endpointing)
        return self._silence_s

    @property
    def _has_answer(self) -> bool:
        return self._text is not None or self._failed or self._is_settled

    def _answered(self, now: float) -> bool:
        late = self._asked_at is not None and now >= self._asked_at + self._rules.transcript_limit_s
        return self._has_answer or late

    def _go_on(self, at: float) -> list[Action]:
        self._stopped_at = self._asked_at = self._text = None
        self._failed = self._is_over = self._is_settled = False
        self._silence_s = None
        if self._started_at is not None:
            return []
        self._started_at = at
        return [Listen(self._number)]

    def _ask(self, now: float) -> list[Action]:
        self._attempt += 1
        self._asked_at = now
        return [Transcribe(self._number, self._attempt)]
