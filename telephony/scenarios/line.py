"""The media stream of invented time: our carrier's line at one end, the bot at the other, no socket between them."""

import asyncio
from collections.abc import Callable

from providers.audio import mulaw
from telephony.scenarios.caller import LineFaults
from telephony.simulator.caller import Caller
from telephony.simulator.carrier import BYTES_PER_S, FRAME_S, Heard, Line
from telephony.simulator.ear import Ear
from telephony.simulator.events import BotQuiet
from telephony.simulator.journal import Journal
from telephony.simulator.leg import Leg
from telephony.simulator.recording import NoRecording
from telephony.twilio.messages import Start
from telephony.twilio.stream import Fault, MediaStream, Received

START = Start("MZ" + 32 * "d", "CA" + 32 * "b", "AC" + 32 * "a")


class InventedLine:
    """What a session takes for its line. Every 20 ms of the loop's time the caller is asked for a frame.

    While it is stalled, nothing gets through either way and nothing is lost.
    """

    def __init__(self, caller: Caller, faults: LineFaults, journal: Journal, clock: Callable[[], float]) -> None:
        self._faults = faults
        self._clock = clock
        self._began_at = clock()
        self._stream = MediaStream()
        self.carrier = Line(START, self._began_at)
        self._ear = Ear()
        self._journal = journal
        self._leg = Leg(caller, self._ear, NoRecording(), journal, lambda: None)
        self._to_bot = list(self.carrier.open())
        self._to_carrier: list[str] = []
        self._frames = 0
        self._is_over = False
        self.ended = ""
        """Why the line ended, if the caller or the carrier ended it."""
        self.problems: list[str] = []

    def media(self, payload: bytes) -> None:
        self._send(self._stream.media(payload))

    def mark(self, name: str) -> None:
        if not self._faults.loses_marks:
            self._send(self._stream.mark(name))

    def clear(self) -> None:
        self._send(self._stream.clear())

    async def read(self, take: Callable[[Received], None]) -> None:
        while await self._has_something():
            texts, self._to_bot = self._to_bot, []
            for item in (item for text in texts for item in self._stream.receive(text)):
                if isinstance(item, Fault):
                    self.problems.append(f"the bot does not understand the carrier: {item.detail}")
                else:
                    take(item)

    async def _has_something(self) -> bool:
        """Wait for something to come to the bot; False once the line is over."""
        while not self._to_bot or self._is_stalled:
            if self._is_over:
                return False
            await asyncio.sleep(max(0.0, self._began_at + (self._frames + 1) * FRAME_S - self._clock()))
            self._tick()
        return True

    def end(self, reason: str) -> None:
        """The carrier ends the stream, with the next frame."""
        self.ended = self.ended or reason

    @property
    def _is_stalled(self) -> bool:
        return self._clock() < self._faults.stalled_until and not self._is_over

    def _send(self, text: str) -> None:
        self._to_carrier.append(text)
        if not self._is_stalled:
            self._deliver()

    def _deliver(self) -> None:
        texts, self._to_carrier = self._to_carrier, []
        for text in texts:
            was_idle = self.carrier.buffered_bytes == 0
            self._to_bot += self.carrier.receive(text, self._clock())
            self._leg.received(self.carrier, was_idle, self._clock())

    def _tick(self) -> None:
        now = self._clock()
        self._frames += 1
        if not self._is_stalled:
            self._deliver()
        self._to_bot += self.carrier.tick(now)
        tick = self._leg.tick(self.carrier.take_heard(), self.carrier.buffered_bytes > 0, now)
        self.ended = self.ended or tick.hang_up
        if self.ended:
            self._to_bot.append(self.carrier.stop())
            self._hang_up(now)
            return
        self._to_bot.append(self.carrier.frame(tick.audio))
        if tick.digit:
            self._to_bot.append(self.carrier.press(tick.digit))

    def _hang_up(self, now: float) -> None:
        """Nothing comes any more, by which the caller's ear knows that the bot has finished."""
        self._is_over = True
        for hearing in self._ear.hear(Heard(now, mulaw.SILENCE * BYTES_PER_S)):
            if hearing.ended_at is not None:
                self._journal.note(BotQuiet(self._journal.at_s(hearing.ended_at)))
