"""The scripted caller, in invented time and against an imagined bot."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator.caller import (
    LINE_AT_REST,
    BargeIn,
    Began,
    CallerFrame,
    Cue,
    Finished,
    HangUp,
    PlayWav,
    Press,
    Say,
    ScriptedCaller,
    Step,
    Wait,
    spoken_text,
)
from telephony.simulator.carrier import FRAME_BYTES, FRAME_S
from telephony.simulator.ear import Hearing

SPEECH = b"s" * (5 * FRAME_BYTES)
"""Every line takes 100 ms."""


@dataclass
class Call:
    """A caller and the moments at which the bot speaks; `log` says what the caller did, and when."""

    steps: list[Step]
    bot: list[tuple[float, float]] = field(default_factory=list)
    buffered_until: float = 0.0
    log: list[tuple[float, str]] = field(default_factory=list)
    audio: bytes = b""

    def run(self, until: float = 10.0) -> list[tuple[float, str]]:
        cues = [Cue(step, SPEECH if spoken_text(step) else b"") for step in self.steps]
        caller = ScriptedCaller(cues, began_at=0.0, patience_s=0.7, answer_timeout_s=3.0)
        for tick in range(round(until / FRAME_S)):
            now = tick * FRAME_S
            frame = caller.frame(b"", self._hearing(now), now < self.buffered_until, now)
            self._note(frame, round(now, 2))
            if frame.hang_up:
                break
        return self.log

    def _hearing(self, now: float) -> Hearing:
        past = [(began, ended) for began, ended in self.bot if began <= now]
        if not past:
            return Hearing()
        began, ended = past[-1]
        return Hearing(speaking=True, began_at=began) if now < ended else Hearing(began_at=began, ended_at=ended)

    def _note(self, frame: CallerFrame, now: float) -> None:
        self.audio += frame.audio
        for note in frame.notes:
            match note:
                case Began(text, barge_in):
                    self.log.append((now, f"{'interrupts' if barge_in else 'says'} {text}"))
                case Finished():
                    self.log.append((now, "is done"))
        if frame.digit:
            self.log.append((now, frame.digit))
        if frame.hang_up:
            self.log.append((now, frame.hang_up))


def test_a_line_is_said_when_the_bot_has_been_quiet_for_long_enough() -> None:
    call = Call([Say("hello")], bot=[(0.1, 1.0), (2.5, 3.0)])
    assert call.run() == [
        (1.7, "says hello"),
        (1.78, "is done"),
        (3.7, "the caller hung up"),
    ]


def test_a_pause_between_sentences_is_not_the_end_while_more_is_buffered() -> None:
    call = Call([Say("hello")], bot=[(0.1, 1.0)], buffered_until=2.0)
    assert call.run()[0] == (2.0, "says hello")


def test_an_interruption_comes_after_the_next_speech_has_begun() -> None:
    call = Call([Say("tell me"), BargeIn("stop", after_s=0.5)], bot=[(0.0, 1.0), (3.0, 9.0)])
    assert call.run()[2] == (3.5, "interrupts stop")


def test_an_interruption_is_made_even_if_the_bot_was_quicker() -> None:
    call = Call([BargeIn("wait", after_s=0.5)], bot=[(1.0, 1.2)])
    assert call.run()[0] == (1.5, "interrupts wait")


def test_keys_are_pressed_one_by_one() -> None:
    call = Call([Press("12#", at_once=True), HangUp(at_once=True)])
    assert call.run() == [(0.0, "1"), (0.26, "2"), (0.52, "#"), (0.54, "the caller hung up")]


def test_what_is_done_at_once_waits_for_nobody() -> None:
    call = Call([Say("a", at_once=True), Wait(0.5), PlayWav(Path("x.wav"), "b", at_once=True), HangUp(at_once=True)])
    assert [what for _, what in call.run()] == ["says a", "is done", "says b", "is done", "the caller hung up"]
    assert call.log[2][0] - call.log[1][0] == pytest.approx(0.54, abs=0.021)


def test_a_bot_that_says_nothing_is_hung_up_on() -> None:
    call = Call([Say("hello")], bot=[(0.1, 1.0)])
    assert call.run()[-1] == (4.78, "the bot said nothing for 3 s")


def test_a_bot_that_speaks_is_not_silent_however_long_it_takes() -> None:
    call = Call([Say("hello")], bot=[(0.1, 8.0)])
    assert call.run()[0] == (8.7, "says hello")


def test_a_line_without_audio_still_begins_and_ends() -> None:
    caller = ScriptedCaller([Cue(Say("", at_once=True))], began_at=0.0)
    frame = caller.frame(b"", Hearing(), False, 0.0)
    assert frame.notes == (Began("", False), Finished(""))


steps = st.lists(
    st.one_of(
        st.builds(Say, st.just("text"), st.booleans()),
        st.builds(BargeIn, st.just("text"), st.floats(0, 1)),
        st.builds(Press, st.text("0123456789*#", min_size=1, max_size=3), st.booleans()),
        st.builds(Wait, st.floats(0, 1)),
    ),
    max_size=6,
)
speeches = st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 3)), max_size=6).map(
    lambda pairs: sorted((began, began + length) for began, length in pairs)
)


@given(steps, speeches)
def test_every_script_ends_with_the_phone_put_down(script: list[Step], bot: list[tuple[float, float]]) -> None:
    call = Call(script, bot)
    log = call.run(until=80.0)
    assert log[-1][1].startswith(("the caller hung up", "the bot said nothing"))
    assert len(call.audio) % FRAME_BYTES == 0
    assert call.audio.count(b"s") == sum(what == "is done" for _, what in log) * len(SPEECH)
    assert sum(" text" in what for _, what in log) == sum(what == "is done" for _, what in log)


def test_a_resting_line_alternates_the_two_zeros() -> None:
    assert bytes((0xFF, 0x7F)) * 80 == LINE_AT_REST


def test_what_is_being_said_when_the_stream_breaks_is_lost_and_the_bot_has_the_word() -> None:
    caller = ScriptedCaller([Cue(Say("What?"), SPEECH), Cue(Say("Bye."), SPEECH)], began_at=0.0)
    greeted = Hearing(began_at=0.1, ended_at=0.5)
    assert caller.frame(b"", greeted, False, 2.0).notes == (Began("What?", barge_in=False),)

    caller.cut_off(2.02)

    assert caller.frame(b"", greeted, False, 4.0) == CallerFrame()
    again = Hearing(began_at=4.1, ended_at=4.5)
    assert caller.frame(b"", again, False, 6.0).notes == (Began("Bye.", barge_in=False),)
