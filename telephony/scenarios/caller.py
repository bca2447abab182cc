"""The caller of a scenario: performs its steps on whichever line, in invented time or live.

Pure, like the simulator's own callers: told what it hears and the time, it answers with the next 20 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from telephony.scenarios import steps
from telephony.simulator.caller import LINE_AT_REST, Began, CallerFrame, Finished
from telephony.simulator.carrier import FRAME_BYTES
from telephony.simulator.ear import Hearing

PATIENCE_S = 0.7
"""Quiet after which the caller is sure that the bot has finished."""
GIVES_UP_S = 30.0
"""How long a step waits for a bot that says nothing before the caller puts the phone down."""
HUNG_UP = "the caller hung up"
GAVE_UP = f"the caller gave up after {GIVES_UP_S:g} s of silence"

_ECHO_FRAMES = 10  # a longer way back than 200 ms is no echo of a loudspeaker


class BotWords(Protocol):
    """What the caller makes out of what they hear."""

    def hear(self, ulaw: bytes, now: float) -> None:
        """The next piece of the bot's voice, or of silence."""

    @property
    def sentences(self) -> Sequence[str]:
        """All that the bot began to say so far, the last as far as it was heard."""
        ...


@dataclass(frozen=True, slots=True)
class Cue:
    """A step ready to be performed: `audio` is its sound as μ-law, empty for steps without."""

    step: steps.Step
    audio: bytes = b""


@dataclass(slots=True)
class LineFaults:
    """What is wrong with the line at the moment; the caller's script breaks it, the line behaves so."""

    loses_marks: bool = False
    stalled_until: float = 0.0


class ScenarioCaller:
    """Performs cues in order; after the last one it stays on the line until somebody ends the call."""

    def __init__(self, cues: Sequence[Cue], words: BotWords, faults: LineFaults, began_at: float) -> None:
        self._cues = cues
        self._words = words
        self._faults = faults
        self._next = 0
        self._asked_at = self._current_at = began_at  # when the caller last wanted an answer; since when the step waits
        self._follows = False  # the step comes at once, whatever it says itself
        self._known = 0  # sentences that had begun when the caller last made a sound
        self._known_text = 0
        self._speech = b""
        self._keys = ""
        self._key_at = 0.0
        self._echo: bytearray | None = None

    @property
    def step(self) -> steps.Step | None:
        """What the caller is doing or waiting to do; None once the script is over."""
        return self._cues[self._next].step if self._next < len(self._cues) else None

    def complaint(self, ended: str) -> str:
        """What the caller would say of the call, which `ended` so; empty if they could do all they wanted."""
        if ended == GAVE_UP:
            return f"{GAVE_UP}, waiting to {self._waits_to}"
        if all(isinstance(cue.step, steps.Wait | steps.Pause) for cue in self._cues[self._next :]):
            return ""
        return f"the call was over before the caller could {self._waits_to}"

    @property
    def _waits_to(self) -> str:
        if self.step is None:
            return "stay"
        key = next(iter(type(self.step).model_fields)).replace("_", " ")
        return f"{key} (step {self._next + 1})"

    def frame(self, heard: bytes, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        self._words.hear(heard, now)
        frame = self._act(hearing, more_to_come, now)
        if self._echo is None:
            return frame
        self._echo += heard
        del self._echo[: -_ECHO_FRAMES * FRAME_BYTES]
        back, self._echo = bytes(self._echo[:FRAME_BYTES]), self._echo[FRAME_BYTES:]
        if frame.audio is not LINE_AT_REST or len(back) < FRAME_BYTES:
            return frame
        return CallerFrame(back, frame.notes, frame.digit, frame.hang_up)

    def cut_off(self, now: float) -> None:
        """The line they were speaking is over, and before the next one they wait for the bot to say something."""
        if self._speech:
            self._speech = b""
            self._proceed(now)
        self._asked_at = now

    def _act(self, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        if self._speech:
            return self._speak(now)
        if self._keys:
            return self._press(now)
        if self.step is None:
            return CallerFrame()
        if self._is_due(self.step, hearing, more_to_come, now):
            return self._perform(self._cues[self._next], now)
        if self._gave_up(hearing, more_to_come, now):
            return CallerFrame(hang_up=GAVE_UP)
        return CallerFrame()

    def _is_due(self, step: steps.Step, hearing: Hearing, more_to_come: bool, now: float) -> bool:
        if isinstance(step, steps.Pause | steps.Wait):
            return now - self._current_at >= (step.pause if isinstance(step, steps.Pause) else step.wait)
        ended_at = hearing.ended_at or 0.0
        match steps.Now() if self._follows else step.when:
            case steps.Now():
                return True
            case steps.Answered():
                is_quiet = not hearing.speaking and not more_to_come
                return is_quiet and ended_at > self._asked_at and now - ended_at >= PATIENCE_S
            case steps.Speaking(seconds):
                began_at = max(hearing.began_at or 0.0, self._current_at)
                return hearing.speaking and now - began_at >= seconds
            case steps.Says(words):
                return words.found_in(" ".join(self._words.sentences)[self._known_text :])
            case steps.InSentence(number):
                return len(self._words.sentences) - self._known >= number
            case steps.Silent(seconds):
                since = max(ended_at, self._current_at)
                return not hearing.speaking and not more_to_come and now - since >= seconds

    def _gave_up(self, hearing: Hearing, more_to_come: bool, now: float) -> bool:
        if hearing.speaking or more_to_come or isinstance(self.step, steps.Wait | steps.Pause):
            return False
        when = self.step.when if self.step else steps.Now()
        patience_s = GIVES_UP_S + (when.seconds if isinstance(when, steps.Silent) else 0.0)
        return now - max(self._current_at, hearing.ended_at or 0.0) >= patience_s

    def _perform(self, cue: Cue, now: float) -> CallerFrame:
        match cue.step:
            case steps.HangUp():
                self._proceed(now)
                return CallerFrame(hang_up=HUNG_UP)
            case steps.Press(press=keys):
                self._keys, self._key_at = keys, now
                return self._press(now)
            case steps.LoseMarks(lose_marks=lost):
                self._faults.loses_marks = lost
            case steps.StallSocket(stall_socket=seconds):
                self._faults.stalled_until = now + seconds
            case steps.Echo(echo=on):
                self._echo = bytearray() if on else None
            case steps.Pause() | steps.Wait():
                pass
            case sound:
                self._speech = cue.audio or LINE_AT_REST
                frame = self._speak(now)
                began = Began(sound_text(sound), isinstance(sound, steps.BargeIn))
                return CallerFrame(frame.audio, (began, *frame.notes))
        self._proceed(now, follows=isinstance(cue.step, steps.Pause))
        return CallerFrame()

    def _speak(self, now: float) -> CallerFrame:
        audio, self._speech = self._speech[:FRAME_BYTES], self._speech[FRAME_BYTES:]
        if self._speech:
            return CallerFrame(audio)
        step = self._cues[self._next].step
        text = sound_text(step)
        self._proceed(now, asked=isinstance(step, steps.Say | steps.BargeIn), sounded=True)
        return CallerFrame(audio + LINE_AT_REST[len(audio) :], (Finished(text),))

    def _press(self, now: float) -> CallerFrame:
        step = self.step
        if now < self._key_at or not isinstance(step, steps.Press):
            return CallerFrame()
        key, self._keys = self._keys[:1], self._keys[1:]
        self._key_at = now + step.every
        if not self._keys:
            self._proceed(now, asked=True, sounded=True)
        return CallerFrame(digit=key)

    def _proceed(self, now: float, *, asked: bool = False, sounded: bool = False, follows: bool = False) -> None:
        self._next += 1
        self._current_at = now
        self._follows = follows
        if asked:
            self._asked_at = now
        if sounded:
            self._known = len(self._words.sentences)
            self._known_text = len(" ".join(self._words.sentences))


def sound_text(step: steps.Step) -> str:
    """The words of a step; of a sound that wants no answer, what it is, in round brackets."""
    match step:
        case steps.Say(say=text) | steps.BargeIn(barge_in=text):
            return text
        case steps.Backchannel(backchannel=text):
            return f"({text})"
        case steps.Cough():
            return "(cough)"
        case steps.Noise():
            return "(noise)"
    return ""
