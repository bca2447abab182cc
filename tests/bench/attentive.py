"""A caller who keeps saying what they have to say until it is answered, whatever becomes of the line."""

from collections.abc import Sequence
from enum import StrEnum

from telephony.scenarios.sounds import Reader, speech
from telephony.simulator.caller import LINE_AT_REST, CallerFrame, Press, Say
from telephony.simulator.carrier import FRAME_BYTES
from telephony.simulator.ear import Hearing
from tests.wire.moments import RESUMED

PATIENCE_S = 0.8
REPEATS_AFTER_S = 8.0
GIVES_UP_AFTER_S = 30.0
KEY_INTERVAL_S = 0.4


class Phase(StrEnum):
    """What is going on, as far as the caller can tell."""

    GREETING = "the greeting"
    CALLER = "the caller speaks"
    KEYS = "keys are pressed"
    REPLY = "the reply is generated"
    BOT = "the bot speaks"
    TRANSFER = "a transfer is announced"
    SILENCE = "silence"


class Attentive:
    """Performs its steps one after the other, each when the bot has answered the one before.

    It reads what the bot says: an excuse is no answer.
    """

    def __init__(self, steps: Sequence[Say | Press], began_at: float) -> None:
        self._steps = steps
        self._next = 0
        self._speech = b""
        self._keys = ""
        self._key_at = 0.0
        self._reader = Reader()
        self._known = 0  # pieces of the bot's that were heard before the caller fell silent, or the stream broke
        self._asked = False  # and was not answered yet
        self._since = began_at  # nothing has been heard or said
        self.phase = Phase.GREETING

    @property
    def heard(self) -> list[str]:
        """What the bot said, in stretches that were spoken apart."""
        return self._reader.pieces

    def cut_off(self, now: float) -> None:
        """What was being said is said again, once the bot has spoken."""
        if self._speech:
            self._speech = b""
            self._next -= 1
            self._asked = False
        self._asked = self._asked and not self._answers
        self._known = len(self._reader.pieces)
        self._since = now

    def frame(self, heard: bytes, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        """See `telephony.simulator.caller.Caller`."""
        self._reader.feed(heard)
        frame = self._act(hearing, more_to_come, now)
        self.phase = self._phase(hearing)
        return frame

    def _act(self, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        if self._speech:
            return self._speak(now)
        if self._keys:
            return self._press(now)
        if hearing.speaking or more_to_come:
            self._since = now
        silent_s = now - self._since
        if silent_s > GIVES_UP_AFTER_S:
            return CallerFrame(hang_up="the bot said nothing")
        if silent_s > REPEATS_AFTER_S and self._next:
            self._next -= 1
            return self._perform(now)
        if self._known == len(self._reader.pieces) or silent_s < PATIENCE_S:
            return CallerFrame()
        if self._asked and not self._answers:
            self._next -= 1
        return self._perform(now) if self._next < len(self._steps) else CallerFrame()

    @property
    def _answers(self) -> list[str]:
        """What the bot has said since, without its excuses."""
        return [piece for piece in self._reader.pieces[self._known :] if not RESUMED.startswith(piece)]

    def _perform(self, now: float) -> CallerFrame:
        step = self._steps[self._next]
        self._next += 1
        self._since = now
        if isinstance(step, Press):
            self._keys, self._key_at = step.digits, now
            return self._press(now)
        self._speech = speech(step.text)
        return self._speak(now)

    def _speak(self, now: float) -> CallerFrame:
        audio, self._speech = self._speech[:FRAME_BYTES], self._speech[FRAME_BYTES:]
        self._is_over(now)
        return CallerFrame(audio + LINE_AT_REST[len(audio) :])

    def _press(self, now: float) -> CallerFrame:
        if now < self._key_at:
            return CallerFrame()
        digit, self._keys = self._keys[0], self._keys[1:]
        self._key_at = now + KEY_INTERVAL_S
        self._is_over(now)
        return CallerFrame(digit=digit)

    def _is_over(self, now: float) -> None:
        self._since = now
        self._known = len(self._reader.pieces)
        self._asked = isinstance(self._steps[self._next - 1], Say)  # keys that were pressed are remembered

    def _phase(self, hearing: Hearing) -> Phase:
        if self._speech:
            return Phase.CALLER
        if self._keys:
            return Phase.KEYS
        if not self._next:
            return Phase.GREETING if hearing.speaking or not self.heard else Phase.SILENCE
        if hearing.speaking:
            return Phase.TRANSFER if "put you through" in self.heard[-1] else Phase.BOT
        return Phase.REPLY if len(self.heard) == self._known else Phase.SILENCE
