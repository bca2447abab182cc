"""The caller of the load runs, in invented time, against a bot that does what the test says."""

import pytest

from tests.bench.caller import (
    ANSWER_LIMIT_S,
    AT_REST,
    TALK,
    AwaitReply,
    Interrupt,
    LoadCaller,
    Pause,
    Speak,
    Step,
)

FRAME_S = 0.02
SPEECH_FRAMES = 50
REPLY_S = 4.0


class Phone:
    """A caller asked every 20 ms; `sent` are its frames."""

    def __init__(self, *script: Step) -> None:
        self.now = 100.0
        self.caller = LoadCaller(script, SPEECH_FRAMES, REPLY_S, self.now)
        self.sent: list[int] = []

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self.sent.append(self.caller.tick(self.now))

    def reply(self, seconds: float) -> None:
        self.caller.audio(round(seconds * 8000), self.now)


def test_the_sentence_is_said_from_beginning_to_end_after_the_pause() -> None:
    phone = Phone(Pause(0.2), Speak())
    phone.wait(1.3)
    spoken = [frame for frame in phone.sent if frame != AT_REST]
    assert spoken == list(range(SPEECH_FRAMES))
    assert phone.sent.index(0) == pytest.approx(0.2 / FRAME_S, abs=1)
    assert phone.caller.is_done


def test_an_answer_is_timed_from_the_end_of_the_sentence() -> None:
    phone = Phone(Speak(), AwaitReply())
    phone.wait(1.0)
    phone.wait(0.3)
    phone.reply(REPLY_S)
    assert phone.caller.measures.answered_s == [pytest.approx(0.3)]


def test_an_answer_is_heard_out() -> None:
    phone = Phone(Speak(), AwaitReply())
    phone.wait(1.0)
    phone.reply(REPLY_S)
    phone.wait(REPLY_S - 0.1)
    assert not phone.caller.is_done
    phone.wait(0.2)
    assert phone.caller.is_done
    assert phone.caller.measures.lost == 0


def test_what_comes_before_the_sentence_is_over_is_no_answer() -> None:
    phone = Phone(Pause(1.0), Speak(), AwaitReply())
    phone.reply(0.5)
    phone.wait(2.5)
    assert phone.caller.measures.answered_s == []


def test_a_silence_in_an_answer_is_a_gap_and_one_behind_it_is_not() -> None:
    phone = Phone(Speak(), AwaitReply())
    phone.wait(1.0)
    phone.reply(REPLY_S / 2)
    phone.wait(REPLY_S / 2 + 0.1)
    phone.reply(REPLY_S / 2)
    phone.wait(REPLY_S)
    phone.reply(0.5)
    assert phone.caller.measures.gaps_s == [pytest.approx(0.1)]


def test_a_barge_in_is_timed_from_its_first_sound_to_the_clear() -> None:
    phone = Phone(Speak(), Interrupt(1.0), AwaitReply())
    phone.wait(1.0)
    phone.reply(REPLY_S)
    phone.wait(1.2)
    assert phone.sent[-1] != AT_REST
    began = phone.sent.index(0, SPEECH_FRAMES)
    phone.caller.clear(phone.now)
    assert phone.caller.measures.cleared_s == [pytest.approx((len(phone.sent) - 1 - began) * FRAME_S)]


def test_marks_come_back_when_playback_reaches_them() -> None:
    phone = Phone(*TALK)
    phone.reply(1.0)
    phone.caller.mark("end", phone.now)
    phone.wait(0.9)
    assert phone.caller.due_marks(phone.now) == []
    phone.wait(0.2)
    assert phone.caller.due_marks(phone.now) == ["end"]
    assert phone.caller.due_marks(phone.now) == []


def test_a_clear_brings_back_every_mark_at_once() -> None:
    phone = Phone(*TALK)
    for name in ("a", "b"):
        phone.reply(5.0)
        phone.caller.mark(name, phone.now)
    phone.caller.clear(phone.now)
    assert phone.caller.due_marks(phone.now) == ["a", "b"]


def test_a_bot_that_never_answers_is_given_up_and_counted() -> None:
    phone = Phone(Speak(), Interrupt(1.0), AwaitReply())
    phone.wait(1.0 + 2 * ANSWER_LIMIT_S + 0.2)
    assert phone.caller.is_done
    assert phone.caller.measures.lost == 2
