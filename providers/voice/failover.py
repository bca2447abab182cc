"""A speech engine made of others: when one fails in a call the next goes on, with no word lost and none said twice."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from enum import Enum, auto

from providers.audio.converter import LINE
from providers.breaker import Breaker, State
from providers.errors import Fault, ProviderException, TranscriptionError, TTSError
from providers.lineup import Choice, Lineup
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.member import Member, in_our_words
from providers.voice.remote.utterance import Utterance
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities, WordTiming

logger = logging.getLogger(__name__)

type Breakers = defaultdict[tuple[str, str], Breaker]

BREAKERS: Breakers = defaultdict(Breaker)
"""Those of this process, shared by its calls: one an engine and direction."""
BEHIND = 64
"""Results that may wait to be read."""
_ERRORS = {"stt": TranscriptionError, "tts": TTSError, "connect": ProviderException}


class _Sign(Enum):
    """What stands among the results of a recogniser."""

    CALLER_FINISHED = auto()
    COMPLETE = auto()


type _Item = TranscriptionResult | Exception | _Sign


class FailoverVoiceProvider(BaseVoiceProvider):
    """Engines by name in the order of preference, as one that takes and gives the line's own 8 kHz μ-law.

    An engine may keep a caller waiting for `attempt_s`, if there is another behind it. Half-way there that one begins
    to connect; until then it has no connection, for some services count or charge those that are idle.

    What an engine that fails has not recognised the next one hears, from the last final result on. Of a text that an
    engine leaves in the middle the rest is spoken by the next, from the word in which the audio broke off: to say all
    of it again would repeat what the caller hears, to leave it would lose words. From there on the call keeps the new
    voice, for two changes of it are odder than one.
    """

    def __init__(
        self, engines: Mapping[str, BaseVoiceProvider], attempt_s: float = 2.0, breakers: Breakers = BREAKERS
    ) -> None:
        config = VoiceProviderConfig(
            provider_name=",".join(engines), sample_rate_input=LINE.rate_hz, sample_rate_output=LINE.rate_hz
        )
        super().__init__(config)
        self.engines = tuple(engines.values())
        self._attempt_s = attempt_s
        self._members = {name: Member(engine) for name, engine in engines.items()}
        hears = [name for name, engine in engines.items() if engine.capabilities.stt]
        speaks = [name for name, engine in engines.items() if engine.capabilities.tts]
        self._ears = Lineup((Choice(self._members[n], n, breakers[n, "stt"]) for n in hears), _probe_ear)
        self._voices = Lineup((Choice(self._members[n], n, breakers[n, "tts"]) for n in speaks), _probe_voice)
        self._ear: Choice[Member] | None = None
        self._voice: Choice[Member] | None = None
        self._changed_voice = False  # within the text spoken last
        self.capabilities = self._announced()

    def _announced(self) -> VoiceCapabilities:
        """For the length of the call: those of the engine that hears at its beginning, in the line's format."""
        ears = sorted(self._ears.choices, key=lambda choice: choice.breaker.state is not State.CLOSED)
        ear = ears[0].engine.engine.capabilities if ears else VoiceCapabilities()
        return replace(
            ear,
            stt=bool(ears),
            tts=bool(self._voices.choices),
            input_format=AudioFormat.ULAW_8000,
            output_format=AudioFormat.ULAW_8000,
        )

    async def connect(self) -> None:
        """Connect the first engine of each direction that can be had; raises what the last one raises if none can."""
        for engine in self.engines:
            engine.hears, engine.speaks = self.hears, self.speaks
        directions = ((self._ears, self.hears), (self._voices, self.speaks))
        work = [self._connect_one(lineup) for lineup, is_used in directions if is_used and lineup.choices]
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        for error in filter(None, outcomes):
            raise error
        self._connected = True

    async def _connect_one(self, lineup: Lineup[Member]) -> None:
        for choice, following in self._in_turn(lineup.ready(), "connect"):
            attempt = choice.breaker.begin()  # that it connects does not yet prove that it works
            try:
                with in_our_words(ProviderException, choice.name, "connect"):
                    await self._soon(choice.engine.ready(), following)
                break
            except ProviderException as error:
                choice.breaker.failed(attempt, asyncio.get_running_loop().time(), error)
                _give_way(error, following)

    async def disconnect(self) -> None:
        self._connected = False
        await asyncio.gather(self._ears.aclose(), self._voices.aclose())
        outcomes = await asyncio.gather(*(m.close() for m in self._members.values()), return_exceptions=True)
        for error in filter(None, outcomes):
            raise error

    # --- speech to text ----------------------------------------------------------------------------------------

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        """Recognise one utterance with the first engine that can. Raises what the last one raises."""
        utterance = Utterance(LINE.rate_hz)
        reading = asyncio.create_task(utterance.fill(audio_stream), name="utterance")
        try:
            for choice, following in self._in_turn(self._ears.ready(), "stt"):
                try:
                    async with aclosing(self._heard_by(choice, following, utterance, reading)) as results:
                        async for result in results:
                            yield result
                    break
                except ProviderException as error:
                    _give_way(error, following)
                    lost_s = utterance.rewind()
                    if lost_s:
                        logger.warning("%.1f s of the utterance were no longer kept", lost_s)
        finally:
            reading.cancel()
        if reading.done() and not reading.cancelled():
            reading.result()  # what the source of the audio raised is not lost

    async def _heard_by(
        self,
        choice: Choice[Member],
        following: Choice[Member] | None,
        utterance: Utterance,
        reading: "asyncio.Task[None]",
    ) -> AsyncGenerator[TranscriptionResult]:
        """What one engine makes of the rest of the utterance. Once the caller has finished it has `attempt_s`."""
        origin_s = utterance.position_s
        finished = False
        with choice.attempt(), in_our_words(TranscriptionError, choice.name, "stt"):
            await self._soon(choice.engine.ready(), following)
            self._ear = choice
            inbox: asyncio.Queue[_Item] = asyncio.Queue(BEHIND)
            tasks = (
                asyncio.create_task(_recognise(choice.engine, utterance, inbox), name="stt of one engine"),
                asyncio.create_task(_tell_end(reading, inbox), name="end of the utterance"),
            )
            try:
                while True:
                    item = await self._soon(inbox.get(), following if finished else None)
                    if item is _Sign.COMPLETE:
                        break
                    if isinstance(item, Exception):
                        raise item
                    if isinstance(item, _Sign):
                        finished = True
                        continue
                    item.start_s += origin_s
                    item.stop_s = None if item.stop_s is None else item.stop_s + origin_s
                    if item.is_final:
                        utterance.stands(item.stop_s)
                    yield item
            finally:
                for task in tasks:
                    task.cancel()

    async def get_vad_info(self) -> VADInfo | None:
        return None if self._ear is None else await self._ear.engine.engine.get_vad_info()

    # --- text to speech ----------------------------------------------------------------------------------------

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        """Speak one text, with the voice the call has if that can. Raises what the last engine raises."""
        self._changed_voice = False
        voices = sorted(self._voices.ready(), key=lambda choice: choice is not self._voice)
        for choice, following in self._in_turn(voices, "tts"):
            member, spoken_s = choice.engine, 0.0
            try:
                async with aclosing(self._spoken_by(choice, following, text)) as pieces:
                    async for piece in pieces:
                        spoken_s += LINE.duration_s(len(piece))
                        yield piece
                member.pace.learn(text, spoken_s)
                return
            except ProviderException as error:
                _give_way(error, following)
            text = member.pace.rest(text, spoken_s, member.engine.word_timings())
            self._changed_voice = self._changed_voice or spoken_s > 0
            if not text:
                return

    async def _spoken_by(
        self, choice: Choice[Member], following: Choice[Member] | None, text: str
    ) -> AsyncGenerator[bytes]:
        """One engine's audio for the text, each piece waited for no longer than `attempt_s`."""
        self._voice = choice
        with choice.attempt(), in_our_words(TTSError, choice.name, "tts"):
            async with aclosing(choice.engine.speak(text)) as pieces:
                while (piece := await self._soon(anext(pieces, None), following)) is not None:
                    yield piece

    def word_timings(self) -> Sequence[WordTiming]:
        """Those of the engine that spoke; none of a text that two have spoken."""
        return () if self._voice is None or self._changed_voice else self._voice.engine.engine.word_timings()

    async def _soon[T](self, work: Awaitable[T], following: Choice[Member] | None) -> T:
        """Wait for this as long as an attempt may take; raises `TimeoutError`. Without another to turn to, for ever."""
        if following is None:
            return await work
        timer = asyncio.get_running_loop().call_later(self._attempt_s / 2, following.engine.warm)
        try:
            async with asyncio.timeout(self._attempt_s):
                return await work
        finally:
            timer.cancel()

    def _in_turn(
        self, choices: Sequence[Choice[Member]], operation: str
    ) -> Iterator[tuple[Choice[Member], Choice[Member] | None]]:
        """Each of them with the one that steps in for it, the last with none; raises if there is not even one."""
        if not choices:
            nobody, name = "has no engine that has not told us to wait", self.config.provider_name
            raise _ERRORS[operation](nobody, provider=name, operation=operation, fault=Fault.RATE_LIMIT)
        return zip(choices, [*choices[1:], None], strict=True)


def _give_way(error: ProviderException, following: Choice[Member] | None) -> None:
    """Say that the next engine takes over; if there is none the error stands."""
    if following is None:
        raise error
    logger.warning("%s; %s steps in", error, following.name, exc_info=error.__cause__)


async def _recognise(member: Member, utterance: Utterance, inbox: "asyncio.Queue[_Item]") -> None:
    """Put into the inbox what the engine makes of the rest of the utterance, then that it is complete, or why not."""
    try:
        async with aclosing(member.hear(utterance.follow())) as results:
            async for result in results:
                await inbox.put(result)
        await inbox.put(_Sign.COMPLETE)
    except Exception as error:
        await inbox.put(error)


async def _tell_end(reading: "asyncio.Task[None]", inbox: "asyncio.Queue[_Item]") -> None:
    await asyncio.wait([reading])
    await inbox.put(_Sign.CALLER_FINISHED)


async def _probe_ear(choice: Choice[Member]) -> None:
    with in_our_words(TranscriptionError, choice.name, "stt"):
        await choice.engine.probe_ear()


async def _probe_voice(choice: Choice[Member]) -> None:
    with in_our_words(TTSError, choice.name, "tts"):
        await choice.engine.probe_voice()
