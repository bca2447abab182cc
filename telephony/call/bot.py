"""The bot's side of the call: what it is saying, the reply it is waiting for, and how it leaves."""

from dataclasses import dataclass, field

from telephony.call import events
from telephony.call.actions import (
    Action,
    CancelReply,
    ConfirmReply,
    DropPlayback,
    EndReason,
    HandOver,
    HangUp,
    HoldPlayback,
    RememberBot,
    RememberCaller,
    ResumePlayback,
    Say,
    StartReply,
    Transfer,
)
from telephony.call.english import same_words
from telephony.call.opening import Opening
from telephony.call.phases import TRANSITIONS, Cause, Phase
from telephony.call.rules import CallRules
from telephony.call.speech import BotSpeech


@dataclass(slots=True)
class _Reply:
    """A reply being generated. While it answers a guess, what comes of it is put aside."""

    turn: int
    guess: str | None = None
    aside: list[events.ReplyEvent] = field(default_factory=list)
    heard_before: list[str] = field(default_factory=list)
    """Sentences the caller knows from another stream; where the reply begins with them it goes on after them."""

    def answers(self, turn: int, words: str) -> bool:
        """Whether it was a guess, and right."""
        return self.turn == turn and self.guess is not None and same_words(self.guess, words)

    def repeats(self, sentence: str) -> bool:
        """Whether the caller knows the next sentence already."""
        if self.heard_before[:1] == [sentence]:
            del self.heard_before[0]
            return True
        self.heard_before.clear()
        return False


class Bot:
    """One region of the call machine; the caller's is `TurnTaker`. Pure: time comes in as `now`."""

    def __init__(self, rules: CallRules, now: float) -> None:
        self._rules = rules
        self.phase = Phase.GREETING
        self.speech = BotSpeech(turn=0)
        self.waits_until = now + rules.playback_limit_s
        """The deadline of this phase."""
        self.holding_at: float | None = None
        """When the caller will have waited too long without a word."""
        self._last_words = ""
        self._reply: _Reply | None = None
        self._dropped: BotSpeech | None = None  # how far it got is not known yet
        self._parting: HangUp | Transfer | None = None  # what to do once all was heard
        self.has_asked_to_hold = False
        """Whether the caller was told, since they last spoke, that they are not forgotten."""
        self._defeats = 0
        self._voice_failures = 0
        self._is_giving_up = False

    # --- questions ---------------------------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """What the caller has heard the bot say, or is hearing; the last time it spoke, if it is silent."""
        return self.speech.text_so_far or self._last_words

    def expects_reply(self, turn: int) -> bool:
        """Whether what a reply to this turn brings is still wanted."""
        return self._reply is not None and self._reply.turn == turn

    def is_saying(self, turn: int, sentence: int) -> bool:
        """Whether this sentence is still to be heard."""
        return turn == self.speech.turn and sentence in self.speech.pending

    def has_dropped(self, turn: int, sentence: int) -> bool:
        """Whether the fate of this sentence, of speech that was dropped, is still to be told."""
        return self._dropped is not None and turn == self._dropped.turn and sentence in self._dropped.pending

    # --- replies -----------------------------------------------------------------------------------------------

    def guess(self, turn: int, words: str) -> list[Action]:
        """Begin to answer a caller who may not have finished, unless that, or a reply that counts, is under way."""
        if self._reply is not None and (self._reply.guess is None or self._reply.answers(turn, words)):
            return []
        actions = self._drop_reply()
        self._reply = _Reply(turn, guess=words)
        return [*actions, StartReply(turn, guess=words)]

    def drop_guess(self) -> list[Action]:
        """The caller had not finished."""
        return self._drop_reply() if self._reply is not None and self._reply.guess is not None else []

    def answer(self, turn: int, words: str, now: float, *, since: float, keyed: bool) -> list[Action]:
        """The caller has finished, and been silent `since`: answer, with what a right guess has brought already."""
        guessed = self._reply if self._reply is not None and self._reply.answers(turn, words) else None
        if guessed is not None:
            self._reply = None  # it is not dropped with what is being said
        actions: list[Action] = [*self.interrupt(now), RememberCaller(turn, words, keyed)]
        self._reply = _Reply(turn)
        self._think(turn, now, since)
        if guessed is None:
            return [*actions, StartReply(turn)]
        actions.append(ConfirmReply(turn))
        for event in guessed.aside:
            actions += self.reply_brings(event, now)
        return actions

    def reply_brings(self, event: events.ReplyEvent, now: float) -> list[Action]:
        """Something the reply says or wants; put aside while it answers a guess."""
        if self._reply is None:
            return []
        if self._reply.guess is not None:
            self._reply.aside.append(event)
            return []
        match event:
            case events.SentenceGenerated():
                return [] if self._reply.repeats(event.text) else self.say(event.text, now)
            case events.HangUpRequested():
                self._parting = HangUp(EndReason.GOODBYE)
            case events.TransferRequested():
                self._parting = Transfer(event.number)
            case events.ReplyFinished():
                self._reply = None
                self._defeats = 0
                return self.progress(now)
            case events.ReplyFailed():
                self._reply = None
                return self._defeated(now)
        return []

    def give_up_reply(self, now: float) -> list[Action]:
        """The reply has taken too long."""
        return self._drop_reply() + self._defeated(now)

    # --- speech ------------------------------------------------------------------------------------------------

    def greet(self, now: float) -> list[Action]:
        actions = self.say(self._rules.greeting, now, protected=not self._rules.greeting_interruptible)
        return actions + (self.say(self._rules.notice, now, protected=True) if self._rules.notice else [])

    def take_up(self, opening: Opening, now: float) -> list[Action]:
        """Go on with a talk that was cut off, unless the caller has begun another turn meanwhile."""
        if self.phase is not Phase.GREETING:
            return []
        self.listen(now)
        self._parting = opening.parting
        actions: list[Action] = []
        if opening.is_unanswered:
            self._reply = _Reply(opening.turn, heard_before=list(opening.heard))
            self._think(opening.turn, now, since=now)
            actions.append(StartReply(opening.turn))
        self.speech = BotSpeech(opening.turn, heard=list(opening.heard))
        excuse = () if opening.parting or opening.handed_over else (self._rules.resumed,)
        if not opening.is_unanswered:
            for text in opening.saying or excuse:
                actions += self.say(text, now, protected=text == self._rules.notice)
        return actions if actions or not opening.parting else self.progress(now)

    def say(self, text: str, now: float, *, protected: bool = False) -> list[Action]:
        """Say something after all that is being said; `protected` words cannot be interrupted."""
        self._enter(Cause.SAYS)
        self.holding_at = None
        if self.phase is not Phase.HELD:
            self.waits_until = now + self._rules.playback_limit_s
        return [Say(self.speech.turn, self.speech.say(text, protected=protected), text)]

    def ask_to_hold(self, now: float) -> list[Action]:
        """Tell the caller, once a turn, that they are not forgotten."""
        self.has_asked_to_hold = True
        return self.say(self._rules.holding, now)

    def was_heard(self, heard: events.SentenceHeard, now: float) -> list[Action]:
        self._voice_failures = 0
        self.speech.was_heard(heard.sentence, heard.spoken)
        return self.progress(now)

    def voice_failed(self, sentence: int, now: float) -> list[Action]:
        """A sentence could not be spoken. After a few with nothing heard between, the voice is taken to be gone."""
        self.speech.failed(sentence)
        self._voice_failures += 1
        if self._is_giving_up or self._voice_failures >= self._rules.voice_failures:
            return self.give_up(now)
        return self.progress(now)

    def give_up(self, now: float) -> list[Action]:
        """There is no voice: leave with words that were spoken beforehand; if even they cannot be said, without any."""
        if self._is_giving_up:
            return self.end(self._defeat(EndReason.FAILED))
        self._is_giving_up = True
        wanted = self._parting
        actions = self.interrupt(now)
        self._parting = wanted if isinstance(wanted, Transfer) else self._defeat(EndReason.SPEECHLESS)
        return actions + self.say(self._rules.defeat, now, protected=True)

    def was_cut(self, cut: events.SentenceCut) -> list[Action]:
        """How far the speech that was dropped had got."""
        dropped, self._dropped = self._dropped, None
        if dropped is None:
            return []
        dropped.cut(cut.sentence, cut.fraction, cut.spoken)
        self._last_words = dropped.text or self._last_words
        return [RememberBot(dropped.turn, dropped.text, interrupted=True)] if dropped.text else []

    def progress(self, now: float) -> list[Action]:
        """Something was heard, or failed, or the reply is complete: go on, or give the caller the line."""
        if self.phase is Phase.HELD:
            return []
        if self.speech.pending:
            self.waits_until = now + self._rules.playback_limit_s
            return []
        if self._reply is not None and self._reply.guess is None:
            self._enter(Cause.AWAITS)
            self._await_reply(now, since=now)
            return []
        if not self.speech.heard and (words := self._words_lacking()):
            return self.say(words, now)
        actions = self._remember(interrupted=False)
        if self._parting is not None:
            return actions + self.end(self._parting)
        self.listen(now, Cause.HEARD)
        return actions

    # --- giving way --------------------------------------------------------------------------------------------

    def hold(self, now: float) -> list[Action]:
        """The caller talks over the bot: it falls silent, and keeps in mind what it was saying."""
        if not self.speech.pending:
            return self.interrupt(now)
        self._enter(Cause.TALKED_OVER)
        self.waits_until = now + self._rules.hold_limit_s
        return [HoldPlayback()]

    def resume(self, now: float) -> list[Action]:
        """What silenced the bot was no turn: it goes on where it was."""
        self._enter(Cause.RESUMES)
        return [ResumePlayback(), *self.progress(now)]

    def interrupt(self, now: float) -> list[Action]:
        """The bot falls silent and forgets what it was about to say or do.

        How far its voice had got comes back as `SentenceCut` while `DropPlayback` is carried out.
        """
        actions = self._fall_silent()
        self._parting = None
        self.listen(now, Cause.YIELDS)
        return actions

    def listen(self, now: float, cause: Cause = Cause.YIELDS) -> None:
        self._enter(cause)
        self.holding_at = None
        self.waits_until = now + self._rules.caller_silence_s

    # --- the end -----------------------------------------------------------------------------------------------

    def part(self, reason: EndReason, words: str, now: float) -> list[Action]:
        """Say these last words, and hang up once they were heard."""
        actions = self.interrupt(now)
        self._parting = HangUp(reason)
        return actions + self.say(words, now)

    def fail(self, now: float) -> list[Action]:
        """What is said is not heard: there is no point in saying more."""
        return self.interrupt(now) + self.end(self._defeat(EndReason.FAILED))

    def leave(self, ending: HandOver | HangUp) -> list[Action]:
        """Go without a word: whoever takes the call up says again what was not heard to its end."""
        actions = self._drop_reply()
        self._enter(Cause.OVER)
        return [*actions, ending]

    def end(self, ending: HangUp | Transfer) -> list[Action]:
        actions = self._fall_silent()
        self._enter(Cause.OVER)
        return [*actions, ending]

    # --- within ------------------------------------------------------------------------------------------------

    def _think(self, turn: int, now: float, since: float) -> None:
        self.speech = BotSpeech(turn)
        self._enter(Cause.TURN)
        self._await_reply(now, since)

    def _await_reply(self, now: float, since: float) -> None:
        self.waits_until = now + self._rules.reply_limit_s
        self.holding_at = None if self.has_asked_to_hold else since + self._rules.holding_after_s

    def _fall_silent(self) -> list[Action]:
        actions = self._drop_reply()
        is_audible = bool(self.speech.pending)
        if is_audible:
            self._dropped, self.speech = self.speech, self.speech.following()
        else:
            actions += self._remember(interrupted=bool(actions))
        return [*actions, DropPlayback()] if is_audible or self.phase is Phase.HELD else actions

    def _drop_reply(self) -> list[Action]:
        reply, self._reply = self._reply, None
        return [] if reply is None else [CancelReply(reply.turn)]

    def _remember(self, *, interrupted: bool) -> list[Action]:
        """Hand over what the caller heard of this run of speech, and begin the next."""
        heard, self.speech = self.speech, self.speech.following()
        self._last_words = heard.text or self._last_words
        return [RememberBot(heard.turn, heard.text, interrupted)] if heard.text else []

    def _words_lacking(self) -> str:
        """What to say in place of a reply of no words, or none that could be spoken."""
        if self._parting is None:
            return self._rules.apology
        return self._rules.goodbye if isinstance(self._parting, HangUp) and not self._voice_failures else ""

    def _defeated(self, now: float) -> list[Action]:
        """There is no reply: apologise, or after too many of them give up the call."""
        self._defeats += 1
        if self._defeats < self._rules.defeats:
            return self.say(self._rules.apology, now)
        self._parting = self._defeat(EndReason.DEFEATED)
        return self.say(self._rules.defeat, now)

    def _defeat(self, reason: EndReason) -> HangUp | Transfer:
        return Transfer(self._rules.fallback_number) if self._rules.fallback_number else HangUp(reason)

    def _enter(self, cause: Cause) -> None:
        self.phase = TRANSITIONS[self.phase, cause]
