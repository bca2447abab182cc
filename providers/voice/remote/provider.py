"""An engine behind WebSockets: one socket that hears and one that speaks, for as long as the call lasts."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.remote.channel import Channel
from providers.voice.remote.sansio import Recogniser, Synthesiser, Wire
from providers.voice.remote.streaming import recognise, synthesise
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, WordTiming


class SocketVoiceProvider[R: Recogniser, S: Synthesiser](BaseVoiceProvider):
    """What the engines of this kind share; a subclass says where its channels lead and what is spoken on them."""

    def __init__(self, config: VoiceProviderConfig, hearing: Channel[R], speaking: Channel[S]) -> None:
        super().__init__(config)
        self._hearing = hearing
        self._speaking = speaking

    async def connect(self) -> None:
        """Open the sockets this call uses, both at once; raises the first `ProviderException` of the two."""
        channels: list[Channel[R] | Channel[S]] = [self._hearing] if self.hears else []
        channels += [self._speaking] if self.speaks else []
        opened: list[Wire | BaseException] = await asyncio.gather(
            *(channel.open() for channel in channels), return_exceptions=True
        )
        for result in opened:
            if isinstance(result, BaseException):
                raise result
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False
        await asyncio.gather(self._hearing.close(), self._speaking.close())

    def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        return synthesise(self._speaking, text)

    def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        is_ulaw = self.capabilities.input_format is AudioFormat.ULAW_8000
        bytes_per_s = 8000 if is_ulaw else 2 * self.config.sample_rate_input
        return recognise(self._hearing, audio_stream, bytes_per_s)

    async def get_vad_info(self) -> VADInfo | None:
        return None if self._hearing.wire is None else self._hearing.wire.vad

    def word_timings(self) -> Sequence[WordTiming]:
        return () if self._speaking.wire is None else self._speaking.wire.timings
