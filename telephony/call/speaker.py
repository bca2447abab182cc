"""The voice of one call: sentences into speech, and speech onto the line, ahead of time but not too far."""

import asyncio
import logging
import math
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from agent.spoken import speakable
from providers.audio.converter import LINE, Converter, output_spec
from providers.errors import ProviderException
from providers.voice.base import BaseVoiceProvider
from providers.voice.speech import audio_chunks
from providers.voice.types import WordTiming
from telephony.call import events
from telephony.call.actions import Say
from telephony.call.alarm import Alarm
from telephony.call.journal import Kind
from telephony.call.playout import Begun, Heard, Playout, SendAudio

logger = logging.getLogger(__name__)

SLOW_S = 0.085
"""Seconds a character takes that is spoken slowly."""
ATTEMPTS = 2
"""How often the engine is asked for a sentence of which it gave no audio."""
AHEAD_S = 30.0
"""Speech synthesised but not yet sent; the engine waits while there is more."""

PIECE_BYTES = 48_000
"""Engine audio converted at a time, however long the engine's chunks: about 0.3 ms of the event loop."""
GATHERED_SHARE, MOST_GATHERED_S = 1 / 3, 0.4
"""Engine audio gathers until it is this share of what the caller has still to hear, or so much: an engine that is ahead
is converted less often."""


class SpeechLine(Protocol):
    """What a stream takes from us. None of the three waits; order is kept."""

    def media(self, payload: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Clip:
    """A sentence spoken beforehand, as 8 kHz μ-law, and when its words are spoken in it, where the engine tells."""

    audio: bytes
    timings: Sequence[WordTiming] = ()


@dataclass(frozen=True, slots=True)
class _Spoken:
    """When the words of a sentence are spoken, and where the engine broke off, if it did."""

    timings: Sequence[WordTiming]
    broke_off_s: float = math.inf

    @property
    def broke_off(self) -> bool:
        return self.broke_off_s < math.inf

    def words_after(self, heard_s: float) -> int:
        """How many words had been spoken to their end after so many seconds."""
        return sum(word.stop_s <= min(heard_s, self.broke_off_s) for word in self.timings)


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
        clips: Mapping[str, Clip],
    ) -> None:
        self._provider = provider
        self._line = line
        self._report = report
        self._note = note
        self._clock = clock
        self._tasks = tasks
        self._clips = clips
        self._playout = Playout()
        self._room = asyncio.Event()
        self._sentences: deque[Say] = deque()  # the first is being synthesised
        self._asked: Say | None = None  # what the engine was asked to speak last
        self._spoken: dict[tuple[int, int], _Spoken] = {}  # of sentences not heard to their end, if more is known
        self._work: asyncio.Task[None] | None = None
        self._alarm = Alarm(self._pump)

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
        self._alarm.set(self._playout.wakes_at())
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
        self._alarm.set(self._playout.wakes_at())
        if unsaid is not None and unsaid is self._asked:
            self._keep_timings(unsaid)
        known, self._spoken = self._spoken, {}
        if cut is not None:
            spoken = known.get((cut.turn, cut.sentence))
            words = None if spoken is None else spoken.words_after(cut.heard_s)
            return events.SentenceCut(cut.turn, cut.sentence, cut.fraction, words)
        return None if unsaid is None else events.SentenceCut(unsaid.turn, unsaid.sentence, 0.0)

    def close(self) -> None:
        """Be silent, and tell nobody."""
        self._drop_work()
        self._sentences.clear()
        self._alarm.close()
        self._report, self._note = (lambda _: None), (lambda *_: None)

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
        """Synthesise one sentence onto the line; False if there was no audio, asked for twice where that may help.

        What was spoken beforehand is taken from there.
        """
        if clip := self._clips.get(sentence.text):
            if clip.timings:
                self._spoken[sentence.turn, sentence.sentence] = _Spoken(clip.timings)
            self._add(sentence, clip.audio)
            return True
        self._asked = sentence
        spec = output_spec(self._provider)
        for _ in range(ATTEMPTS):
            given, failed, may_help = 0, True, False
            converter, waiting = Converter(spec, LINE), b""
            try:
                async with aclosing(audio_chunks(self._provider, speakable(sentence.text))) as chunks:
                    async for chunk in chunks:
                        given += len(chunk)
                        waiting += chunk
                        ahead_s = self._playout.ahead_s(self._clock())
                        if spec.duration_s(len(waiting)) >= min(GATHERED_SHARE * ahead_s, MOST_GATHERED_S):
                            await self._put(sentence, waiting, converter)
                            waiting = b""
                failed = False
            except ProviderException as error:
                logger.warning("text to speech failed: %s", error)
                may_help = error.retryable
            except Exception:
                logger.exception("text to speech failed in the engine's own code")
            if given:
                self._add(sentence, converter.convert(waiting) + converter.flush())
                self._keep_timings(sentence, broke_off_s=spec.duration_s(given) if failed else math.inf)
            if given or not may_help:
                return bool(given)
        return False

    async def _put(self, sentence: Say, audio: bytes, converter: Converter) -> None:
        """Put some of the engine's audio onto the line, piece by piece."""
        for start in range(0, len(audio), PIECE_BYTES):
            self._add(sentence, converter.convert(audio[start : start + PIECE_BYTES]))
            await self._wait_for_room()

    def _keep_timings(self, sentence: Say, broke_off_s: float = math.inf) -> None:
        """Remember what is known of how far a sentence is spoken when; estimated if it broke off and nothing is."""
        try:
            timings = tuple(self._provider.word_timings())
        except Exception:
            logger.exception("word timings failed in the engine's own code")
            timings = ()
        if broke_off_s < math.inf:
            timings = timings or estimated(speakable(sentence.text))
        if timings:
            self._spoken[sentence.turn, sentence.sentence] = _Spoken(timings, broke_off_s)

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
        self._alarm.set(self._playout.wakes_at())

    def _tell(self, fact: Begun | Heard) -> None:
        if isinstance(fact, Begun):
            self._note(Kind.AUDIO_HEARD, fact.turn, fact.sentence)
        else:
            spoken = self._spoken.pop((fact.turn, fact.sentence), None)
            words = spoken.words_after(math.inf) if spoken is not None and spoken.broke_off else None
            self._report(events.SentenceHeard(fact.turn, fact.sentence, words))


def estimated(text: str) -> tuple[WordTiming, ...]:
    """When the words of a text would be spoken slowly: of a sentence that broke off, rather too few were heard."""
    words = re.finditer(r"\S+", text)
    return tuple(WordTiming(word[0], word.start() * SLOW_S, word.end() * SLOW_S) for word in words)
