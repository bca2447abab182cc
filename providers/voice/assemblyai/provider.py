"""AssemblyAI as an engine: μ-law at 8 kHz both ways, over a socket for each direction of a call."""

from typing import Self
from urllib.parse import urlencode

from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault
from providers.settings import VoiceSettings
from providers.voice.assemblyai.listen import TERMINATE, TurnsWire
from providers.voice.assemblyai.speak import SpeakWire
from providers.voice.base import VoiceProviderConfig
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.pace import Pace
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.service import Service
from providers.voice.types import AudioFormat, VoiceCapabilities

LEAD_S = 0.9
"""How far audio may be ahead of real time: the onset of an utterance, and less than one message may hold."""
IDLE_LIMIT_S = 120
KEEP_ALIVE_S = 50.0
LONGEST_HEARING_S = 10000.0
"""Sessions that hear end after three hours, those that speak after one."""
LONGEST_SPEAKING_S = 3300.0

_CLOSES = {
    1008: Fault.AUTHENTICATION,
    3006: Fault.BAD_REQUEST,
    3007: Fault.PROTOCOL,
    3009: Fault.RATE_LIMIT,
}
_CODES = {str(code): fault for code, fault in _CLOSES.items()} | {
    "rate_limited": Fault.RATE_LIMIT,
    "at_capacity": Fault.UNAVAILABLE,
    "auth_unavailable": Fault.UNAVAILABLE,
    "input_rate_exceeded": Fault.PROTOCOL,
    "voice_not_found": Fault.BAD_REQUEST,
    "invalid_parameter": Fault.BAD_REQUEST,
    "invalid_message": Fault.BAD_REQUEST,
}
_LISTENING = Service(
    provider="assemblyai", operation="stt", setting="ASSEMBLYAI_API_KEY", close_faults=_CLOSES, code_faults=_CODES
)
_SPEAKING = Service(
    provider="assemblyai", operation="tts", setting="ASSEMBLYAI_API_KEY", close_faults=_CLOSES, code_faults=_CODES
)


class AssemblyAIConfig(VoiceProviderConfig):
    """`stt_url` and `tts_url` are those of the sockets.

    `min_turn_silence_ms` ends a turn that sounds finished, `max_turn_silence_ms` any; `pace` is how much faster than
    real time audio is sent when there is a backlog.
    """

    provider_name: str = "assemblyai"
    sample_rate_input: int = 8000
    sample_rate_output: int = 8000
    chunk_duration_ms: int = 100
    api_key: SecretStr
    stt_url: str = "wss://streaming.assemblyai.com"
    tts_url: str = "wss://tts.us.assemblyai.com"
    stt_model: str = "universal-streaming-english"
    tts_model: str = "assemblyai-tts-1"
    voice: str = "aai-jane"
    min_turn_silence_ms: int = 400
    max_turn_silence_ms: int = 1280
    pace: float = 1.0


class AssemblyAIVoiceProvider(SocketVoiceProvider[TurnsWire, SpeakWire]):
    """Universal streaming hears and says when a turn has ended; streaming speech speaks."""

    voice_setting = "ASSEMBLYAI_VOICE"
    capabilities = VoiceCapabilities(
        streaming_stt=True,
        end_of_turn=True,
        input_format=AudioFormat.ULAW_8000,
        output_format=AudioFormat.ULAW_8000,
    )

    def __init__(self, config: AssemblyAIConfig) -> None:
        super().__init__(
            config,
            Channel(
                _LISTENING,
                self._listen_address,
                lambda: TurnsWire(_LISTENING),
                max_age_s=LONGEST_HEARING_S,
                pace=Pace(LEAD_S, config.pace),
            ),
            Channel(
                _SPEAKING,
                self._speak_address,
                lambda: SpeakWire(_SPEAKING),
                keep_alive_s=KEEP_ALIVE_S,
                max_age_s=LONGEST_SPEAKING_S,
            ),
        )
        self.config: AssemblyAIConfig = config

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        key = settings.ASSEMBLYAI_API_KEY
        if key is None:
            raise ConfigurationError.of("ASSEMBLYAI_API_KEY", "is required for AssemblyAI")
        return cls(
            AssemblyAIConfig(
                api_key=key,
                stt_url=settings.ASSEMBLYAI_STT_URL,
                tts_url=settings.ASSEMBLYAI_TTS_URL,
                stt_model=settings.ASSEMBLYAI_STT_MODEL,
                tts_model=settings.ASSEMBLYAI_TTS_MODEL,
                voice=settings.ASSEMBLYAI_VOICE,
            )
        )

    def _listen_address(self) -> Address:
        config = self.config
        return self._address(
            f"{config.stt_url.rstrip('/')}/v3/ws",
            sample_rate="8000",
            encoding="pcm_mulaw",
            speech_model=config.stt_model,
            format_turns="false",
            min_turn_silence=str(config.min_turn_silence_ms),
            max_turn_silence=str(config.max_turn_silence_ms),
            session_heartbeat="true",
        )

    def _speak_address(self) -> Address:
        config = self.config
        return self._address(
            f"{config.tts_url.rstrip('/')}/v1/ws",
            voice_id=config.voice,
            model_id=config.tts_model,
            encoding="pcm_mulaw",
            sample_rate="8000",
            inactivity_timeout=str(IDLE_LIMIT_S),
        )

    def _address(self, url: str, **query: str) -> Address:
        headers = {"Authorization": self.config.api_key.get_secret_value()}
        return Address(f"{url}?{urlencode(query)}", headers, farewell=(TERMINATE,))
