"""The shipped fake: recognises what it is told to, speaks tones, costs nothing; made to be copied by new authors."""

import math
import operator
from array import array
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Self

from pydantic import Field

from providers.settings import VoiceSettings
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.types import TranscriptionResult, VADInfo

_AMPLITUDE = 6000  # of 32767: about -18 dBFS, the level of telephone speech
_FREQUENCY_HZ = 400  # four whole periods in 10 ms, so that pieces of 10 ms join without a seam


class ScriptedConfig(VoiceProviderConfig):
    """`transcripts` are the caller's lines, one an utterance, from the first again when they run out."""

    provider_name: str = "scripted"
    sample_rate_input: int = 16000
    sample_rate_output: int = 24000
    transcripts: list[str] = Field(default_factory=lambda: ["Hello."])
    seconds_per_character: float = 0.06


class ScriptedVoiceProvider(BaseVoiceProvider):
    """Speech without speech: for tests, load runs and trying a language model alone."""

    def __init__(self, config: ScriptedConfig) -> None:
        super().__init__(config)
        self.config: ScriptedConfig = config
        self._heard = 0

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        lines = [line.strip() for line in settings.SCRIPTED_TRANSCRIPTS.split("|")]
        return cls(ScriptedConfig(transcripts=lines))

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        """One steady tone, as long as the text would take to say, in chunks of `chunk_duration_ms`."""
        rate = self.config.sample_rate_output
        tone = _tone(rate, len(text) * self.config.seconds_per_character)
        step = rate * self.config.chunk_duration_ms // 1000 * 2
        for start in range(0, len(tone), step):
            yield tone[start : start + step]

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        """Hears the audio out, then says it was the next line of the script."""
        size = 0
        async for chunk in audio_stream:
            size += len(chunk)
        lines = self.config.transcripts
        text = lines[self._heard % len(lines)]
        self._heard += 1
        yield TranscriptionResult(
            text=text, start_s=0.0, stop_s=size / 2 / self.config.sample_rate_input, is_final=True
        )

    async def get_vad_info(self) -> VADInfo | None:
        return None


def _tone(rate: int, seconds: float) -> bytes:
    """A sine as PCM16, in whole pieces of 10 ms, the first fading in and the last fading out."""
    rise, steady, fall = _pieces(rate)
    count = round(seconds * 100)
    return rise + steady * (count - 2) + fall if count >= 2 else b""


@lru_cache(maxsize=8)
def _pieces(rate: int) -> tuple[bytes, bytes, bytes]:
    """10 ms of the tone: rising, steady, falling. A tone that started or stopped at once would click."""
    size = rate // 100
    wave = [_AMPLITUDE * math.sin(2 * math.pi * _FREQUENCY_HZ * n / rate) for n in range(size)]
    shapes = ([n / size for n in range(size)], [1.0] * size, [1 - n / size for n in range(size)])
    rise, steady, fall = (array("h", map(round, map(operator.mul, wave, shape))).tobytes() for shape in shapes)
    return rise, steady, fall
