"""Engines as somebody would write them who has the contract and nothing else."""

from collections.abc import AsyncIterator

from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.types import TranscriptionResult, VADInfo


class EchoConfig(VoiceProviderConfig):
    provider_name: str = "parrot"
    api_key: str
    model: str = "small"


class EchoProvider(BaseVoiceProvider):
    """Speaks the bytes of the text, hears the number of bytes."""

    def __init__(self, config: EchoConfig) -> None:
        super().__init__(config)
        self.config: EchoConfig = config

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        yield text.encode()

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        size = sum([len(chunk) async for chunk in audio_stream])
        yield TranscriptionResult(text=str(size), start_s=0.0, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return None


class HTTPVoiceProvider(EchoProvider):
    """A name that is not plain camel case, and a suffix that belongs to no variable."""


class Unrelated:
    """Not an engine."""
