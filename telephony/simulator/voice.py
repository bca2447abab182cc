"""The caller's voice: lines of a script turned into telephone audio before the call."""

import asyncio
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from providers.audio.converter import LINE, AudioSpec, Converter, output_spec
from providers.errors import OffhookError
from providers.settings import settings
from providers.voice.base import BaseVoiceProvider
from providers.voice.types import AudioFormat
from telephony.simulator.caller import Cue, PlayWav, Step, spoken_text
from telephony.simulator.measure import trimmed

_SPEAK_TIMEOUT_S = 60.0
_LONGEST_LINE_S = 120


class UnusableRecording(OffhookError):  # noqa: N818 - it names what was given
    """A WAV file that cannot be played on the line; the message says why."""


class Voice(Protocol):
    """Turns text into 8 kHz μ-law."""

    async def speak(self, text: str) -> bytes:
        """Speak one line. Raises `ProviderException`, or `TimeoutError`; cancelling is safe."""
        ...


class ProviderVoice:
    """A voice from an engine behind the provider contract: an instance is made for every line."""

    def __init__(self, make_provider: Callable[[], BaseVoiceProvider]) -> None:
        self._make_provider = make_provider

    @classmethod
    async def named(cls, provider_name: str) -> "ProviderVoice":
        """The engine of that name, its models loaded. Raises `ConfigurationError` and `ProviderException`."""
        from providers.voice.factory import VoiceProviderFactory

        await type(VoiceProviderFactory.create_provider(provider_name)).prepare(settings.voice)
        return cls(lambda: VoiceProviderFactory.create_provider(provider_name))

    async def speak(self, text: str) -> bytes:
        """See `Voice`. Nothing is spoken for more than a minute, or goes on for longer than two."""
        provider = self._make_provider()
        source = output_spec(provider)
        limit = int(_LONGEST_LINE_S * source.rate_hz * source.bytes_per_sample)
        audio = bytearray()
        async with asyncio.timeout(_SPEAK_TIMEOUT_S), provider:
            async for chunk in provider.text_to_speech(text):
                audio += chunk
                if len(audio) > limit:
                    break
        return await asyncio.to_thread(_to_line, bytes(audio[:limit]), source)


def read_wav(path: Path) -> bytes:
    """A WAV file as 8 kHz μ-law: PCM16, any rate from 8 to 48 kHz, channels mixed down.

    Raises `UnusableRecording` for a file that is missing, longer than two minutes or of another kind.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate_hz, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if width != 2 or file.getnframes() > _LONGEST_LINE_S * rate_hz:
                raise UnusableRecording(f"{path.name}: not PCM16, or longer than {_LONGEST_LINE_S} s")
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise UnusableRecording(f"{path.name}: {error}") from error
    mono = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1)
    try:
        return _to_line(mono.astype("<i2").tobytes(), AudioSpec(AudioFormat.PCM, rate_hz))
    except ValueError as error:
        raise UnusableRecording(f"{path.name}: {error}") from error


async def prepare(steps: Iterable[Step], voice: Voice) -> tuple[Cue, ...]:
    """Speak every line of a script, each once, and cut the silence around it: a line ends with its last sound."""
    spoken: dict[str, bytes] = {}
    cues: list[Cue] = []
    for step in steps:
        if isinstance(step, PlayWav):
            cues.append(Cue(step, trimmed(await asyncio.to_thread(read_wav, step.path))))
        elif text := spoken_text(step):
            if text not in spoken:
                spoken[text] = trimmed(await voice.speak(text))
            cues.append(Cue(step, spoken[text]))
        else:
            cues.append(Cue(step))
    return tuple(cues)


def _to_line(audio: bytes, source: AudioSpec) -> bytes:
    whole = len(audio) - len(audio) % source.bytes_per_sample
    converter = Converter(source, LINE)
    return converter.convert(audio[:whole]) + converter.flush()
