"""A whole line in invented time: our carrier model at the far end, a caller who makes noise at given moments."""

import asyncio
from collections.abc import Callable, Sequence

from telephony.audio.framer import Framer
from telephony.simulator.carrier import Line
from telephony.twilio.messages import Start
from telephony.twilio.stream import Fault, MediaStream, Received

VOICE = b"\x10" * 160
SILENCE = b"\xff" * 160
START = Start("MZ" + "d" * 32, "CA" + "b" * 32, "AC" + "a" * 32)


class LineInInventedTime:
    """What a session takes for its line. Frames come every 20 ms of the loop's time; `talk` says when they are loud."""

    def __init__(self, talk: Sequence[tuple[float, float]] = (), hangs_up_at: float = 60.0) -> None:
        self._clock = asyncio.get_running_loop().time
        self.began_at = self._clock()
        self._talk = talk
        self._hangs_up_at = hangs_up_at
        self.keys: dict[int, str] = {}
        """Keys by the number of the frame they are pressed in."""
        self.frames = 0
        self.sent: list[str] = []
        self.cleared_at: list[float] = []
        self.closed = False
        self.loses_marks = False
        self._stream = MediaStream()
        self.carrier = Line(START, self.began_at)
        self._coming = list(self.carrier.open())

    def media(self, payload: bytes) -> None:
        self._put(self._stream.media(payload))

    def mark(self, name: str) -> None:
        self.sent.append(name)
        if not self.loses_marks:
            self._put(self._stream.mark(name))

    def clear(self) -> None:
        self.cleared_at.append(self._clock() - self.began_at)
        self._put(self._stream.clear())

    async def read(self, take: Callable[[Received], None]) -> None:
        while not self.closed:
            if not self._coming:
                await asyncio.sleep(max(0.0, self.began_at + (self.frames + 1) * 0.02 - self._clock()))
                self._tick()
            coming, self._coming = self._coming, []
            for item in [item for text in coming for item in self._stream.receive(text)]:
                assert not isinstance(item, Fault)
                take(item)

    def heard(self) -> bytes:
        """All that the caller has heard, from the beginning of the stream."""
        self.carrier.tick(self._clock())
        return self.carrier.take_heard().audio

    def hang_up(self) -> None:
        """The carrier ends the stream."""
        self._hangs_up_at = 0.0

    def _put(self, text: str) -> None:
        self._coming += self.carrier.receive(text, self._clock())

    def _tick(self) -> None:
        at = self.frames * 0.02
        self.frames += 1
        self._coming += self.carrier.tick(self._clock())
        if at >= self._hangs_up_at:
            self._coming.append(self.carrier.stop())
            self.closed = True
            return
        loud = any(start <= at < start + length for start, length in self._talk)
        self._coming.append(self.carrier.frame(VOICE if loud else SILENCE))
        if key := self.keys.get(self.frames):
            self._coming.append(self.carrier.press(key))


class LoudnessDetection:
    """Voice is what is loud: scores each window at once, where the real detector takes a thread and a while."""

    hangover_ms = 0.0

    def __init__(self) -> None:
        self.open_streams = 0
        self.vouched = 0  # times

    def open(self, on_probability: Callable[[float], None]) -> "LoudnessStream":
        self.open_streams += 1
        return LoudnessStream(self, on_probability)


class LoudnessStream:
    def __init__(self, detection: LoudnessDetection, on_probability: Callable[[float], None]) -> None:
        self._detection = detection
        self._on_probability = on_probability
        self._framer = Framer(256)
        self._is_open = True

    def feed(self, ulaw: bytes) -> None:
        for window in self._framer.push(ulaw):
            if self._is_open:
                self._on_probability(window.count(VOICE[0]) / 256)

    def vouch(self) -> None:
        self._detection.vouched += 1

    def close(self) -> None:
        if self._is_open:
            self._detection.open_streams -= 1
        self._is_open = False
