"""Any call at all: machine, ledger and our carrier's line, with caller, engines and clock in hypothesis's hands."""

import re
from collections import deque
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from telephony.call import actions, events
from telephony.call.machine import CallMachine
from telephony.call.phases import Phase
from telephony.call.playout import Begun, Heard, Playout, SendAudio
from telephony.call.rules import CallRules
from telephony.scenarios.sounds import CHARACTER_S, Reader, speech
from telephony.simulator.carrier import PlayoutQueue

TICK_S = 0.02
RULES = CallRules(
    greeting="Good day, how can I help?",
    notice="",
    not_understood="Say it once more?",
    still_there="Are you here?",
    holding="One sec now.",
    apology="Bad luck. Do say it once more.",
    defeat="I can not go on.",
    goodbye="Bye bye.",
    silent_goodbye="I hear no one. Bye.",
    longest_call_s=300.0,
    most_turns=12,
)
"""Words of a few letters, so that one which playback was cut in is said again from before its beginning."""
WORDS = st.sampled_from(
    [
        "",
        "yes",
        "Yes.",
        "okay",
        "mm-hm",
        "stop",
        "hello?",
        "a table for two",
        "A table for two.",
        "I want to",
        "one sec",
    ]
)
SECONDS = st.builds(
    lambda about, more: about + more, st.sampled_from([0.0, 0.1, 0.3, 0.6, 1.2, 2.5, 9.0]), st.floats(0, 1)
)


class AnyCall(RuleBasedStateMachine):
    """What session, listener and speaker do, without their waits: each rule is something that may happen next."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.playout = Playout()
        self.line = PlayoutQueue(self.now)
        self.reader = Reader()
        self.loses_marks = False
        self.sent: list[str] = []
        self.echoed: list[str] = []
        self.unspoken: deque[actions.Say] = deque()
        self.given = 0  # bytes of the first of them
        self.texts: dict[tuple[int, int], str] = {}
        self.fates: list[tuple[int, int]] = []  # of sentences, each told once
        self.remembered: list[str] = []
        self.asked: actions.Transcribe | None = None
        self.listening: int | None = None
        self.closed = 0  # the last turn of the caller that was closed
        self.replying: tuple[int, bool] | None = None  # turn, and whether it is a guess
        self.latest_said = self.latest_turn = self.latest_memory = 0
        self.endings: list[actions.Action] = []
        self.words = 0

    @initialize(streams=st.booleans(), notice=st.sampled_from(["", "We do tape all of it."]), polite=st.booleans())
    def begin(self, streams: bool, notice: str, polite: bool) -> None:
        rules = replace(RULES, transcribe_at_pause=not streams, notice=notice, greeting_interruptible=not polite)
        self.machine = CallMachine(rules, self.now)

    # --- what may happen -----------------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        served = 0
        while True:
            due = [at for at in (self.machine.deadline(), self.playout.wakes_at()) if at is not None]
            at = min([*due, self.now + TICK_S if self.line.buffered_bytes else until])
            if at >= until:
                break
            self.now = max(self.now, at)
            served += 1
            assert served < 100_000, "a timer that changes nothing is armed for ever"
            self._wake()
        self.now = until
        self._wake()

    @rule()
    def the_engines_are_ready(self) -> None:
        self._happens(events.CallStarted())

    @rule(before=st.floats(0.0, 0.3))
    def the_voice_is_noticed(self, before: float) -> None:
        self._happens(events.SpeechStarted(max(0.0, self.now - before)))

    @rule(before=st.floats(0.0, 0.3))
    def the_voice_stops(self, before: float) -> None:
        self._happens(events.SpeechStopped(max(0.0, self.now - before)))

    @precondition(lambda self: self.asked is not None)
    @rule(text=WORDS)
    def the_recogniser_answers(self, text: str) -> None:
        asked, self.asked = self.asked, None
        assert asked is not None
        self._happens(events.TranscriptReady(asked.turn, asked.attempt, text))

    @precondition(lambda self: self.asked is not None)
    @rule()
    def the_recogniser_fails(self) -> None:
        asked, self.asked = self.asked, None
        assert asked is not None
        self._happens(events.TranscriptFailed(asked.turn, asked.attempt))

    @rule(text=WORDS.filter(bool), over=st.booleans())
    def words_are_made_out(self, text: str, over: bool) -> None:
        if self.listening is None:
            self._happens(events.WordsMissed(self.now))
        if self.listening is not None:
            self._happens(events.WordsSoFar(self.listening, text))
        if self.listening is not None and over:
            self._happens(events.EngineSaysOver(self.listening))

    @precondition(lambda self: self.replying is not None)
    @rule(count=st.integers(1, 4), then=st.sampled_from(["more", "end", "fail", "hang up", "transfer", "keys"]))
    def the_model_writes(self, count: int, then: str) -> None:
        for _ in range(count):
            if self.replying is not None:
                self._happens(events.SentenceGenerated(self.replying[0], self._sentence()))
        if self.replying is None:
            return
        turn = self.replying[0]
        if then == "hang up":
            self._happens(events.HangUpRequested(turn))
        elif then == "transfer":
            self._happens(events.TransferRequested(turn, "+15550100143"))
        elif then == "keys":
            self._happens(events.KeysRequested(turn, 2, "*"))
        if then != "more":
            self.replying = None
            self._happens(events.ReplyFailed(turn) if then == "fail" else events.ReplyFinished(turn))

    @precondition(lambda self: self.unspoken)
    @rule(share=st.floats(0.0, 1.0), whole=st.booleans())
    def the_voice_speaks(self, share: float, whole: bool) -> None:
        say = self.unspoken[0]
        audio = speech(say.text)
        until = len(audio) if whole else self.given + round(share * len(audio))
        self.playout.add(say.turn, say.sentence, audio[self.given : until])
        self.given = until
        if until >= len(audio):
            self.playout.finish(say.turn, say.sentence)
            self.unspoken.popleft()
            self.given = 0
        self._pump()

    @precondition(lambda self: self.unspoken and not self.given)
    @rule()
    def the_voice_fails(self) -> None:
        say = self.unspoken.popleft()
        self.fates.append((say.turn, say.sentence))
        self._happens(events.SentenceFailed(say.turn, say.sentence))

    @rule(key=st.sampled_from("12*#"))
    def a_key_is_pressed(self, key: str) -> None:
        self._happens(events.KeyPressed(key))

    @rule(lost=st.booleans())
    def marks_are_lost(self, lost: bool) -> None:
        self.loses_marks = lost

    @rule(turn=st.integers(0, 3), sentence=st.integers(0, 3))
    def something_comes_too_late(self, turn: int, sentence: int) -> None:
        for late in (
            events.TranscriptReady(turn, 0, "late"),
            events.WordsSoFar(-1, "late"),
            events.EngineSaysOver(-1),
            events.SentenceHeard(-1, sentence),
            events.SentenceCut(-1, sentence, 1.0),
            events.SentenceGenerated(-1, "late"),
            events.ReplyFinished(-1),
        ):
            before = self.machine.phase
            assert not [order for order in self.machine.handle(late, self.now) if self._obey(order)]
            assert self.machine.phase is before

    @rule(seconds=SECONDS)
    def a_turn_goes_as_it_should(self, seconds: float) -> None:
        """Without this, hypothesis hardly ever gets as far as an answer."""
        if not self.texts:
            self.the_engines_are_ready()
        self.the_voice_is_noticed(before=0.0)
        self.time_passes(1.0)
        self.the_voice_stops(before=0.0)
        self.time_passes(0.6)
        if self.asked is not None:
            self.the_recogniser_answers(text="A table for two.")
        self.time_passes(0.6)
        if self.replying is not None:
            self.the_model_writes(count=2, then="end")
        while self.unspoken:
            self.the_voice_speaks(share=1.0, whole=True)
        self.time_passes(seconds)

    @rule(text=WORDS.filter(bool), changed=st.booleans())
    def the_recogniser_tells_its_words_and_takes_its_time_to_finish(self, text: str, changed: bool) -> None:
        self.the_voice_is_noticed(before=0.0)
        self.time_passes(0.5)
        self.words_are_made_out(text, over=False)
        self.the_voice_stops(before=0.0)
        self.time_passes(3.5)
        if self.asked is not None:
            self.the_recogniser_answers(text="A table for two." if changed else text)
        self.time_passes(1.0)

    @rule()
    def the_caller_talks_over_it(self) -> None:
        self.the_voice_is_noticed(before=0.0)
        self.time_passes(0.4)
        self.the_voice_stops(before=0.0)
        if self.asked is not None:
            self.the_recogniser_answers(text="stop")
        self.time_passes(0.6)

    # --- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def every_phase_but_the_last_has_a_deadline(self) -> None:
        if hasattr(self, "machine"):
            assert (self.machine.deadline() is None) == (self.machine.phase is Phase.ENDED)
            assert len(self.endings) == (self.machine.phase is Phase.ENDED)

    @invariant()
    def nothing_is_remembered_that_was_not_heard(self) -> None:
        self.reader.feed(self.line.take_heard().audio)
        heard = iter(_words(self.reader.text))
        said = [word for text in self.remembered for word in _words(text)]
        assert all(any(_is(word, sound) for sound in heard) for word in said), (self.remembered, self.reader.text)

    @invariant()
    def every_mark_comes_back_once(self) -> None:
        assert len(set(self.sent)) == len(self.sent)
        assert len(set(self.echoed)) == len(self.echoed)
        assert set(self.echoed) <= set(self.sent)

    @invariant()
    def every_sentence_has_one_fate(self) -> None:
        assert len(set(self.fates)) == len(self.fates)

    def teardown(self) -> None:
        """Left alone, the call comes to its end, and all that was sent is accounted for."""
        if not hasattr(self, "machine"):
            return
        self.loses_marks = False
        while (at := self.machine.deadline()) is not None:
            while self.unspoken:
                self.the_voice_speaks(share=1.0, whole=True)
            self.time_passes(max(0.1, at - self.now))
            assert self.now < 1500.0, "the call does not come to an end"
            self.nothing_is_remembered_that_was_not_heard()
            self.every_mark_comes_back_once()
        self.time_passes(60.0)
        assert len(self.endings) == 1
        assert self.echoed == self.sent
        assert self.playout.wakes_at() is None
        assert self.playout.queued_s == 0.0

    # --- the shell, in short -------------------------------------------------------------------------------------

    def _happens(self, event: events.Event) -> None:
        for order in self.machine.handle(event, self.now):
            self._obey(order)

    def _wake(self) -> None:
        self._echo(self.line.advance(self.now))
        for order in self.machine.handle_timer(self.now):
            self._obey(order)
        self._pump()

    def _obey(self, order: actions.Action) -> bool:  # noqa: C901 - a case an order
        match order:
            case actions.Listen(turn):
                assert self.listening is None
                assert turn > self.closed
                self.listening = turn
            case actions.Transcribe(turn):
                assert turn == self.listening
                self.asked = order
            case actions.StopListening(turn):
                assert turn == self.listening
                self.closed, self.listening, self.asked = turn, None, None
            case actions.StartReply(turn, guess):
                assert self.replying is None
                assert turn == self.latest_turn if guess is None else turn > self.latest_turn
                self.replying = (turn, guess is not None)
            case actions.ConfirmReply(turn):
                assert self.replying is None or self.replying == (turn, True)
                self.replying = self.replying and (turn, False)
            case actions.CancelReply(turn):
                assert self.replying is None or self.replying[0] == turn
                self.replying = None
            case actions.RememberCaller(turn, text):
                assert text
                assert turn > self.latest_turn
                self.latest_turn = turn
            case actions.RememberBot(turn, text):
                assert turn >= self.latest_memory
                self.latest_memory = turn
                self.remembered.append(text)
            case actions.Say(turn):
                assert self.latest_said <= turn <= self.machine.turn
                self.latest_said = turn
                self.unspoken.append(order)
                self.texts[turn, order.sentence] = order.text
            case actions.HoldPlayback():
                passed = self.playout.hold(self.now)
                self._clear()
                self._tell(passed)
            case actions.ResumePlayback():
                self.playout.resume()
                self._pump()
            case actions.DropPlayback():
                self._drop()
            case actions.HangUp() | actions.Transfer():
                self.endings.append(order)
        return True

    def _drop(self) -> None:
        unspoken = self.unspoken[0] if self.unspoken else None
        self.unspoken.clear()
        self.given = 0
        cut = self.playout.drop(self.now)
        self._clear()
        if cut is not None:
            spoken = self._words_spoken(cut.turn, cut.sentence, cut.heard_s)
            self._happens(events.SentenceCut(cut.turn, cut.sentence, cut.fraction, spoken))
        elif unspoken is not None:
            self._happens(events.SentenceCut(unspoken.turn, unspoken.sentence, 0.0))

    def _pump(self) -> None:
        for outgoing in self.playout.take(self.now):
            if isinstance(outgoing, SendAudio):
                self._echo(self.line.media(outgoing.payload, self.now))
            else:
                self.sent.append(outgoing.name)
                self._echo(self.line.mark(outgoing.name, self.now))
        self._tell(self.playout.overdue(self.now))

    def _clear(self) -> None:
        reached, dropped = self.line.clear(self.now)
        self._echo([*reached, *dropped])

    def _echo(self, names: list[str]) -> None:
        self.echoed += names
        if not self.loses_marks:
            for name in names:
                self._tell(self.playout.echoed(name, self.now))

    def _tell(self, facts: list[Begun | Heard] | list[Heard]) -> None:
        for fact in facts:
            if isinstance(fact, Heard):
                self.fates.append((fact.turn, fact.sentence))
                self._happens(events.SentenceHeard(fact.turn, fact.sentence))

    def _sentence(self) -> str:
        self.words += 3
        return " ".join("".join(chr(97 + n // 26**p % 26) for p in range(3)) for n in range(self.words - 3, self.words))

    def _words_spoken(self, turn: int, sentence: int, heard_s: float) -> int:
        words = re.finditer(r"\S+", self.texts[turn, sentence])
        return sum(word.end() * CHARACTER_S <= heard_s for word in words)


def _is(word: str, heard: str) -> bool:
    """Whether that was the word; playback held within it goes on a little before, so that letters are heard twice."""
    return any(heard.startswith(word[:at]) and heard.endswith(word[at:]) for at in range(len(word) + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


TestAnyCall = AnyCall.TestCase
TestAnyCall.settings = settings(max_examples=60, stateful_step_count=60)
