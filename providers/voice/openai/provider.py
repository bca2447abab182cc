"""OpenAI as an engine: it hears over a WebSocket or file by file, as the model is able to, and speaks over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, Self

from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.openai import files
from providers.voice.openai.realtime import BYTES_PER_S, RealtimeWire, Session
from providers.voice.remote import http
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.service import Service
from providers.voice.remote.streaming import recognise
from providers.voice.remote.utterance import Utterance
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities

URL = "https://api.openai.com/v1"
LONGEST_SESSION_S = 600.0
"""Sessions are ended after 15 to 60 minutes, says one and another; a new one costs nothing between two turns."""

_CODES = {
    "invalid_api_key": Fault.AUTHENTICATION,
    "insufficient_quota": Fault.QUOTA,
    "rate_limit_exceeded": Fault.RATE_LIMIT,
    "session_expired": Fault.UNAVAILABLE,
}
_HEARING = Service(
    provider="openai",
    operation="stt",
    setting="OPENAI_API_KEY",
    model_setting="OPENAI_STT_MODEL",
    code_faults=_CODES,
)
_SPEAKING = Service(
    provider="openai",
    operation="tts",
    setting="OPENAI_API_KEY",
    model_setting="OPENAI_TTS_MODEL",
    code_faults=_CODES,
)


class OpenAIVoiceConfig(VoiceProviderConfig):
    """`model` hears. `realtime` says whether it does so over a WebSocket, None that its name tells.

    The base URLs are those of HTTP, with the version; servers other than OpenAI's may need no key.
    """

    provider_name: str = "openai"
    api_key: SecretStr | None = None
    model: str = "whisper-1"
    voice: str = "alloy"
    sample_rate_input: int = 16000
    sample_rate_output: int = 24000
    realtime: bool | None = None
    language: str = "en"
    tts_model: str = "tts-1"
    stt_base_url: str = URL
    tts_base_url: str = URL

    @property
    def is_realtime(self) -> bool:
        return self.model.startswith("gpt-") if self.realtime is None else self.realtime

    @property
    def finds_turns(self) -> bool:
        """Whether the realtime model says when the caller has finished; those that tell words at once do not."""
        return self.is_realtime and not any(word in self.model for word in ("live", "realtime"))


class OpenAIVoiceProvider(BaseVoiceProvider):
    """A realtime model takes the line's μ-law untouched; a file is recognised when the utterance is over."""

    voice_setting = "OPENAI_TTS_VOICE"

    def __init__(self, config: OpenAIVoiceConfig) -> None:
        super().__init__(config)
        self.config: OpenAIVoiceConfig = config
        self.capabilities = VoiceCapabilities(
            streaming_stt=config.is_realtime,
            end_of_turn=config.finds_turns,
            input_format=AudioFormat.ULAW_8000 if config.is_realtime else AudioFormat.PCM,
        )
        session = Session(config.model, config.language, config.finds_turns)
        self._live = Channel(
            _HEARING, self._live_address, lambda: RealtimeWire(_HEARING, session), max_age_s=LONGEST_SESSION_S
        )

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        urls = (settings.OPENAI_STT_BASE_URL.rstrip("/"), settings.OPENAI_TTS_BASE_URL.rstrip("/"))
        if settings.OPENAI_API_KEY is None and URL in urls:
            raise ConfigurationError.of(
                "OPENAI_API_KEY", "is required unless OPENAI_STT_BASE_URL and OPENAI_TTS_BASE_URL name other servers"
            )
        return cls(
            OpenAIVoiceConfig(
                api_key=settings.OPENAI_API_KEY,
                model=settings.OPENAI_STT_MODEL,
                voice=settings.OPENAI_TTS_VOICE,
                realtime=settings.OPENAI_STT_REALTIME,
                language=settings.OPENAI_STT_LANGUAGE,
                tts_model=settings.OPENAI_TTS_MODEL,
                stt_base_url=settings.OPENAI_STT_BASE_URL,
                tts_base_url=settings.OPENAI_TTS_BASE_URL,
            )
        )

    async def connect(self) -> None:
        """Open what this call uses, all at once; raises the first `ProviderException`."""
        config = self.config
        opening: list[Coroutine[Any, Any, object]] = []
        if self.speaks:
            opening.append(http.warm(_SPEAKING, f"{_root(config.tts_base_url)}/models", self._headers))
        if self.hears and config.is_realtime:
            opening.append(self._live.open())
        elif self.hears:
            opening.append(http.warm(_HEARING, f"{_root(config.stt_base_url)}/models", self._headers))
        for result in await asyncio.gather(*opening, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        self._connected = True

    async def disconnect(self) -> None:
        """Close the socket; connections of HTTP are shared by calls and stay."""
        self._connected = False
        await self._live.close()

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncGenerator[bytes]:
        url = f"{_root(self.config.tts_base_url)}/audio/speech"
        for request in files.speech(self.config.tts_model, self.config.voice, text):
            async with aclosing(http.stream(_SPEAKING, url, self._headers, json=request)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncGenerator[TranscriptionResult]:
        if self.config.is_realtime:
            return recognise(self._live, audio_stream, BYTES_PER_S)
        return self._recognise_file(audio_stream)

    async def get_vad_info(self) -> VADInfo | None:
        return None if self._live.wire is None else self._live.wire.vad

    async def _recognise_file(self, audio_stream: AsyncIterator[bytes]) -> AsyncGenerator[TranscriptionResult]:
        rate_hz = self.config.sample_rate_input
        utterance = Utterance(2 * rate_hz)
        await utterance.fill(audio_stream)
        pcm16 = utterance.audio
        duration_s = len(pcm16) / (2 * rate_hz)
        text = await self._transcript(pcm16) if duration_s >= files.SHORTEST_AUDIO_S else ""
        yield TranscriptionResult(text, 0.0, duration_s, is_final=True)

    async def _transcript(self, pcm16: bytes) -> str:
        config = self.config
        body = await http.post(
            _HEARING,
            f"{_root(config.stt_base_url)}/audio/transcriptions",
            self._headers,
            data=files.form(config.model, config.language),
            files={"file": ("utterance.wav", files.wav(pcm16, config.sample_rate_input), "audio/wav")},
        )
        return files.transcript(_HEARING, body)

    def _live_address(self) -> Address:
        """Without the model, which would make it a session of another kind."""
        root = _root(self.config.stt_base_url).replace("http", "ws", 1)
        return Address(f"{root}/realtime?intent=transcription", self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        key = self.config.api_key
        return {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}


def _root(base_url: str) -> str:
    return base_url.rstrip("/")
