"""Engines that a call meets in these tests only, named by their import path."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGenerationChunk

from agent.business import load_business
from agent.frontdesk.model import FrontDeskModel
from providers.errors import TTSError
from providers.settings import VoiceSettings, settings
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.scripted import ScriptedVoiceProvider
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities
from telephony.scenarios.sounds import Reader, speech


class Brisk(ScriptedVoiceProvider):
    """Speaks three times as fast as the scripted engine it is otherwise."""

    async def connect(self) -> None:
        self.config.seconds_per_character = 0.02
        await super().connect()


class Mute(ScriptedVoiceProvider):
    """Has lost its voice."""

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        raise TTSError("the engine is away", provider="mute", operation="tts")
        yield b""


class Reading(BaseVoiceProvider):
    """Hears and speaks the sounds that carry their own text, in the telephone's own format, as the caller speaks."""

    capabilities = VoiceCapabilities(
        streaming_stt=True,
        end_of_turn=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )
    paused_after_s = 0.3
    behind_s = 0.4

    def __init__(self, config: VoiceProviderConfig) -> None:
        super().__init__(config)
        self._quiet_s = 0.0

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        return cls(VoiceProviderConfig(provider_name="reading", sample_rate_input=8000, sample_rate_output=8000))

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        yield speech(text)

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        reader, told_at_s, heard_s = Reader(), 0.0, 0.0
        self._quiet_s = 0.0
        async for chunk in audio_stream:
            heard_s += len(chunk) / 8000
            self._quiet_s = 0.0 if reader.feed(chunk) else self._quiet_s + len(chunk) / 8000
            if not reader.text:
                told_at_s = heard_s + self.behind_s  # a detector of voice comes first
            elif heard_s - told_at_s > 0.1:
                told_at_s = heard_s
                yield TranscriptionResult(reader.text, 0.0, heard_s)
        yield TranscriptionResult(reader.text, 0.0, heard_s, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(float(self._quiet_s >= self.paused_after_s), 0.0, 0, 0.0)


class Stalling(ScriptedVoiceProvider):
    """Takes everything and answers nothing, once `stalls` is set; `asked` is what it was to say, or "" to hear."""

    stalls: ClassVar[bool] = False
    asked: ClassVar[list[str]] = []

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        await self._stall(text)
        async for chunk in super().text_to_speech(text):
            yield chunk

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        await self._stall("")
        async for result in super().speech_to_text(audio_stream):
            yield result

    async def _stall(self, text: str) -> None:
        self.asked.append(text)
        if self.stalls:
            await asyncio.Event().wait()


class Considered(FrontDeskModel):
    """The front desk, which thinks for a moment before it speaks, and has the caller type the code they talk of."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(0.4)
        said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
        if "code" in said:
            wanted = {"purpose": "the code", "length": 4, "terminator": "#"}
            call = tool_call(name="collect_digits", args=wanted, id=f"call_{len(messages)}")
            yield ChatGenerationChunk(message=AIMessageChunk(content="Your code, please.", tool_calls=[call]))
        elif "pressed" in said:
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"Thank you for {said[-5:-1]}."))
        else:
            async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
                yield chunk


def considered() -> Considered:
    return Considered(business=load_business(settings.llm.BUSINESS_FILE), now=lambda: datetime.now(UTC))
