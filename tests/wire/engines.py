"""Engines that a call meets in these tests only, named by their import path."""

from collections.abc import AsyncIterator

from providers.errors import TTSError
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider


class Mute(ScriptedVoiceProvider):
    """Has lost its voice."""

    def __init__(self, config: ScriptedConfig) -> None:
        super().__init__(config)

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        raise TTSError("the engine is away", provider="mute", operation="tts")
        yield b""
