"""The ears of one call: caller audio into voice edges and, turn by turn, into the recogniser."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from providers.errors import ProviderException
from providers.voice.base import BaseVoiceProvider
from telephony.audio.converter import LINE, Converter, input_spec
from telephony.audio.speech import SpeechDetector, SpeechEdge, SpeechStarted
from telephony.call import events

logger = logging.getLogger(__name__)

PRE_ROLL_FRAMES = 25
"""How much audio from before the voice was noticed a turn begins with: 0.5 s, the onset of the first word included."""
_PIECE_BYTES = 8000  # converted at a time, 1 s: about 0.3 ms of the event loop


class VoiceStream(Protocol):
    """Caller audio in; probabilities of voice go to the callback it was opened with."""

    def feed(self, ulaw: bytes) -> None: ...

    def close(self) -> None: ...


class VoiceDetection(Protocol):
    """Whatever tells voice from other sounds, for all calls of the process."""

    def open(self, on_probability: Callable[[float], None]) -> VoiceStream: ...


class Listener:
    """Tells `report` when the caller's voice starts and stops, and what the recogniser made of a turn.

    The turn's audio is kept until the turn is over, so that a recogniser can be asked again when the caller goes on
    after a pause. A streaming recogniser hears the turn while it is spoken.
    """

    def __init__(
        self,
        provider: BaseVoiceProvider,
        detection: VoiceDetection,
        report: Callable[[events.Event], None],
        clock: Callable[[], float],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._provider = provider
        self._report = report
        self._clock = clock
        self._tasks = tasks
        self._detector = SpeechDetector()
        self._voice = detection.open(self._on_probability)
        self._recent: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._turn: _TurnAudio | None = None
        self._work: asyncio.Task[None] | None = None
        self._fed_s = 0.0
        self._fed_at = clock()

    def feed(self, ulaw: bytes) -> None:
        """One frame of caller audio, 8 kHz μ-law."""
        self._fed_at = self._clock()
        self._fed_s += len(ulaw) / 8000
        (self._recent if self._turn is None else self._turn).append(ulaw)
        self._voice.feed(ulaw)

    def listen(self, turn: int) -> None:
        """Keep the audio of this turn, from a little before now."""
        self._turn = _TurnAudio(turn, self._recent)
        self._recent.clear()
        if self._provider.capabilities.streaming_stt:
            self._start(self._turn, upto=None)

    def transcribe(self, turn: int, attempt: int) -> None:
        """Recognise what the turn holds so far; drops an earlier attempt."""
        if self._turn is None or self._turn.number != turn:
            return
        self._turn.attempt = attempt
        if self._turn.is_live:
            self._turn.end()
        else:
            self._start(self._turn, upto=len(self._turn.frames))

    def stop(self, turn: int) -> None:
        """The turn is over: its audio and any work on it are dropped."""
        if self._turn is not None and self._turn.number == turn:
            self._turn = None
            self._drop_work()

    def close(self) -> None:
        self._voice.close()
        self._turn = None
        self._drop_work()

    def _on_probability(self, probability: float) -> None:
        edge = self._detector.feed(probability)
        if edge is not None:
            self._report(self._fact(edge))

    def _fact(self, edge: SpeechEdge) -> events.Event:
        """An edge in stream time as one in ours: as long before the newest frame came as it lies behind it."""
        at = self._fed_at - (self._fed_s - edge.at_s)
        return events.SpeechStarted(at) if isinstance(edge, SpeechStarted) else events.SpeechStopped(at)

    def _start(self, turn: "_TurnAudio", upto: int | None) -> None:
        self._drop_work()
        self._work = self._tasks.create_task(self._recognise(turn, turn.read(upto)), name=f"stt turn {turn.number}")

    def _drop_work(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    async def _recognise(self, turn: "_TurnAudio", audio: AsyncIterator[bytes]) -> None:
        """Run the recogniser to its end. An engine's failure, of any kind, costs this attempt and no more."""
        words: list[str] = []
        try:
            async for result in self._provider.speech_to_text(self._converted(audio)):
                if result.is_final:
                    words.append(result.text.strip())
        except ProviderException as error:
            logger.warning("speech to text failed: %s", error)
        except Exception:
            logger.exception("speech to text failed in the engine's own code")
        else:
            self._report(events.TranscriptReady(turn.number, turn.attempt, " ".join(filter(None, words))))
            return
        self._report(events.TranscriptFailed(turn.number, turn.attempt))

    async def _converted(self, audio: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        converter = Converter(LINE, input_spec(self._provider))
        async for piece in audio:
            yield converter.convert(piece)
        yield converter.flush()


class _TurnAudio:
    """The frames of one turn, readable while they come in."""

    def __init__(self, number: int, frames: deque[bytes]) -> None:
        self.number = number
        self.attempt = 0
        self.frames = list(frames)
        self.is_live = False  # a reader is following the caller
        self._grown = asyncio.Event()

    def append(self, frame: bytes) -> None:
        self.frames.append(frame)
        self._grown.set()

    def end(self) -> None:
        """No more for the reader that is following."""
        self.is_live = False
        self._grown.set()

    async def read(self, upto: int | None) -> AsyncIterator[bytes]:
        """The first `upto` frames, or all of them as they come until `end`, joined into pieces of up to a second."""
        self.is_live = upto is None
        position = 0
        while True:
            limit = len(self.frames) if upto is None else upto
            ready = self.frames[position : min(limit, position + _PIECE_BYTES // 160)]
            position += len(ready)
            if ready:
                yield b"".join(ready)
                await asyncio.sleep(0)
            elif self.is_live:
                self._grown.clear()
                await self._grown.wait()
            else:
                return
