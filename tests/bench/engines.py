"""Engines that cost nothing, named by their import path: what is left of a call's cost is the phone line's own."""

import math
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import audioop
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from providers.audio import mulaw
from providers.audio.converter import input_spec
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities

WORDS = "I would like to book a table for two people on Sunday evening"
"""What the caller is always heard to say, a word more each time: nothing about whether more will come."""
REPLY = "Sure I can help you with that please hold on right now."
REPLY_S = 4.0
GREETING = "Hello."
GREETING_S = 0.5
TURN_END_MS = 300
"""The quiet after which `Endpointing` takes the turn to be over."""

_LOUD = 300  # RMS, in steps of a 16-bit sample
_LOUD_MS = 200
_INTERIM_MS = 200


class BenchConfig(VoiceProviderConfig):
    """The contract's chunks of 80 ms; speech comes at 24 kHz, as from most hosted engines."""

    provider_name: str = "bench"
    sample_rate_input: int = 16000
    sample_rate_output: int = 24000


class Streaming(BaseVoiceProvider):
    """Recognises while it hears, as hosted engines do, from PCM at 16 kHz; the end of the turn is left to us."""

    capabilities = VoiceCapabilities(streaming_stt=True)

    def __init__(self, config: BenchConfig) -> None:
        super().__init__(config)
        self.config: BenchConfig = config
        self._over = False

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        seconds = GREETING_S if text == GREETING else REPLY_S
        for chunk in tone(self.config.sample_rate_output, seconds, self.config.chunk_duration_ms):
            yield chunk

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        """Interim words while there is sound, final ones when it has been quiet, or the stream has ended."""
        loud_ms = quiet_ms = told_ms = 0.0
        words: list[str] = []
        to_come = iter(WORDS.split())
        self._over = False
        spec = input_spec(self)
        async for chunk in audio_stream:
            chunk_ms = spec.duration_s(len(chunk)) * 1000
            if self._loudness(chunk) > _LOUD:
                loud_ms, quiet_ms, self._over = loud_ms + chunk_ms, 0.0, False
                if loud_ms - told_ms >= (_INTERIM_MS if told_ms else _LOUD_MS):
                    told_ms = loud_ms
                    words += islice(to_come, 1)
                    yield TranscriptionResult(" ".join(words), 0.0)
            elif told_ms and not self._over:
                quiet_ms += chunk_ms
                if quiet_ms >= TURN_END_MS:
                    self._over = True
                    yield TranscriptionResult(" ".join(words), 0.0)
        yield TranscriptionResult(" ".join(words), 0.0, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return None

    def _loudness(self, chunk: bytes) -> int:
        return audioop.rms(chunk, 2)


class Endpointing(Streaming):
    """Also knows when the caller has finished, after `TURN_END_MS` of quiet.

    It takes the telephone's own μ-law, as six of the seven engines do that end turns.
    """

    capabilities = VoiceCapabilities(streaming_stt=True, end_of_turn=True, input_format=AudioFormat.ULAW_8000)

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(1.0 if self._over else 0.0, TURN_END_MS / 1000, 0, 0.0)

    def _loudness(self, chunk: bytes) -> int:
        return audioop.rms(mulaw.decode(chunk), 2)


@lru_cache(maxsize=4)
def tone(rate: int, seconds: float, chunk_ms: int) -> tuple[bytes, ...]:
    """A sine at about -18 dBFS as PCM16, in chunks of that length."""
    samples = (round(6000 * math.sin(2 * math.pi * 400 * n / rate)) for n in range(int(rate * seconds)))
    audio = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    step = rate * chunk_ms // 1000 * 2
    return tuple(audio[start : start + step] for start in range(0, len(audio), step))


class TwelveTokens(BaseChatModel):
    """Answers everything with the same sentence, word by word, at once."""

    @property
    def _llm_type(self) -> str:
        return "bench"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Has the tools described, as every model does."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("a reply streams")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in REPLY.split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word + " "))
