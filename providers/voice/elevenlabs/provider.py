"""ElevenLabs as an engine: μ-law at 8 kHz both ways, over a socket for each direction of a call."""

from dataclasses import replace
from typing import Self
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.base import VoiceProviderConfig
from providers.voice.elevenlabs.contexts import ContextsWire
from providers.voice.elevenlabs.scribe import Commit, ScribeWire
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.service import Service
from providers.voice.types import AudioFormat, VoiceCapabilities

KEEP_ALIVE_S = 9.0
"""Scribe wants audio about every ten seconds."""
IDLE_LIMIT_S = 180
"""The longest a speaking connection may be asked to wait for its next text; one that was closed is opened again."""

_CODES = {
    "invalid_api_key": Fault.AUTHENTICATION,
    "auth_error": Fault.AUTHENTICATION,
    "unaccepted_terms": Fault.AUTHENTICATION,
    "quota_exceeded": Fault.QUOTA,
    "rate_limited": Fault.RATE_LIMIT,
    "too_many_concurrent_requests": Fault.RATE_LIMIT,
    "system_busy": Fault.RATE_LIMIT,
    "max_active_conversations": Fault.RATE_LIMIT,
    "voice_not_found": Fault.BAD_REQUEST,
    "max_character_limit_exceeded": Fault.BAD_REQUEST,
    "input_error": Fault.BAD_REQUEST,
    "invalid_request": Fault.BAD_REQUEST,
    "chunk_size_exceeded": Fault.BAD_REQUEST,
}
_CLOSES = {1008: Fault.UNAVAILABLE}
"""Failures are told in a message before; a close without one is that of a connection that was idle too long."""
_LISTENING = Service(
    provider="elevenlabs",
    operation="stt",
    setting="ELEVENLABS_API_KEY",
    request_id_header="request-id",
    close_faults=_CLOSES,
    code_faults=_CODES,
)
_SPEAKING = Service(
    provider="elevenlabs",
    operation="tts",
    setting="ELEVENLABS_API_KEY",
    request_id_header="request-id",
    close_faults=_CLOSES,
    code_faults=_CODES,
)


class ElevenLabsConfig(VoiceProviderConfig):
    """`base_url` is that of the sockets; `language`, an ISO 639-1 code, that which is heard:
    not every voice model takes one."""

    provider_name: str = "elevenlabs"
    sample_rate_input: int = 8000
    sample_rate_output: int = 8000
    chunk_duration_ms: int = 100
    api_key: SecretStr
    base_url: str = "wss://api.elevenlabs.io"
    stt_model: str = "scribe_v2_realtime"
    tts_model: str = "eleven_flash_v2_5"
    voice: str = "21m00Tcm4TlvDq8ikWAM"
    language: str = "en"
    commit: Commit = Commit.MANUAL
    vad_silence_s: float = 0.5


class ElevenLabsVoiceProvider(SocketVoiceProvider[ScribeWire, ContextsWire]):
    """Scribe hears, Flash speaks. With `Commit.MANUAL` it has no view of the caller's turn."""

    voice_setting = "ELEVENLABS_VOICE"
    capabilities = VoiceCapabilities(
        streaming_stt=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )

    def __init__(self, config: ElevenLabsConfig) -> None:
        super().__init__(
            config,
            Channel(_LISTENING, self._listen_address, self._listen_wire, keep_alive_s=KEEP_ALIVE_S),
            Channel(_SPEAKING, self._speak_address, lambda: ContextsWire(_SPEAKING)),
        )
        self.config: ElevenLabsConfig = config
        self.capabilities = replace(self.capabilities, end_of_turn=config.commit is Commit.VAD)

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        key = settings.ELEVENLABS_API_KEY
        if key is None:
            raise ConfigurationError.of("ELEVENLABS_API_KEY", "is required for ElevenLabs")
        return cls(
            ElevenLabsConfig(
                api_key=key,
                base_url=settings.ELEVENLABS_BASE_URL,
                stt_model=settings.ELEVENLABS_STT_MODEL,
                tts_model=settings.ELEVENLABS_TTS_MODEL,
                voice=settings.ELEVENLABS_VOICE,
                language=settings.ELEVENLABS_LANGUAGE,
                commit=Commit(settings.ELEVENLABS_COMMIT),
            )
        )

    def _listen_wire(self) -> ScribeWire:
        return ScribeWire(_LISTENING, self.config.commit, self.config.vad_silence_s)

    def _listen_address(self) -> Address:
        config = self.config
        query = {
            "model_id": config.stt_model,
            "audio_format": "ulaw_8000",
            "language_code": config.language,
            "commit_strategy": config.commit.value,
        }
        if config.commit is Commit.VAD:
            query["vad_silence_threshold_secs"] = str(config.vad_silence_s)
        return self._address("/v1/speech-to-text/realtime", query)

    def _speak_address(self) -> Address:
        config = self.config
        query = {
            "model_id": config.tts_model,
            "output_format": "ulaw_8000",
            "auto_mode": "true",
            "sync_alignment": "true",
            "inactivity_timeout": str(IDLE_LIMIT_S),
        }
        return self._address(f"/v1/text-to-speech/{quote(config.voice, safe='')}/multi-stream-input", query)

    def _address(self, path: str, query: dict[str, str]) -> Address:
        url = f"{self.config.base_url.rstrip('/')}{path}?{urlencode(query)}"
        return Address(url, {"xi-api-key": self.config.api_key.get_secret_value()})
