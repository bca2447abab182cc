"""The voice of one call: sentences into speech, and speech onto the line, ahead of time but not too far."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from agent.spoken import speakable
from providers.errors import ProviderException, TTSError
from providers.voice.base import BaseVoiceProvider
from providers.voice.types import WordTiming
from telephony.audio.converter import LINE, Converter, output_spec
from telephony.call import events
from telephony.call.actions import Say
from telephony.call.journal import Kind
from telephony.call.playout import Begun, Heard, Playout, SendAudio

logger = logging.getLogger(__name__)

AUDIO_LIMIT_S = 4.0
"""Longest wait for a sentence's first audio, and between two chunks of it."""
ATTEMPTS = 2
"""How often the engine is asked for a sentence of which it gave no audio."""
AHEAD_S = 30.0
"""Speech synthesised but not yet sent; the engine waits while there is more."""

PIECE_BYTES = 48_000
"""Engine audio converted at a time, however long the engine's chunks: about 0.3 ms of the event loop."""


class SpeechLine(Protocol):
    """What a stream takes from us. None of the three waits; order is kept."""

    def media(self, payload: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


class Speaker:
    """Speaks sentences in the order given; tells `report` what was heard, `note` what the journal wants to know."""

    def __init__(
        self,
        provider: BaseVoiceProvider,
        line: SpeechLine,
        report: Callable[[events.Event], None],
        note: Callable[[Kind, int, int], None],
        clock: Callable[[], float],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._provider = provider
        self._line = line
        self._report = report
        self._note = note
        self._clock = clock
        self._tasks = tasks
        self._playout = Playout()
        self._room = asyncio.Event()
        self._sentences: deque[Say] = deque()  # the first is being synthesised
        self._timings: dict[tuple[int, int], Sequence[WordTiming]] = {}  # of those spoken, until they were heard
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def say(self, sentence: Say) -> None:
        """Speak this after all that was given before."""
        self._sentences.append(sentence)
        if self._work is None:
            self._work = self._tasks.create_task(self._speak_all(), name="tts")

    def mark(self, name: str) -> None:
        """The carrier has echoed a mark."""
        for fact in self._playout.echoed(name, self._clock()):
            self._tell(fact)
        self._pump()

    def hold(self) -> None:
        """Fall silent at once, but keep what was not heard."""
        passed = self._playout.hold(self._clock())
        self._line.clear()
        self._arm()
        for fact in passed:
            self._tell(fact)

    def resume(self) -> None:
        """Go on where `hold` cut in."""
        self._playout.resume()
        self._pump()

    def drop(self) -> events.SentenceCut | None:
        """Be silent, and forget what was not heard; tells where that began, unless all had been heard."""
        self._drop_work()
        unsaid = self._sentences[0] if self._sentences else None
        self._sentences.clear()
        if not self._playout.is_held:
            self._line.clear()
        cut = self._playout.drop(self._clock())
        self._arm()
        if unsaid is not None:
            self._keep_timings(unsaid)
        timings, self._timings = self._timings, {}
        if cut is not None:
            spoken = _spoken_by(cut.heard_s, timings.get((cut.turn, cut.sentence), ()))
            return events.SentenceCut(cut.turn, cut.sentence, cut.fraction, spoken)
        return None if unsaid is None else events.SentenceCut(unsaid.turn, unsaid.sentence, 0.0)

    def close(self) -> None:
        self._drop_work()
        self._sentences.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _drop_work(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    async def _speak_all(self) -> None:
        """Work off the sentences; ends at once when it was dropped, which may happen in the middle of a report."""
        this = asyncio.current_task()
        while self._work is this and self._sentences:
            sentence = self._sentences[0]
            spoken = await self._speak(sentence)
            if self._work is not this:
                return
            self._sentences.popleft()
            if spoken:
                self._playout.finish(sentence.turn, sentence.sentence)
                self._pump()
            else:
                self._report(events.SentenceFailed(sentence.turn, sentence.sentence))
        if self._work is this:
            self._work = None

    async def _speak(self, sentence: Say) -> bool:
        """Synthesise one sentence onto the line; False if there was no audio, asked for twice where that may help."""
        for _ in range(ATTEMPTS):
            began = may_help = False
            converter = Converter(output_spec(self._provider), LINE)
            try:
                async with aclosing(audio_chunks(self._provider, speakable(sentence.text))) as chunks:
                    async for chunk in chunks:
                        began = began or bool(chunk)
                        await self._put(sentence, chunk, converter)
            except ProviderException as error:
                logger.warning("text to speech failed: %s", error)
                may_help = error.retryable
            except Exception:
                logger.exception("text to speech failed in the engine's own code")
            if began:
                self._add(sentence, converter.flush())
                self._keep_timings(sentence)
            if began or not may_help:
                return began
        return False

    async def _put(self, sentence: Say, chunk: bytes, converter: Converter) -> None:
        for start in range(0, len(chunk), PIECE_BYTES):
            self._add(sentence, converter.convert(chunk[start : start + PIECE_BYTES]))
            await self._wait_for_room()

    def _keep_timings(self, sentence: Say) -> None:
        try:
            timings = self._provider.word_timings()
        except Exception:
            logger.exception("word timings failed in the engine's own code")
            return
        if timings:
            self._timings[sentence.turn, sentence.sentence] = tuple(timings)

    async def _wait_for_room(self) -> None:
        await asyncio.sleep(0)  # other calls have their turn between two pieces of a long chunk
        while self._playout.queued_s > AHEAD_S:
            self._room.clear()
            await self._room.wait()

    def _add(self, sentence: Say, audio: bytes) -> None:
        if audio:
            self._playout.add(sentence.turn, sentence.sentence, audio)
            self._pump()

    def _pump(self) -> None:
        """Send what is due, tell what must have been heard, and see to it that this happens again in time."""
        now = self._clock()
        for outgoing in self._playout.take(now):
            if isinstance(outgoing, SendAudio):
                self._line.media(outgoing.payload)
                if outgoing.begins is not None:
                    self._note(Kind.AUDIO_SENT, *outgoing.begins)
            else:
                self._line.mark(outgoing.name)
        for fact in self._playout.overdue(now):
            logger.warning("the carrier did not echo the mark of sentence %d:%d", fact.turn, fact.sentence)
            self._tell(fact)
        self._room.set()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._playout.wakes_at()
        self._timer = None if at is None else asyncio.get_running_loop().call_at(at, self._pump)

    def _tell(self, fact: Begun | Heard) -> None:
        if isinstance(fact, Begun):
            self._note(Kind.AUDIO_HEARD, fact.turn, fact.sentence)
        else:
            self._timings.pop((fact.turn, fact.sentence), None)
            self._report(events.SentenceHeard(fact.turn, fact.sentence))


def _spoken_by(heard_s: float, timings: Sequence[WordTiming]) -> int | None:
    """How many words had been spoken to their end after so many seconds; None if the engine does not tell."""
    return sum(word.stop_s <= heard_s for word in timings) if timings else None


async def audio_chunks(provider: BaseVoiceProvider, text: str) -> AsyncGenerator[bytes]:
    """The engine's audio for one text, each chunk waited for no longer than `AUDIO_LIMIT_S`.

    The seed document shows engines written as async generators and, in one place, as coroutines that return the whole
    audio or an iterator of it; all three are taken. Raises `TTSError` on a stall, and whatever the engine raises.
    """
    try:
        async with asyncio.timeout(AUDIO_LIMIT_S) as limit:
            speech: object = provider.text_to_speech(text)
            if asyncio.iscoroutine(speech):
                speech = await speech
            if isinstance(speech, bytes):
                yield speech
                return
            if not isinstance(speech, AsyncIterator):
                raise TTSError("text_to_speech gave no audio", provider=provider.config.provider_name, operation="tts")
            try:
                async for chunk in speech:
                    limit.reschedule(None)
                    yield chunk
                    limit.reschedule(asyncio.get_running_loop().time() + AUDIO_LIMIT_S)
            finally:
                if isinstance(speech, AsyncGenerator):
                    await speech.aclose()
    except TimeoutError:
        raise TTSError(
            f"no audio for {AUDIO_LIMIT_S:.0f} s",
            provider=provider.config.provider_name,
            operation="tts",
            retryable=True,
        ) from None
