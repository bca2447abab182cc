"""Riva's StreamingRecognize as a pure wire format: PCM at 8 kHz in, results out, one call an utterance.

The end of the call is the one end of an utterance that every server heeds: some send no final result before it,
`force_eou` is known to the newest only, and a call whose audio pauses is dropped after seconds.
"""

import math

from providers.errors import Fault
from providers.voice.nvidia import speech_pb2 as speech
from providers.voice.nvidia.frames import END, read
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

RATE_HZ = 8000
"""The telephone's; the servers take 8 kHz and more, and resample."""
BYTES_PER_S = 2 * RATE_HZ
MESSAGE_BYTES = BYTES_PER_S * 16 // 100
"""160 ms, the step of the streaming models; 80 ms would do, but costs more."""


class RecognitionWire:
    """One call. A final result, which the server gives when it hears a pause, ends the caller's turn."""

    is_ready = True

    def __init__(self, service: Service, language: str, model: str) -> None:
        self._service = service
        self._config = _config(language, model)
        self._held = bytearray()
        self._sent = 0
        self._told_s = 0.0  # up to here results are final
        self._guess: TranscriptionResult | None = None  # the newest result after that
        self._over = False
        self._finishing = False
        self._ended = False

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._finishing and self._ended

    @property
    def vad(self) -> VADInfo | None:
        return VADInfo(float(self._over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        """Nothing: a call without audio would soon be dropped, so it begins with the first of it."""
        return []

    def begin(self) -> None:
        """Nothing: every utterance has a call of its own."""

    def audio(self, chunk: bytes) -> list[Frame]:
        self._held += chunk
        frames: list[Frame] = []
        while len(self._held) >= MESSAGE_BYTES:
            frames += self._taken(MESSAGE_BYTES)
        return frames

    def finish(self) -> list[Frame]:
        self._finishing = True
        frames = self._taken(len(self._held)) if self._held else []
        self._ended = not self._sent
        return [*frames, END] if self._sent else []

    def keep_alive(self) -> list[Frame]:
        return []

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        if frame == END:
            return self._end()
        results: list[TranscriptionResult] = []
        guess = ""
        stop_s = 0.0
        for result in read(self._service, speech.StreamingRecognizeResponse, frame).results:
            best = next(iter(result.alternatives), speech.SpeechRecognitionAlternative())
            stop_s = self._position_s(result.audio_processed)
            if result.is_final:
                results.append(self._final(best.transcript, stop_s, best.confidence))
                guess = ""
            else:
                guess += best.transcript  # a stable beginning, and a tail that may change
        if guess:
            self._over = False
            self._guess = TranscriptionResult(guess.strip(), self._told_s, stop_s)
            results.append(self._guess)
        return results

    def _final(self, text: str, stop_s: float, confidence: float | None) -> TranscriptionResult:
        result = TranscriptionResult(text.strip(), self._told_s, stop_s, is_final=True, confidence=confidence)
        self._told_s, self._guess, self._over = stop_s, None, True
        return result

    def _end(self) -> list[TranscriptionResult]:
        """The server has told all; words that it never called final are all there will be."""
        if not self._finishing:
            raise self._service.error(Fault.UNAVAILABLE, "the service ended the call early")
        self._ended = True
        guess = self._guess
        return [] if guess is None else [self._final(guess.text, self.audio_s, confidence=None)]

    def _position_s(self, audio_processed: float) -> float:
        """Where in the audio a result was reached; servers that do not tell are taken to be up to date."""
        if not 0.0 <= audio_processed < math.inf:
            raise self._service.garbled("a result with a bad audio_processed")
        return min(max(audio_processed or self.audio_s, self._told_s), self.audio_s)

    def _taken(self, size: int) -> list[Frame]:
        """So much of the audio as a message, after the configuration if it is the first."""
        frames: list[Frame] = [] if self._sent else [self._config]
        frames.append(speech.StreamingRecognizeRequest(audio_content=bytes(self._held[:size])).SerializeToString())
        del self._held[:size]
        self._sent += size
        return frames


def _config(language: str, model: str) -> bytes:
    """The first message of a call; without a model the server picks one that fits."""
    config = speech.RecognitionConfig(
        encoding=speech.LINEAR_PCM,
        sample_rate_hertz=RATE_HZ,
        language_code=language,
        max_alternatives=1,
        audio_channel_count=1,
        enable_automatic_punctuation=True,
        model=model,
    )
    streaming = speech.StreamingRecognitionConfig(config=config, interim_results=True)
    request: bytes = speech.StreamingRecognizeRequest(streaming_config=streaming).SerializeToString()
    return request
