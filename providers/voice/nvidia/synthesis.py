"""Riva's SynthesizeOnline as a pure wire format: texts in, PCM at 8 kHz out, one call a text."""

import textwrap
from collections.abc import Sequence

from providers.voice.nvidia import speech_pb2 as speech
from providers.voice.nvidia.frames import END, read
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming

RATE_HZ = 8000
"""The telephone's; the server resamples. It would take μ-law as a name, but is said not to make any."""
LONGEST_TEXT = 200
"""Characters in one message; a longer text goes in several, whose melody the server joins."""


class SynthesisWire:
    """One call."""

    is_ready = True

    def __init__(self, service: Service, language: str, voice: str) -> None:
        self._service = service
        self._language = language
        self._voice = voice
        self._began = False
        self._ended = False
        self._pieces = 0
        self._timings: list[WordTiming] = []

    @property
    def is_finished(self) -> bool:
        return self._ended

    @property
    def timings(self) -> Sequence[WordTiming]:
        """Of a text that went in one message: from where the times of others count is not known."""
        return self._timings if self._pieces == 1 else ()

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        pieces = textwrap.wrap(text, LONGEST_TEXT) or [text]
        self._pieces = len(pieces)
        return [*map(self._request, pieces), END]

    def receive(self, frame: Frame) -> list[bytes]:
        if frame == END:
            if not self._began:
                raise self._service.garbled("no audio")
            self._ended = True
            return []
        response = read(self._service, speech.SynthesizeSpeechResponse, frame)
        self._timings += [
            WordTiming(word.word, word.start_time / 1000, word.end_time / 1000) for word in response.meta.words
        ]
        self._began = self._began or bool(response.audio)
        return [response.audio] if response.audio else []

    def drop(self) -> None:
        """Only the end of the call frees the server."""

    def _request(self, text: str) -> bytes:
        request: bytes = speech.SynthesizeSpeechRequest(
            text=text,
            language_code=self._language,
            encoding=speech.LINEAR_PCM,
            sample_rate_hz=RATE_HZ,
            voice_name=self._voice,
            enable_word_time_offsets=True,
        ).SerializeToString()
        return request
