"""Cartesia as an engine: μ-law at 8 kHz both ways, over a socket for each direction of a call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Self
from urllib.parse import urlencode

from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.base import VoiceProviderConfig
from providers.voice.cartesia.manual import ManualWire
from providers.voice.cartesia.speak import SpeakWire
from providers.voice.cartesia.turns import TurnsWire
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.sansio import Recogniser
from providers.voice.remote.service import Service
from providers.voice.types import AudioFormat, VoiceCapabilities

_CODES = {"concurrency_limited": Fault.RATE_LIMIT}
_LISTENING = Service(provider="cartesia", operation="stt", setting="CARTESIA_API_KEY", code_faults=_CODES)
_SPEAKING = Service(provider="cartesia", operation="tts", setting="CARTESIA_API_KEY", code_faults=_CODES)


class CartesiaConfig(VoiceProviderConfig):
    """`base_url` is that of the sockets; `api_version` a date that Cartesia wants with every request."""

    provider_name: str = "cartesia"
    sample_rate_input: int = 8000
    sample_rate_output: int = 8000
    chunk_duration_ms: int = 100
    api_key: SecretStr
    base_url: str = "wss://api.cartesia.ai"
    api_version: str = "2026-03-01"
    stt_model: str = "ink-2"
    tts_model: str = "sonic-3.5"
    voice_id: str = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
    language: str = "en"


class CartesiaVoiceProvider(SocketVoiceProvider[Recogniser, SpeakWire]):
    """Ink hears, Sonic speaks."""

    voice_setting = "CARTESIA_VOICE_ID"
    languages = "en, others"
    capabilities = VoiceCapabilities(
        streaming_stt=True,
        end_of_turn=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )

    def __init__(self, config: CartesiaConfig) -> None:
        super().__init__(
            config,
            Channel(_LISTENING, self._listen_address, self._listen_wire, closes_when_done=_finds_turns(config)),
            Channel(_SPEAKING, self._speak_address, lambda: SpeakWire(_SPEAKING, self._request())),
        )
        self.config: CartesiaConfig = config
        self.capabilities = replace(self.capabilities, end_of_turn=_finds_turns(config))

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        key = settings.CARTESIA_API_KEY
        if key is None:
            raise ConfigurationError.of("CARTESIA_API_KEY", "is required for Cartesia")
        return cls(
            CartesiaConfig(
                api_key=key,
                base_url=settings.CARTESIA_BASE_URL,
                api_version=settings.CARTESIA_VERSION,
                stt_model=settings.CARTESIA_STT_MODEL,
                tts_model=settings.CARTESIA_TTS_MODEL,
                voice_id=settings.CARTESIA_VOICE_ID,
                language=settings.CARTESIA_LANGUAGE,
            )
        )

    def _listen_wire(self) -> Recogniser:
        return TurnsWire(_LISTENING) if _finds_turns(self.config) else ManualWire(_LISTENING)

    def _listen_address(self) -> Address:
        query = {"model": self.config.stt_model, "encoding": "pcm_mulaw", "sample_rate": "8000"}
        if _finds_turns(self.config):
            return self._address("/stt/turns/websocket", query)
        return self._address("/stt/websocket", {**query, "language": self.config.language})

    def _speak_address(self) -> Address:
        return self._address("/tts/websocket", {})

    def _request(self) -> Mapping[str, object]:
        return {
            "model_id": self.config.tts_model,
            "voice": {"mode": "id", "id": self.config.voice_id},
            "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
            "language": self.config.language,
        }

    def _address(self, path: str, query: Mapping[str, str]) -> Address:
        key = self.config.api_key.get_secret_value()
        parameters = f"?{urlencode(query)}" if query else ""
        headers = {"Authorization": f"Bearer {key}", "Cartesia-Version": self.config.api_version}
        return Address(f"{self.config.base_url.rstrip('/')}{path}{parameters}", headers)


def _finds_turns(config: CartesiaConfig) -> bool:
    return config.stt_model.startswith("ink-2")
