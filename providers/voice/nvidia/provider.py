"""NVIDIA's speech as an engine: PCM at 8 kHz both ways, a gRPC call for every utterance and every text."""

from typing import Self

from pydantic import SecretStr

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.base import VoiceProviderConfig
from providers.voice.nvidia import recognition, synthesis
from providers.voice.nvidia.recognition import RecognitionWire
from providers.voice.nvidia.rpc import Method
from providers.voice.nvidia.status import FAULTS, REQUEST_ID
from providers.voice.nvidia.synthesis import SynthesisWire
from providers.voice.remote.channel import Channel
from providers.voice.remote.provider import SocketVoiceProvider
from providers.voice.remote.service import Service
from providers.voice.types import VoiceCapabilities

HOSTED = "grpc.nvcf.nvidia.com:443"
"""NVIDIA's own, which wants a key."""
LONGEST_UTTERANCE_S = 3600.0
"""A call lasts as long as the caller is listened to: no longer than a telephone call."""
LONGEST_TEXT_S = 120.0
"""A text is read no faster than it is played, once enough of it waits."""

_LISTENING = Service(
    provider="nvidia", operation="stt", setting="NVIDIA_API_KEY", request_id_header=REQUEST_ID, code_faults=FAULTS
)
_SPEAKING = Service(
    provider="nvidia", operation="tts", setting="NVIDIA_API_KEY", request_id_header=REQUEST_ID, code_faults=FAULTS
)


class NvidiaConfig(VoiceProviderConfig):
    """`stt_target` and `tts_target` are servers as `host:port`. Key and function ids are those of hosted functions."""

    provider_name: str = "nvidia"
    sample_rate_input: int = recognition.RATE_HZ
    sample_rate_output: int = synthesis.RATE_HZ
    stt_target: str = HOSTED
    tts_target: str = HOSTED
    tls: bool = True
    api_key: SecretStr | None = None
    stt_function_id: str = ""
    tts_function_id: str = ""
    stt_model: str = ""
    voice: str = "Magpie-Multilingual.EN-US.Aria"
    language: str = "en-US"


class NvidiaVoiceProvider(SocketVoiceProvider[RecognitionWire, SynthesisWire]):
    """A streaming model hears, Magpie speaks, unless others are named.

    `connect` waits for the connection to the server, and not for a worker behind it: a hosted function that has slept
    takes long to wake, and the caller's first words wait for it here, not there.
    """

    voice_setting = "NVIDIA_SPEECH_VOICE"
    languages = "en, others"
    packages = ("grpc",)
    capabilities = VoiceCapabilities(streaming_stt=True, end_of_turn=True)

    def __init__(self, config: NvidiaConfig) -> None:
        super().__init__(
            config,
            Channel(
                _LISTENING,
                self._recognition,
                lambda: RecognitionWire(_LISTENING, config.language, config.stt_model),
            ),
            Channel(
                _SPEAKING,
                self._synthesis,
                lambda: SynthesisWire(_SPEAKING, config.language, config.voice),
            ),
        )
        self.config: NvidiaConfig = config

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        """Key and function ids are sent to no server that is reached without TLS."""
        target, key, is_tls = settings.NVIDIA_SPEECH_TARGET, settings.NVIDIA_API_KEY, settings.NVIDIA_SPEECH_TLS
        tts_target = settings.NVIDIA_SPEECH_TTS_TARGET or target
        if HOSTED in (target, tts_target):
            if key is None:
                raise ConfigurationError.of("NVIDIA_API_KEY", f"is required for {HOSTED}")
            if not is_tls:
                raise ConfigurationError.of("NVIDIA_SPEECH_TLS", f"is required for {HOSTED}")
        return cls(
            NvidiaConfig(
                stt_target=target,
                tts_target=tts_target,
                tls=is_tls,
                api_key=key if is_tls else None,
                stt_function_id=settings.NVIDIA_SPEECH_STT_FUNCTION_ID if is_tls else "",
                tts_function_id=settings.NVIDIA_SPEECH_TTS_FUNCTION_ID if is_tls else "",
                stt_model=settings.NVIDIA_SPEECH_STT_MODEL,
                voice=settings.NVIDIA_SPEECH_VOICE,
                language=settings.NVIDIA_SPEECH_LANGUAGE,
            )
        )

    def _recognition(self) -> Method:
        return Method(
            self.config.stt_target,
            self.config.tls,
            "/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize",
            LONGEST_UTTERANCE_S,
            "NVIDIA_SPEECH_TARGET",
            self._metadata(self.config.stt_function_id),
        )

    def _synthesis(self) -> Method:
        return Method(
            self.config.tts_target,
            self.config.tls,
            "/nvidia.riva.tts.RivaSpeechSynthesis/SynthesizeOnline",
            LONGEST_TEXT_S,
            "NVIDIA_SPEECH_TTS_TARGET",
            self._metadata(self.config.tts_function_id),
        )

    def _metadata(self, function_id: str) -> dict[str, str]:
        """Which function is called, and that we may."""
        key = self.config.api_key
        function = {"function-id": function_id} if function_id else {}
        return function | ({"authorization": f"Bearer {key.get_secret_value()}"} if key else {})
