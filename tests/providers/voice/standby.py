"""Engines that stand in for one another in these tests, and time that costs none."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

from providers.breaker import Breaker
from providers.errors import Fault, ProviderException
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.failover import FailoverVoiceProvider
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities, WordTiming
from telephony.scenarios.clock import InventedTimeLoop

NATIVE = VoiceCapabilities(input_format=AudioFormat.ULAW_8000, output_format=AudioFormat.ULAW_8000)
STREAMING = replace(NATIVE, streaming_stt=True, end_of_turn=True)
AWAY = ProviderException("is away", provider="fake", fault=Fault.UNAVAILABLE)
CHARACTER = 160
"""Bytes of μ-law that a character of text takes: 20 ms."""


@dataclass(slots=True)
class Script:
    """What goes wrong. Times are in seconds, of invented time."""

    connect: Exception | None = None
    connect_s: float = 0.0
    error: Exception | None = None
    slow_s: float = 0.0
    """How long it takes to begin to speak, or to say what it has heard."""
    speaks: int | None = None
    """After so many characters it fails, or is silent."""
    hears: int | None = None
    """As `speaks`, in bytes of the utterance."""
    finals: Sequence[tuple[str, float]] = ()
    """Final results before the end of the utterance: text, and the second up to which it goes."""
    timed: bool = False


class StandBy(BaseVoiceProvider):
    """Speaks each character as 20 ms of its code, hears `words`, and does what its script says."""

    def __init__(self, words: str = "hello", script: Script | None = None, can: VoiceCapabilities = NATIVE) -> None:
        super().__init__(VoiceProviderConfig(provider_name=words, sample_rate_input=8000, sample_rate_output=16000))
        self.capabilities = can
        self.words = words
        self.script = script or Script()
        self.connects = 0
        self.disconnects = 0
        self.texts: list[str] = []
        self.heard: list[bytes] = []
        self.working = 0
        self._text = ""

    async def connect(self) -> None:
        self.connects += 1
        await asyncio.sleep(self.script.connect_s)
        if self.script.connect is not None:
            raise self.script.connect
        self._connected = True

    async def disconnect(self) -> None:
        self.disconnects += 1
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        self.texts.append(text)
        self._text = text
        self.working += 1
        try:
            await asyncio.sleep(self.script.slow_s)
            for place, character in enumerate(text):
                if place == self.script.speaks:
                    await self._break()
                yield bytes([ord(character)]) * CHARACTER
            if self.script.speaks is None and self.script.error is not None:
                raise self.script.error
        finally:
            self.working -= 1

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        heard = bytearray()
        self.working += 1
        finals = list(self.script.finals)
        try:
            async for chunk in audio_stream:
                heard += chunk
                while finals and len(heard) >= finals[0][1] * 8000:
                    text, stop_s = finals.pop(0)
                    yield TranscriptionResult(text, 0.0, stop_s, is_final=True)
                if self.script.hears is not None and len(heard) >= self.script.hears:
                    await self._break()
            await asyncio.sleep(self.script.slow_s)
            if self.script.error is not None:
                raise self.script.error
            yield TranscriptionResult(self.words, 0.0, is_final=True)
        finally:
            self.heard.append(bytes(heard))
            self.working -= 1

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(1.0, 0.0, 0, 0.0)

    def word_timings(self) -> Sequence[WordTiming]:
        if not self.script.timed:
            return ()
        ends = [len(self._text[: self._text.index(word)] + word) * 0.02 for word in self._text.split()]
        return [WordTiming(word, 0.0, end) for word, end in zip(self._text.split(), ends, strict=True)]

    async def _break(self) -> None:
        if self.script.error is not None:
            raise self.script.error
        await asyncio.Event().wait()


@dataclass(slots=True)
class Team:
    """Two engines, the first of which may be in trouble, as one."""

    first: StandBy = field(default_factory=lambda: StandBy("first"))
    second: StandBy = field(default_factory=lambda: StandBy("second"))
    breakers: defaultdict[tuple[str, str], Breaker] = field(default_factory=lambda: defaultdict(Breaker), init=False)

    def engine(self, attempt_s: float = 2.0) -> FailoverVoiceProvider:
        """For another call."""
        return FailoverVoiceProvider({"a": self.first, "b": self.second}, attempt_s, self.breakers)


def in_invented_time[T](test: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    """A test whose waits cost no time."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> T:
        with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
            return runner.run(test(*args, **kwargs))

    return run


async def spoken(engine: BaseVoiceProvider, text: str) -> str:
    """What is heard, read back from the sound."""
    audio = b"".join([chunk async for chunk in engine.text_to_speech(text)])
    return audio[::CHARACTER].decode(errors="replace")


async def recognised(engine: BaseVoiceProvider, seconds: float = 1.0, live: bool = False) -> list[TranscriptionResult]:
    """The results for an utterance of numbered frames; `live`, they come as they would from a caller."""

    async def frames() -> AsyncIterator[bytes]:
        for number in range(round(seconds * 50)):
            await asyncio.sleep(0.02 if live else 0)
            yield frame(number)

    return [result async for result in engine.speech_to_text(frames())]


def frame(number: int) -> bytes:
    return bytes([number % 256]) * 160


def utterance(seconds: float) -> bytes:
    return b"".join(map(frame, range(round(seconds * 50))))
