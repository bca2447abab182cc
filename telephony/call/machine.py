"""The call as a pure state machine: events and time in, actions out.

    greeting ──► listening ──► thinking ──► speaking ──► listening …      any phase ──► ended
                    ▲              │            │
                    └──────────────┴────────────┘ the caller talks: playback is cleared, the reply dropped

Two regions run side by side. The caller's (`TurnTaker`) makes finished turns of voice and words, whatever the bot
does. The bot's, here, is what it does about them. Every phase but the last has a deadline.
"""

from enum import StrEnum

from telephony.call import events
from telephony.call.actions import (
    Action,
    CancelReply,
    ClearPlayback,
    EndReason,
    HangUp,
    RememberBot,
    RememberCaller,
    Say,
    StartReply,
    Transfer,
)
from telephony.call.rules import CallRules
from telephony.call.speech import BotSpeech
from telephony.call.turns import CallerTurn, TurnTaker


class Phase(StrEnum):
    """What the bot is doing."""

    GREETING = "greeting"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    ENDED = "ended"


class CallMachine:
    """One call. `handle` and `handle_timer` return the actions to carry out, in that order."""

    def __init__(self, rules: CallRules, now: float) -> None:
        self._rules = rules
        self._caller = TurnTaker(rules)
        self.phase = Phase.GREETING
        self._speech = BotSpeech(turn=0)
        self._cut: BotSpeech | None = None  # cleared; how far it got is not known yet
        self._replying = False  # the reply to `_speech.turn` is still being generated
        self._unanswered = False  # the caller's last words have had no reply yet
        self._parting: HangUp | Transfer | None = None  # what to do once all was heard
        self._reprompted = 0
        self._voice_failures = 0
        self._keys = ""
        self._keys_at = 0.0
        self._waits_until = now + rules.playback_limit_s  # the bot's own deadline in this phase
        self._ends_at = now + rules.longest_call_s
        self._out_of_time = False

    # --- the sans-I/O face -------------------------------------------------------------------------------------

    @property
    def turn(self) -> int:
        """The turn the bot is in: 0 until the caller has said something."""
        return self._speech.turn

    def handle(self, event: events.Event, now: float) -> list[Action]:
        """One fact in, orders out. Answers to finished turns, and all that comes after the end, are dropped here."""
        if self.phase is Phase.ENDED or self._is_stale(event):
            return []
        return self._react(event, now) + self.handle_timer(now)

    def handle_timer(self, now: float) -> list[Action]:
        """Whatever is due by `now`; calling it early or twice does no harm."""
        actions: list[Action] = []
        for due in (
            self._poll_limit,
            self._poll_barge_in,
            self._poll_caller,
            self._poll_keys,
            self._poll_phase,
        ):
            if self.phase is not Phase.ENDED:
                actions += due(now)
        return actions

    def deadline(self) -> float | None:
        """When `handle_timer` must be called if nothing happens before; None only once the call has ended."""
        if self.phase is Phase.ENDED:
            return None
        own = (self._caller.deadline(), self._barge_in_at(), self._keys_end_at())
        return min(self._ends_at, self._waits_until, *(at for at in own if at is not None))

    # --- events ------------------------------------------------------------------------------------------------

    def _is_stale(self, event: events.Event) -> bool:
        match event:
            case events.TranscriptReady() | events.TranscriptFailed():
                return not self._caller.expects(event.turn, event.attempt)
            case events.SentenceCut():
                return self._cut is None or event.turn != self._cut.turn or event.sentence not in self._cut.pending
            case events.SentenceHeard() | events.SentenceFailed():
                return event.turn != self.turn or event.sentence not in self._speech.pending
            case (
                events.SentenceGenerated()
                | events.HangUpRequested()
                | events.TransferRequested()
                | events.ReplyFinished()
                | events.ReplyFailed()
            ):
                return event.turn != self.turn or not self._replying
            case _:
                return False

    def _react(self, event: events.Event, now: float) -> list[Action]:  # noqa: C901 - a case an event, no logic
        match event:
            case events.CallStarted():
                return self._say(self._rules.greeting, now)
            case events.SpeechStarted():
                self._reprompted = 0
                return self._caller.speech_started(event.at)
            case events.SpeechStopped():
                return self._caller.speech_stopped(event.at, now)
            case events.TranscriptReady():
                self._caller.transcript(event.text)
            case events.TranscriptFailed():
                self._caller.transcript(None)
            case events.SentenceGenerated():
                return self._say(event.text, now)
            case events.HangUpRequested():
                self._parting = HangUp(EndReason.GOODBYE)
            case events.TransferRequested():
                self._parting = Transfer(event.number)
            case events.ReplyFinished():
                self._replying = False
                return self._progress(now)
            case events.ReplyFailed():
                self._replying = False
                return self._say(self._rules.apology, now)
            case events.SentenceHeard():
                self._voice_failures = 0
                self._speech.was_heard(event.sentence)
                return self._progress(now)
            case events.SentenceCut():
                return self._remember_cut(event.sentence, event.fraction)
            case events.SentenceFailed():
                return self._voice_failed(event.sentence, now)
            case events.KeyPressed():
                return self._key(event.digit, now)
            case events.CallerLeft():
                return self._end(EndReason.CALLER_LEFT)
        return []

    # --- what time alone brings about --------------------------------------------------------------------------

    def _poll_limit(self, now: float) -> list[Action]:
        """The call has a longest length; past it there is time for a goodbye, once."""
        if now < self._ends_at:
            return []
        if self._out_of_time:
            return self._end(EndReason.TOO_LONG)
        self._out_of_time = True
        self._ends_at = now + self._rules.reply_limit_s
        return self._part(EndReason.TOO_LONG, now)

    def _poll_barge_in(self, now: float) -> list[Action]:
        at = self._barge_in_at()
        return self._interrupt(now) if at is not None and now >= at else []

    def _poll_caller(self, now: float) -> list[Action]:
        actions, turn = self._caller.poll(now)
        return actions if turn is None else actions + self._take_turn(turn, now)

    def _poll_keys(self, now: float) -> list[Action]:
        at = self._keys_end_at()
        return self._take_keys(now) if at is not None and now >= at else []

    def _poll_phase(self, now: float) -> list[Action]:
        """The bot has waited as long as it may in this phase."""
        if now < self._waits_until:
            return []
        match self.phase:
            case Phase.LISTENING:
                return self._caller_is_silent(now)
            case Phase.THINKING:
                return self._interrupt(now) + self._say(self._rules.apology, now)
            case _:  # what the bot says is not being heard
                return self._interrupt(now) + self._end(EndReason.FAILED)

    def _barge_in_at(self) -> float | None:
        """When the caller, talking now, will have talked long enough over the bot to take the turn."""
        since = self._caller.talking_since
        return None if since is None or self.phase is Phase.LISTENING else since + self._rules.barge_in_s

    def _keys_end_at(self) -> float | None:
        return self._keys_at + self._rules.key_pause_s if self._keys else None

    # --- the caller's turn -------------------------------------------------------------------------------------

    def _take_turn(self, turn: CallerTurn, now: float) -> list[Action]:
        if turn.text:
            return self._answer(turn.number, turn.text, now)
        if self.phase is not Phase.LISTENING:
            return []  # a noise that stopped nothing
        if self._unanswered:  # a noise that stopped the reply to what had been said before it
            return self._start_reply(self.turn, now)
        if not turn.understood:
            return self._say(self._rules.apology, now)
        if turn.speech_s >= self._rules.least_speech_s:
            return self._say(self._rules.not_understood, now)
        self._listen(now)
        return []

    def _answer(self, number: int, text: str, now: float) -> list[Action]:
        actions = self._interrupt(now)
        actions.append(RememberCaller(number, text))
        return actions + self._start_reply(number, now)

    def _start_reply(self, number: int, now: float) -> list[Action]:
        same_turn = number == self.turn
        self._speech = self._speech.following() if same_turn else BotSpeech(number)
        self._replying = self._unanswered = True
        self.phase = Phase.THINKING
        self._waits_until = now + self._rules.reply_limit_s
        return [StartReply(number)]

    def _interrupt(self, now: float) -> list[Action]:
        """The bot falls silent and forgets what it was about to say or do.

        How far its voice had got comes back as `SentenceCut` while `ClearPlayback` is carried out.
        """
        actions: list[Action] = []
        if self._replying:
            actions.append(CancelReply(self.turn))
            self._replying = False
        if self._speech.pending:
            self._cut = self._speech
            self._speech = self._speech.following()
            actions.append(ClearPlayback())
        else:
            actions += self._remember(interrupted=True)
        self._parting = None
        self._listen(now)
        return actions

    # --- the bot's speech --------------------------------------------------------------------------------------

    def _say(self, text: str, now: float) -> list[Action]:
        if self.phase is not Phase.GREETING:
            self.phase = Phase.SPEAKING
        self._unanswered = False
        self._waits_until = now + self._rules.playback_limit_s
        return [Say(self.turn, self._speech.say(text), text)]

    def _progress(self, now: float) -> list[Action]:
        """Something was heard, or failed, or the reply is complete: go on, or give the caller the line."""
        if self._speech.pending:
            self._waits_until = now + self._rules.playback_limit_s
            return []
        if self._replying:
            self._waits_until = now + self._rules.reply_limit_s
            return []
        if not self._speech.heard:  # a reply of no words, or none that could be spoken
            if self._parting is None:
                return self._say(self._rules.apology, now)
            if isinstance(self._parting, HangUp) and not self._voice_failures:
                return self._say(self._rules.goodbye, now)
        actions = self._remember(interrupted=False)
        match self._parting:
            case HangUp(reason):
                return actions + self._end(reason)
            case Transfer():
                self.phase = Phase.ENDED
                return [*actions, self._parting]
        self._listen(now)
        return actions

    def _listen(self, now: float) -> None:
        self.phase = Phase.LISTENING
        self._waits_until = now + self._rules.caller_silence_s

    def _remember(self, *, interrupted: bool) -> list[Action]:
        """Hand over what the caller heard of this run of speech, and begin the next."""
        heard, self._speech = self._speech, self._speech.following()
        return [RememberBot(heard.turn, heard.text, interrupted)] if heard.text else []

    def _remember_cut(self, sentence: int, fraction: float) -> list[Action]:
        cut, self._cut = self._cut, None
        if cut is None:
            return []
        cut.cut(sentence, fraction)
        return [RememberBot(cut.turn, cut.text, interrupted=True)] if cut.text else []

    def _voice_failed(self, sentence: int, now: float) -> list[Action]:
        """A sentence could not be spoken. After a few with nothing heard between, the voice is taken to be gone."""
        self._speech.failed(sentence)
        self._voice_failures += 1
        if self._voice_failures >= self._rules.voice_failures:
            return self._end(EndReason.FAILED)
        return self._progress(now)

    # --- keys, silence, the end --------------------------------------------------------------------------------

    def _key(self, digit: str, now: float) -> list[Action]:
        """A key stops the bot's voice at once; keys make up a turn of their own."""
        self._reprompted = 0
        actions = [] if self._keys else self._interrupt(now)
        if digit == "#":
            return actions + self._take_keys(now)
        self._keys += digit
        self._keys_at = now
        return actions

    def _take_keys(self, now: float) -> list[Action]:
        keys, self._keys = self._keys, ""
        if not keys:
            return []
        actions = self._caller.close()
        return actions + self._answer(self._caller.take_number(), keys, now)

    def _caller_is_silent(self, now: float) -> list[Action]:
        if self._caller.is_open or self._keys:  # they are not
            self._listen(now)
            return []
        self._reprompted += 1
        if self._reprompted > self._rules.reprompts:
            return self._part(EndReason.SILENCE, now)
        return self._say(self._rules.still_there, now)

    def _part(self, reason: EndReason, now: float) -> list[Action]:
        """Say goodbye, and hang up once it was heard."""
        actions = self._interrupt(now)
        self._parting = HangUp(reason)
        return actions + self._say(self._rules.goodbye, now)

    def _end(self, reason: EndReason) -> list[Action]:
        actions: list[Action] = [CancelReply(self.turn)] if self._replying else []
        actions += self._remember(interrupted=bool(self._speech.pending))
        actions += self._caller.close()
        self.phase = Phase.ENDED
        self._replying = False
        return [*actions, HangUp(reason)]
