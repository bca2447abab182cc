"""From one audio format and rate to another, live: the way between the telephone line and a speech engine."""

from dataclasses import dataclass

from providers.audio import mulaw
from providers.audio.resample import Resampler
from providers.errors import ConfigurationError
from providers.voice.base import BaseVoiceProvider
from providers.voice.types import AudioFormat

_FIXED_RATES = {AudioFormat.ULAW_8000: mulaw.RATE_HZ, AudioFormat.PCM_16000: 16000, AudioFormat.PCM_24000: 24000}


@dataclass(frozen=True, slots=True)
class AudioSpec:
    """What a run of mono audio bytes is: μ-law at 8000 Hz, or PCM16 little-endian at `rate_hz`."""

    format: AudioFormat
    rate_hz: int

    def __post_init__(self) -> None:
        if self.format not in (AudioFormat.PCM, AudioFormat.ULAW_8000):
            raise ValueError(f"cannot convert {self.format} audio: only pcm and ulaw_8000 are known here")
        if self.format is AudioFormat.ULAW_8000 and self.rate_hz != mulaw.RATE_HZ:
            raise ValueError(f"ulaw_8000 audio cannot have {self.rate_hz} Hz")

    @property
    def bytes_per_sample(self) -> int:
        return 1 if self.format is AudioFormat.ULAW_8000 else 2

    def duration_s(self, size_bytes: int) -> float:
        """How long that many bytes sound."""
        return size_bytes / (self.bytes_per_sample * self.rate_hz)


LINE = AudioSpec(AudioFormat.ULAW_8000, mulaw.RATE_HZ)


class Converter:
    """One stream of audio from `source` to `target`; equal specs pass the very same bytes objects.

    The output does not depend on how the input was cut into chunks. Raises `ValueError` for a pair of rates that
    cannot be resampled.
    """

    def __init__(self, source: AudioSpec, target: AudioSpec) -> None:
        self._untouched = source == target
        self._decode = source.format is AudioFormat.ULAW_8000
        self._encode = target.format is AudioFormat.ULAW_8000
        self._resampler = Resampler(source.rate_hz, target.rate_hz)

    @property
    def delay_s(self) -> float:
        """How much later a sound leaves than it entered."""
        return self._resampler.delay_s

    def convert(self, audio: bytes) -> bytes:
        """What this chunk adds to the output, in whole samples of the target."""
        if self._untouched:
            return audio
        pcm16 = self._resampler.process(mulaw.decode(audio) if self._decode else audio)
        return mulaw.encode(pcm16) if self._encode else pcm16

    def flush(self) -> bytes:
        """The end of the stream: what was still held back, after which another stream may begin."""
        tail = self._resampler.flush()
        return mulaw.encode(tail) if self._encode else tail


def input_spec(provider: BaseVoiceProvider) -> AudioSpec:
    """What the engine's `speech_to_text` takes; raises `ConfigurationError` if the line cannot be turned into it."""
    return _engine_spec(provider, provider.capabilities.input_format, provider.config.sample_rate_input)


def output_spec(provider: BaseVoiceProvider) -> AudioSpec:
    """What the engine's `text_to_speech` gives; raises `ConfigurationError` if it cannot be put on the line."""
    return _engine_spec(provider, provider.capabilities.output_format, provider.config.sample_rate_output)


def _engine_spec(provider: BaseVoiceProvider, format: AudioFormat, rate_hz: int) -> AudioSpec:
    pcm = AudioFormat.PCM if format in (AudioFormat.PCM_16000, AudioFormat.PCM_24000) else format
    try:
        spec = AudioSpec(pcm, _FIXED_RATES.get(format, rate_hz))
        Resampler(LINE.rate_hz, spec.rate_hz)
    except ValueError as error:
        raise ConfigurationError.of("VOICE_PROVIDER", f"{provider.config.provider_name}: {error}") from error
    return spec
