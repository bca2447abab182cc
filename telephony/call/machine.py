"""The call as a pure state machine: events and time in, actions out.

Two regions run side by side. The caller's (`TurnTaker`) makes finished turns of voice and words, whatever the bot
does; the bot's (`Bot`) speaks and waits for replies. Here they meet: who has the line, what the keys and the limits
of the call mean. `phases.TRANSITIONS` is the table of the bot's phases, and every phase but the last has a deadline.
"""

from telephony.call import events
from telephony.call.actions import Action, EndReason, HandOver, HangUp, RememberCaller
from telephony.call.bot import Bot
from telephony.call.expectation import expectation
from telephony.call.intrusion import Intrusion, asks_for_presence, judge
from telephony.call.keypad import Keypad
from telephony.call.opening import Opening
from telephony.call.phases import Phase
from telephony.call.rules import CallRules
from telephony.call.turns import CallerTurn, TurnTaker


class CallMachine:
    """One call. `handle` and `handle_timer` return the actions to carry out, in that order.

    With an `opening` it goes on where another stream of the call has left it, instead of greeting.
    """

    def __init__(self, rules: CallRules, now: float, opening: Opening | None = None) -> None:
        self._rules = rules
        self._opening = opening
        self._caller = TurnTaker(rules, first=opening.turn + 1 if opening else 1)
        self._bot = Bot(rules, now)
        self._keypad = Keypad(rules)
        self._over_bot = False  # the open turn began while the bot was to be heard
        self._deferred: CallerTurn | None = None  # waits for words of ours that must not be interrupted
        self._turns = opening.turns if opening else 0
        self._guesses = 0  # at what the open turn wants
        self._reprompted = 0
        self._ends_at = now + rules.longest_call_s
        self._out_of_time = False
        self._leaves_at: float | None = None  # the latest, if another process is to take the call up
        if opening is not None:
            self._keypad.restore(opening.keys, opening.keys_wanted, now)

    @property
    def phase(self) -> Phase:
        """What the bot is doing."""
        return self._bot.phase

    @property
    def turn(self) -> int:
        """The turn the bot is in: 0 until the caller has said something."""
        return self._bot.speech.turn

    def handle(self, event: events.Event, now: float) -> list[Action]:
        """One fact in, orders out. Answers to ended turns, and all that comes after the end, are dropped here.

        But for one: how far the last words had got is taken down even then.
        """
        if self._is_stale(event) or (self.phase is Phase.ENDED and not isinstance(event, events.SentenceCut)):
            return []
        return self._react(event, now) + self.handle_timer(now)

    def handle_timer(self, now: float) -> list[Action]:
        """Whatever is due by `now`; calling it early or twice does no harm."""
        actions: list[Action] = []
        for due in (
            self._poll_limit,
            self._poll_leave,
            self._poll_barge_in,
            self._poll_caller,
            self._poll_keys,
            self._poll_holding,
            self._poll_phase,
        ):
            if self.phase is not Phase.ENDED:
                actions += due(now)
        return actions

    def deadline(self) -> float | None:
        """When `handle_timer` must be called if nothing happens before; None only once the call has ended."""
        if self.phase is Phase.ENDED:
            return None
        others = (
            self._caller.deadline(),
            self._barge_in_at(),
            self._keypad.deadline(),
            self._holding_at(),
            self._leaves_at,
        )
        return min(self._ends_at, self._bot.waits_until, *(at for at in others if at is not None))

    # --- events ------------------------------------------------------------------------------------------------

    def _is_stale(self, event: events.Event) -> bool:
        match event:
            case events.TranscriptReady() | events.TranscriptFailed():
                return not self._caller.expects(event.turn, event.attempt)
            case events.WordsSoFar():
                return not self._caller.hears(event.turn)
            case events.EngineSaysOver():
                return not self._caller.is_open or event.turn != self._caller.number
            case events.SentenceHeard() | events.SentenceFailed():
                return not self._bot.is_saying(event.turn, event.sentence)
            case events.SentenceCut():
                return not self._bot.has_dropped(event.turn, event.sentence)
            case (
                events.SentenceGenerated()
                | events.HangUpRequested()
                | events.TransferRequested()
                | events.KeysRequested()
                | events.ReplyFinished()
                | events.ReplyFailed()
            ):
                return not self._bot.expects_reply(event.turn)
            case _:
                return False

    def _react(self, event: events.Event, now: float) -> list[Action]:  # noqa: C901 - a case an event, no logic
        match event:
            case events.CallStarted():
                return self._bot.drop_guess() + self._open(now)  # a caller may have begun before us
            case events.EnginesMissing():
                return self._bot.give_up(now)
            case events.SpeechStarted():
                too_soon = self.phase is Phase.THINKING
                return self._caller_talks(self._caller.speech_started(event.at, too_soon=too_soon))
            case events.SpeechStopped():
                return self._caller.speech_stopped(event.at, now) + self._weigh_words(now)
            case events.WordsMissed():
                return self._caller_talks(self._caller.words_missed(event.at, now))
            case events.WordsSoFar():
                self._caller.words_so_far(event.text, now)
                return self._weigh_words(now)
            case events.EngineSaysOver():
                self._caller.engine_says_over()
            case events.TranscriptReady():
                self._caller.transcript(event.text)
                return self._weigh_words(now)
            case events.TranscriptFailed():
                self._caller.transcript(None)
            case events.KeysRequested():
                self._keypad.want(event.length, event.terminator)
            case events.SentenceHeard():
                actions = self._bot.was_heard(event, now) + self._answer_deferred(now)
                return actions + self._leave_unnoticed()
            case events.SentenceFailed():
                return self._bot.voice_failed(event.sentence, now) + self._answer_deferred(now)
            case events.SentenceCut():
                return self._bot.was_cut(event)
            case events.KeyPressed():
                return self._key(event.digit, now)
            case events.CallerLeft():
                return self._caller.close() + self._bot.end(HangUp(EndReason.CALLER_LEFT))
            case events.LineLost():
                return self._leave(HangUp(EndReason.LINE_LOST))
            case events.HandOverWanted():
                self._leaves_at = event.by
            case _:
                return self._bot.reply_brings(event, now)
        return []

    def _open(self, now: float) -> list[Action]:
        """The call begins, or goes on."""
        return self._bot.greet(now) if self._opening is None else self._bot.take_up(self._opening, now)

    # --- what time alone brings about --------------------------------------------------------------------------

    def _poll_limit(self, now: float) -> list[Action]:
        """The call has a longest length; past it there is time for a goodbye, once."""
        if now < self._ends_at:
            return []
        if self._out_of_time:
            return self._caller.close() + self._bot.end(HangUp(EndReason.TOO_LONG))
        self._out_of_time = True
        self._ends_at = now + self._rules.parting_s
        return self._bot.part(EndReason.TOO_LONG, self._rules.goodbye, now)

    def _poll_leave(self, now: float) -> list[Action]:
        """Another process is to take the call up, and it cannot wait any longer."""
        return self._leave(HandOver()) if self._leaves_at is not None and now >= self._leaves_at else []

    def _leave_unnoticed(self) -> list[Action]:
        """If another process is to take the call up: between two of our sentences, unless the caller is at it.

        Not while we listen: who begins to speak as a call changes hands loses their first sounds, and only a caller
        who has just heard us is sure to take a moment.
        """
        busy = self._caller.is_open or self._keypad.is_open
        return [] if self._leaves_at is None or busy else self._leave(HandOver())

    def _leave(self, ending: HandOver | HangUp) -> list[Action]:
        return [] if self.phase is Phase.ENDED else self._caller.close() + self._bot.leave(ending)

    def _poll_barge_in(self, now: float) -> list[Action]:
        at = self._barge_in_at()
        return self._bot.hold(now) if at is not None and now >= at else []

    def _poll_caller(self, now: float) -> list[Action]:
        actions, turn = self._caller.poll(now)
        return actions if turn is None else actions + self._take_turn(turn, now)

    def _poll_keys(self, now: float) -> list[Action]:
        at = self._keypad.deadline()
        if at is None or now < at:
            return []
        wanted = self._keypad.is_wanted
        return self._take_keys(self._keypad.take(), wanted, now)

    def _poll_holding(self, now: float) -> list[Action]:
        at = self._holding_at()
        return self._bot.ask_to_hold(now) if at is not None and now >= at else []

    def _poll_phase(self, now: float) -> list[Action]:
        """The bot has waited as long as it may in this phase."""
        if now < self._bot.waits_until:
            return []
        match self.phase:
            case Phase.LISTENING:
                return self._caller_is_silent(now)
            case Phase.THINKING:
                return self._bot.give_up_reply(now)
            case Phase.HELD:
                return self._bot.resume(now)
            case _:
                return self._caller.close() + self._bot.fail(now)

    def _barge_in_at(self) -> float | None:
        """When the caller, talking now, will have talked long enough to silence the bot, if it is to be heard."""
        since = self._caller.talking_since
        return since + self._rules.barge_in_s if since is not None and self._may_be_held else None

    @property
    def _may_be_held(self) -> bool:
        """Whether the bot is to be heard and may be silenced."""
        return self.phase in (Phase.GREETING, Phase.SPEAKING) and not self._bot.speech.is_protected

    def _holding_at(self) -> float | None:
        """When a caller who hears nothing, for want of a reply or of their own words, is told to hold on."""
        if self._caller.talking_since is not None:
            return None
        waiting_since = self._caller.waiting_since
        if self.phase is not Phase.LISTENING or waiting_since is None or self._bot.has_asked_to_hold:
            return self._bot.holding_at
        return waiting_since + self._rules.holding_after_s

    # --- the caller's turn -------------------------------------------------------------------------------------

    def _caller_talks(self, actions: list[Action]) -> list[Action]:
        """Voice: a new turn, or more of the open one, which a reply to the words so far would not answer."""
        self._reprompted = 0
        if actions:
            self._over_bot = bool(self._bot.speech.pending)
            self._bot.has_asked_to_hold = False
            self._guesses = 0
            self._caller.expected = expectation(self._bot.words)
        return self._bot.drop_guess() + actions

    def _weigh_words(self, now: float) -> list[Action]:
        """There are words up to a pause. Said over the bot, they may be no turn: then it goes on.

        Otherwise the caller may have finished, and the bot begins to think of an answer.
        """
        words = self._caller.words
        if words is None:
            return []
        if self._over_bot and not self._is_turn(words, self._caller.speech_s):
            return self._dismiss(now)
        if words and self.phase is Phase.LISTENING:
            return self._guess(words)
        return self._bot.hold(now) if self._over_bot and self._may_be_held else []

    def _dismiss(self, now: float) -> list[Action]:
        """What was said over the bot is no turn; a recogniser that has not finished may yet make one of it."""
        if not self._caller.is_transcribed:
            self._caller.settle()
            return []
        return self._caller.close() + (self._bot.resume(now) if self.phase is Phase.HELD else [])

    def _guess(self, words: str) -> list[Action]:
        """Begin to answer what may be all of the turn, unless that is under way or was in vain too often."""
        if not (self._rules.speculate and self._caller.has_paused):
            return []
        if self._guesses >= self._rules.most_guesses or self._turns >= self._rules.most_turns:
            return []
        actions = self._bot.guess(self._caller.number, words)
        self._guesses += bool(actions)
        return actions

    def _take_turn(self, turn: CallerTurn, now: float) -> list[Action]:
        """The caller has finished."""
        if self.phase is Phase.THINKING and asks_for_presence(turn.text):
            return self._bot.ask_to_hold(now)  # the reply they wait for is not begun anew
        if turn.text and not (self._over_bot and not self._is_turn(turn.text, turn.speech_s)):
            if not self._bot.speech.is_protected:
                return self._answer(turn.number, turn.text, now, since=turn.ended_at)
            self._deferred = turn
            return []
        match self.phase:
            case Phase.HELD:
                return self._bot.resume(now)
            case Phase.LISTENING:
                return self._ask_again(turn, now)
            case _:
                return []  # a noise that stopped nothing

    def _ask_again(self, turn: CallerTurn, now: float) -> list[Action]:
        """No words were made out, or none that were a turn: if there should have been some, say so."""
        if not turn.understood:
            return self._bot.say(self._rules.apology, now)
        if not turn.text and turn.speech_s >= self._rules.least_speech_s:
            return self._bot.say(self._rules.not_understood, now)
        self._bot.listen(now)
        return []

    def _answer(self, number: int, words: str, now: float, *, since: float, keyed: bool = False) -> list[Action]:
        self._deferred = None
        self._turns += 1
        if self._turns > self._rules.most_turns:
            actions = [*self._bot.interrupt(now), RememberCaller(number, words, keyed)]
            return actions + self._bot.part(EndReason.TOO_LONG, self._rules.goodbye, now)
        return self._bot.answer(number, words, now, since=since, keyed=keyed)

    def _answer_deferred(self, now: float) -> list[Action]:
        """Words of ours that must not be interrupted are over: a caller who spoke over them is answered now."""
        turn = self._deferred
        if turn is None or self.phase is Phase.ENDED or self._bot.speech.is_protected:
            return []
        return self._answer(turn.number, turn.text, now, since=now)

    def _is_turn(self, words: str, speech_s: float) -> bool:
        said = self._bot.words
        return judge(words, speech_s, said, expectation(said), self._rules.intrusion) is Intrusion.TURN

    # --- keys and silence --------------------------------------------------------------------------------------

    def _key(self, key: str, now: float) -> list[Action]:
        """Keys make up a turn of their own; the first of them stops the bot's voice, where the rules say so."""
        self._reprompted = 0
        stops = self._rules.keys_interrupt and not self._keypad.is_open and not self._bot.speech.is_protected
        wanted = self._keypad.is_wanted
        entry = self._keypad.press(key, now)
        if entry == "":
            return []  # a terminator with nothing to end
        actions = self._bot.interrupt(now) if stops else []
        return actions if entry is None else actions + self._take_keys(entry, wanted, now)

    def _take_keys(self, keys: str, wanted: bool, now: float) -> list[Action]:
        actions = self._caller.close()
        self._bot.has_asked_to_hold = False
        return actions + self._answer(self._caller.take_number(), keys, now, since=now, keyed=wanted)

    def _caller_is_silent(self, now: float) -> list[Action]:
        if self._caller.is_open or self._keypad.is_open:  # they are not
            self._bot.listen(now)
            return []
        self._reprompted += 1
        if self._reprompted > self._rules.reprompts:
            return self._bot.part(EndReason.SILENCE, self._rules.silent_goodbye, now)
        return self._bot.say(self._rules.still_there, now)
