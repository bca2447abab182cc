"""Engines that a call meets in these tests only, named by their import path."""

from collections.abc import AsyncIterator

from providers.errors import TTSError
from providers.voice.scripted import ScriptedVoiceProvider


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
