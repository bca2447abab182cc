"""Gradium as an engine: μ-law at 8 kHz both ways, over a socket for each direction of a call."""

from typing import Self

from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.base import VoiceProviderConfig
from providers.voice.gradium.listen import ListenWire
from providers.voice.gradium.speak import SpeakWire
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.service import Service
from providers.voice.types import AudioFormat, VoiceCapabilities

LONGEST_SESSION_S = 180.0
"""Sessions are cut after 300 s. A turn that begins later than this gets a new connection, opened while the bot begins
to talk; one that is cut all the same is heard again from its last finished word."""

_CODES = {"setup": Fault.AUTHENTICATION}
_CLOSES = {1008: Fault.UNAVAILABLE}
"""Failures are told in a message before."""
_LISTENING = Service(
    provider="gradium", operation="stt", setting="GRADIUM_API_KEY", close_faults=_CLOSES, code_faults=_CODES
)
_SPEAKING = Service(
    provider="gradium", operation="tts", setting="GRADIUM_API_KEY", close_faults=_CLOSES, code_faults=_CODES
)


class GradiumConfig(VoiceProviderConfig):
    """`base_url` is that of the sockets.

    `delay_frames`: how far the words lag behind the audio, in steps of 80 ms: one of 7, 8, 10, 12, 14, 16, 20, 24, 36
    and 48; more is more accurate.
    """

    provider_name: str = "gradium"
    sample_rate_input: int = 8000
    sample_rate_output: int = 8000
    api_key: SecretStr
    base_url: str = "wss://api.gradium.ai"
    stt_model: str = "default"
    tts_model: str = "default"
    voice: str = "YTpq7expH9539ERJ"
    language: str = "en"
    delay_frames: int = 10


class GradiumVoiceProvider(SocketVoiceProvider[ListenWire, SpeakWire]):
    """Hears with a view of the turn, and speaks."""

    voice_setting = "GRADIUM_VOICE"
    capabilities = VoiceCapabilities(
        streaming_stt=True,
        end_of_turn=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )

    def __init__(self, config: GradiumConfig) -> None:
        super().__init__(
            config,
            Channel(
                _LISTENING,
                lambda: self._address("asr"),
                lambda: ListenWire(_LISTENING, config.stt_model, config.language, config.delay_frames),
                max_age_s=LONGEST_SESSION_S,
            ),
            Channel(
                _SPEAKING,
                lambda: self._address("tts"),
                lambda: SpeakWire(_SPEAKING, config.tts_model, config.voice),
                max_age_s=LONGEST_SESSION_S,
            ),
        )
        self.config: GradiumConfig = config

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        key = settings.GRADIUM_API_KEY
        if key is None:
            raise ConfigurationError.of("GRADIUM_API_KEY", "is required for Gradium")
        return cls(
            GradiumConfig(
                api_key=key,
                base_url=settings.GRADIUM_BASE_URL,
                stt_model=settings.GRADIUM_STT_MODEL,
                tts_model=settings.GRADIUM_TTS_MODEL,
                voice=settings.GRADIUM_VOICE,
                language=settings.GRADIUM_LANGUAGE,
            )
        )

    def _address(self, service: str) -> Address:
        url = f"{self.config.base_url.rstrip('/')}/api/speech/{service}"
        return Address(url, {"x-api-key": self.config.api_key.get_secret_value()})
