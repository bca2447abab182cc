"""The caller: a script of what to say and when, followed by listening to the bot as a person would.

Pure: it is given what it hears and the time, and answers with the next 20 ms of its own line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from telephony.simulator.carrier import FRAME_BYTES
from telephony.simulator.ear import Hearing

LINE_AT_REST = bytes((0xFF, 0x7F)) * (FRAME_BYTES // 2)
"""A frame in which nobody speaks: a real line alternates the two zeros of μ-law."""

_KEY_INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class Say:
    """Say something once the bot has answered and the line is quiet; `at_once` does not wait for that."""

    text: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Interrupt: say something `after_s` after the bot has begun to speak next."""

    text: str
    after_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, one after the other, once the bot has answered and the line is quiet."""

    digits: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class PlayWav:
    """Say what a WAV file holds; `text` is what that is, for comparison with what the bot heard."""

    path: Path
    text: str = ""
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the phone down once the bot has answered and the line is quiet; the end of every script."""

    at_once: bool = False


type Step = Say | BargeIn | Press | PlayWav | Wait | HangUp


@dataclass(frozen=True, slots=True)
class Cue:
    """A step ready to be performed: `audio` is its speech as μ-law, empty for steps without."""

    step: Step
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class Began:
    """The caller begins to speak with this frame."""

    text: str
    barge_in: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """With this frame the last of the caller's words has been sent."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerFrame:
    """20 ms of the caller's line and what goes with them. `hang_up` says why, and is empty to stay."""

    audio: bytes = LINE_AT_REST
    notes: tuple[Began | Finished, ...] = ()
    digit: str = ""
    hang_up: str = ""


class Caller(Protocol):
    """Whoever holds the phone: asked for 20 ms of audio every 20 ms."""

    def frame(self, heard: bytes, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        """Listen, then speak. `heard` is μ-law; `more_to_come`: the carrier has bot audio left to play."""
        ...

    def cut_off(self, now: float) -> None:
        """The bot is not on the line any more: what is being said reaches nobody."""
        ...


class ScriptedCaller:
    """Performs cues in order. `patience_s` of quiet make the caller sure that the bot has finished.

    A bot that says nothing for `answer_timeout_s` when it is its turn is hung up on.
    """

    def __init__(
        self, cues: Iterable[Cue], *, began_at: float, patience_s: float = 0.7, answer_timeout_s: float = 20.0
    ) -> None:
        self._cues = [*cues, Cue(HangUp())]
        self._patience_s = patience_s
        self._answer_timeout_s = answer_timeout_s
        self._next = 0
        self._asked_at = began_at  # when the caller last said or pressed something: what follows is the answer
        self._current_at = began_at
        self._interrupt_at: float | None = None
        self._speech = b""
        self._digits = ""
        self._key_at = 0.0

    def frame(self, heard: bytes, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        if self._speech:
            return self._speak(now)
        if self._digits:
            return self._press(now)
        cue = self._cues[self._next]
        finished = self._bot_finished(hearing, more_to_come, now)
        if self._is_due(cue.step, finished, hearing, now):
            return self._perform(cue, now)
        if not isinstance(cue.step, Wait) and self._gave_up(hearing, more_to_come, now):
            return CallerFrame(hang_up=f"the bot said nothing for {self._answer_timeout_s:g} s")
        return CallerFrame()

    def cut_off(self, now: float) -> None:
        """The line they were speaking is over, and before the next one they wait for the bot to say something."""
        if self._speech:
            self._speech = b""
            self._proceed(now, asked=True)
        self._asked_at = now

    def _bot_finished(self, hearing: Hearing, more_to_come: bool, now: float) -> bool:
        """Whether the bot has answered what was last said to it, and its answer is over."""
        ended_at = hearing.ended_at
        return (
            ended_at is not None
            and ended_at > self._asked_at
            and now - ended_at >= self._patience_s
            and not more_to_come
        )

    def _is_due(self, step: Step, finished: bool, hearing: Hearing, now: float) -> bool:
        match step:
            case Wait(seconds=seconds):
                return now - self._current_at >= seconds
            case BargeIn(after_s=after_s):
                if self._interrupt_at is None and hearing.speaking and hearing.began_at is not None:
                    self._interrupt_at = max(hearing.began_at, self._current_at) + after_s
                return self._interrupt_at is not None and now >= self._interrupt_at
            case _:
                return finished or step.at_once

    def _gave_up(self, hearing: Hearing, more_to_come: bool, now: float) -> bool:
        if hearing.speaking or more_to_come or self._interrupt_at is not None:
            return False
        waiting_since = max(self._current_at, hearing.ended_at or 0.0)
        return now - waiting_since >= self._answer_timeout_s

    def _perform(self, cue: Cue, now: float) -> CallerFrame:
        match cue.step:
            case HangUp():
                return CallerFrame(hang_up="the caller hung up")
            case Wait():
                self._proceed(now, asked=False)
                return CallerFrame()
            case Press(digits=digits):
                self._digits, self._key_at = digits, now
                return self._press(now)
            case _:
                self._speech = cue.audio or LINE_AT_REST
                began = Began(spoken_text(cue.step), barge_in=isinstance(cue.step, BargeIn))
                frame = self._speak(now)
                return CallerFrame(frame.audio, (began, *frame.notes))

    def _speak(self, now: float) -> CallerFrame:
        audio, self._speech = self._speech[:FRAME_BYTES], self._speech[FRAME_BYTES:]
        if self._speech:
            return CallerFrame(audio)
        text = spoken_text(self._cues[self._next].step)
        self._proceed(now, asked=True)
        return CallerFrame(audio + LINE_AT_REST[len(audio) :], (Finished(text),))

    def _press(self, now: float) -> CallerFrame:
        if now < self._key_at:
            return CallerFrame()
        digit, self._digits = self._digits[:1], self._digits[1:]
        self._key_at = now + _KEY_INTERVAL_S
        if not self._digits:
            self._proceed(now, asked=True)
        return CallerFrame(digit=digit)

    def _proceed(self, now: float, asked: bool) -> None:
        self._next += 1
        self._current_at = now
        self._interrupt_at = None
        if asked:
            self._asked_at = now


def spoken_text(step: Step) -> str:
    """The words of a step, empty where it has none."""
    return step.text if isinstance(step, Say | BargeIn | PlayWav) else ""
