"""The ears of one call: caller audio into voice edges and, turn by turn, into the recogniser."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from providers.audio.converter import LINE, Converter, input_spec
from providers.errors import ProviderException
from providers.voice.base import BaseVoiceProvider
from providers.voice.types import TranscriptionResult
from telephony.audio.speech import SpeechDetector, SpeechEdge, SpeechStarted
from telephony.call import events

logger = logging.getLogger(__name__)

PRE_ROLL_FRAMES = 25
"""How much audio from before the voice was noticed a turn begins with: 0.5 s, the onset of the first word included."""
MAX_BEHIND_FRAMES = 6000
"""How much audio may wait for a recogniser: two minutes, twice the longest turn."""
PIECE_FRAMES = 50
"""Converted at a time at most: one second, about 0.3 ms of the event loop."""
FRAME_MS = 20


class VoiceStream(Protocol):
    """Caller audio in; probabilities of voice go to the callback it was opened with."""

    def feed(self, ulaw: bytes) -> None: ...

    def vouch(self) -> None:
        """Words were recognised in what was fed lately."""

    def close(self) -> None: ...


class VoiceDetection(Protocol):
    """Whatever tells voice from other sounds, for all calls of the process."""

    @property
    def hangover_ms(self) -> float:
        """How long it goes on hearing a voice that has ended."""

    def open(self, on_probability: Callable[[float], None]) -> VoiceStream: ...


class Listener:
    """Tells `report` when the caller's voice starts and stops, and what the recogniser made of a turn.

    The turn's audio is kept until the turn is over, so that a recogniser can be asked again when the caller goes on
    after a pause. A streaming recogniser hears all the time and its words are told as they come: the stream it is given
    ends with the turn, and the next one begins at once, so that words are noticed even where the voice was not. If the
    caller goes on after all, another stream begins with what was kept.
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
        self._detector = SpeechDetector(hangover_ms=detection.hangover_ms)
        self._voice = detection.open(self._on_probability)
        self._recent: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._kept: list[bytes] | None = None  # the open turn's audio
        self._turn = 0
        self._live: _Utterance | None = None  # what a streaming recogniser is hearing
        self._work: asyncio.Task[None] | None = None
        self._fed_s = 0.0
        self._fed_at = clock()

    def start(self) -> None:
        """The engines are connected: a streaming recogniser begins to hear."""
        self._stand_by(self._recent)

    def feed(self, ulaw: bytes) -> None:
        """One frame of caller audio, 8 kHz μ-law."""
        self._fed_at = self._clock()
        self._fed_s += len(ulaw) / 8000
        self._recent.append(ulaw)
        if self._kept is not None:
            self._kept.append(ulaw)
        if self._live is not None:
            self._live.put(ulaw)
        self._voice.feed(ulaw)

    def listen(self, turn: int) -> None:
        """Keep the audio of this turn, from a little before now."""
        self._turn, self._kept = turn, list(self._recent)

    def transcribe(self, turn: int, attempt: int) -> None:
        """Recognise what the turn holds so far; drops an earlier attempt."""
        if self._kept is None or self._turn != turn:
            return
        if self._live is not None:
            self._live.attempt = attempt
            self._live.end()
            self._live = None
        else:
            utterance = self._utterance(self._kept, attempt)
            utterance.end()
            self._start(utterance)

    def stop(self, turn: int) -> None:
        """The turn is over: its audio and any work on it are dropped."""
        if self._kept is not None and self._turn == turn:
            self._kept = None
            self._recent.clear()  # what was said in one turn is not the beginning of the next
            self._drop_work()
            self.start()

    def close(self) -> None:
        """Hear no more, and tell nobody."""
        self._voice.close()
        self._kept = None
        self._drop_work()
        self._report = lambda _: None

    def _on_probability(self, probability: float) -> None:
        edge = self._detector.feed(probability)
        if edge is None:
            return
        self._report(self._fact(edge))
        if isinstance(edge, SpeechStarted) and self._kept is not None and self._live is None:
            self._stand_by(self._kept)

    def _fact(self, edge: SpeechEdge) -> events.Event:
        """An edge in stream time as one in ours: as long before the newest frame came as it lies behind it."""
        at = self._fed_at - (self._fed_s - edge.at_s)
        return events.SpeechStarted(at) if isinstance(edge, SpeechStarted) else events.SpeechStopped(at)

    def _stand_by(self, frames: Iterable[bytes]) -> None:
        """Let a streaming recogniser hear these, and what follows."""
        if self._provider.capabilities.streaming_stt:
            self._live = self._utterance(frames, attempt=0)
            self._start(self._live)

    def _utterance(self, frames: Iterable[bytes], attempt: int) -> "_Utterance":
        return _Utterance(frames, attempt, max(1, self._provider.config.chunk_duration_ms // FRAME_MS))

    def _start(self, utterance: "_Utterance") -> None:
        self._drop_work(keep=utterance)
        self._work = self._tasks.create_task(self._recognise(utterance), name="stt")

    def _drop_work(self, keep: "_Utterance | None" = None) -> None:
        if self._live is not keep:
            self._live = None
        if self._work is not None:
            self._work.cancel()
            self._work = None

    async def _recognise(self, utterance: "_Utterance") -> None:
        """Run the recogniser to its end. An engine's failure, of any kind, costs this attempt and no more."""
        words = _Words()
        failed = True
        try:
            async for result in self._provider.speech_to_text(self._converted(utterance)):
                is_news = words.take(result)
                if self._live is utterance and words.text:
                    await self._tell(words.text, is_news=is_news)
            failed = False
        except ProviderException as error:
            logger.warning("speech to text failed: %s", error)
        except Exception:
            logger.exception("speech to text failed in the engine's own code")
        if not utterance.attempt:
            self._live = None  # it has ended unasked: what it heard is recognised again, as a whole
        elif failed:
            self._report(events.TranscriptFailed(self._turn, utterance.attempt))
        else:
            self._report(events.TranscriptReady(self._turn, utterance.attempt, words.text))

    async def _tell(self, words: str, *, is_news: bool) -> None:
        """While it hears: what it has made out, be it where no voice was noticed, and its own view of the turn.

        An engine that ends turns tells by its words that somebody talks; of others the end of voice has to be found
        exactly, whatever they hear.
        """
        if self._kept is None:
            self._report(events.WordsMissed(self._clock()))
        self._report(events.WordsSoFar(self._turn, words))
        if self._provider.capabilities.end_of_turn:
            info = await self._provider.get_vad_info()
            if info is not None and info.is_turn_complete:
                self._report(events.EngineSaysOver(self._turn))
            elif is_news:
                self._voice.vouch()

    async def _converted(self, utterance: "_Utterance") -> AsyncIterator[bytes]:
        converter = Converter(LINE, input_spec(self._provider))
        async for piece in utterance.read():
            yield converter.convert(piece)
        yield converter.flush()


class _Words:
    """What a recogniser has made out of an utterance: what is final stands, the one result after it may yet change."""

    def __init__(self) -> None:
        self._final: list[str] = []
        self._latest = ""
        self.text = ""

    def take(self, result: TranscriptionResult) -> bool:
        """Whether that has changed the text."""
        before, words = self.text, result.text.strip()
        if result.is_final:
            self._final.append(words)
        self._latest = "" if result.is_final else words
        self.text = " ".join(filter(None, [*self._final, self._latest]))
        return self.text != before


class _Utterance:
    """Audio on its way to a recogniser, perhaps while it is still coming in. `attempt` is 0 until it was asked for.

    While it comes in the recogniser gets it `at_once` frames at a time, as its config asks for: to wake it up for every
    frame would cost more than all that is done with them.
    """

    def __init__(self, frames: Iterable[bytes], attempt: int, at_once: int) -> None:
        self.attempt = attempt
        self._at_once = at_once
        self._frames = deque(frames, maxlen=MAX_BEHIND_FRAMES)
        self._ended = False
        self._grown = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """More audio; a recogniser that is too far behind loses the oldest."""
        self._frames.append(frame)
        if len(self._frames) >= self._at_once:
            self._grown.set()

    def end(self) -> None:
        self._ended = True
        self._grown.set()

    async def read(self) -> AsyncIterator[bytes]:
        """All of it, joined into pieces of up to a second, until `end`."""
        while True:
            self._grown.clear()
            while len(self._frames) >= (1 if self._ended else self._at_once):
                count = min(len(self._frames), PIECE_FRAMES)
                yield b"".join([self._frames.popleft() for _ in range(count)])
                if self._frames:
                    await asyncio.sleep(0)  # other calls have their turn between two pieces of a long utterance
            if self._ended:
                return
            await self._grown.wait()
