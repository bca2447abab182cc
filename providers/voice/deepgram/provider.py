"""Deepgram as an engine: μ-law at 8 kHz both ways, over a socket for each direction of a call."""

from typing import Self
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.base import VoiceProviderConfig
from providers.voice.deepgram.flux import FluxWire
from providers.voice.deepgram.flux_speak import FluxSpeakWire
from providers.voice.deepgram.listen import ListenWire
from providers.voice.deepgram.speak import SpeakWire
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.sansio import Recogniser, Synthesiser
from providers.voice.remote.service import Service
from providers.voice.types import AudioFormat, VoiceCapabilities

KEEP_ALIVE_S = 4.0
LONGEST_SESSION_S = 3300.0
"""Speaking sessions end after about an hour."""

_CODES = {
    "INVALID_AUTH": Fault.AUTHENTICATION,
    "ASR_PAYMENT_REQUIRED": Fault.QUOTA,
    "TOO_MANY_REQUESTS": Fault.RATE_LIMIT,
}
_LISTENING = Service(
    provider="deepgram",
    operation="stt",
    setting="DEEPGRAM_API_KEY",
    request_id_header="dg-request-id",
    code_faults=_CODES,
)
_SPEAKING = Service(
    provider="deepgram",
    operation="tts",
    setting="DEEPGRAM_API_KEY",
    request_id_header="dg-request-id",
    code_faults=_CODES,
)


class DeepgramConfig(VoiceProviderConfig):
    """`base_url` is that of the sockets. `endpointing_ms` is for Nova, `eager_eot_threshold` for Flux."""

    provider_name: str = "deepgram"
    sample_rate_input: int = 8000
    sample_rate_output: int = 8000
    chunk_duration_ms: int = 100
    api_key: SecretStr
    base_url: str = "wss://api.deepgram.com"
    stt_model: str = "nova-3"
    tts_model: str = "aura-2-thalia-en"
    language: str = "en"
    endpointing_ms: int = 300
    eager_eot_threshold: float | None = Field(default=None, ge=0.3, le=0.7)


class DeepgramVoiceProvider(SocketVoiceProvider[Recogniser, Synthesiser]):
    """Nova hears and Aura speaks, or Flux does."""

    voice_setting = "DEEPGRAM_TTS_MODEL"
    languages = "en, others"

    capabilities = VoiceCapabilities(
        streaming_stt=True,
        end_of_turn=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )

    def __init__(self, config: DeepgramConfig) -> None:
        super().__init__(
            config,
            Channel(_LISTENING, self._listen_address, self._listen_wire, keep_alive_s=KEEP_ALIVE_S),
            Channel(_SPEAKING, self._speak_address, self._speak_wire, max_age_s=LONGEST_SESSION_S),
        )
        self.config: DeepgramConfig = config

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        key = settings.DEEPGRAM_API_KEY
        if key is None:
            raise ConfigurationError.of("DEEPGRAM_API_KEY", "is required for Deepgram")
        return cls(
            DeepgramConfig(
                api_key=key,
                base_url=settings.DEEPGRAM_BASE_URL,
                stt_model=settings.DEEPGRAM_STT_MODEL,
                tts_model=settings.DEEPGRAM_TTS_MODEL,
                language=settings.DEEPGRAM_LANGUAGE,
                eager_eot_threshold=settings.DEEPGRAM_EAGER_EOT_THRESHOLD,
            )
        )

    def _listen_wire(self) -> Recogniser:
        return FluxWire(_LISTENING) if _is_flux(self.config.stt_model) else ListenWire(_LISTENING)

    def _speak_wire(self) -> Synthesiser:
        return FluxSpeakWire(_SPEAKING) if _is_flux(self.config.tts_model) else SpeakWire(_SPEAKING)

    def _listen_address(self) -> Address:
        config = self.config
        if not _is_flux(config.stt_model):
            return self._address(
                "/v1/listen",
                model=config.stt_model,
                channels="1",
                language=config.language,
                interim_results="true",
                endpointing=str(config.endpointing_ms),
                utterance_end_ms="1000",
                vad_events="true",
                smart_format="true",
            )
        query = {"model": config.stt_model}
        if config.eager_eot_threshold is not None:
            query["eager_eot_threshold"] = str(config.eager_eot_threshold)
        if config.stt_model.endswith("multi"):
            query["language_hint"] = config.language
        return self._address("/v2/listen", **query)

    def _speak_address(self) -> Address:
        version = "v2" if _is_flux(self.config.tts_model) else "v1"
        return self._address(f"/{version}/speak", model=self.config.tts_model)

    def _address(self, path: str, **query: str) -> Address:
        key = self.config.api_key.get_secret_value()
        parameters = urlencode({**query, "encoding": "mulaw", "sample_rate": "8000"})
        return Address(f"{self.config.base_url.rstrip('/')}{path}?{parameters}", {"Authorization": f"Token {key}"})


def _is_flux(model: str) -> bool:
    return model.startswith("flux-")
