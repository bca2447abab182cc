"""ElevenLabs' multi-context speech as a pure wire format: a context a text, base64 μ-law and character times out.

https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
"""

from collections.abc import Sequence

import orjson
from pydantic import AliasChoices, Base64Bytes, BaseModel, Field

from providers.voice.elevenlabs.words import SpelledWords
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming

BYTES_PER_S = 8000
MOST_DROPPED = 3
"""Dropped contexts that may still be open: with the one that speaks and the next, the service's limit of five."""


class _Alignment(BaseModel):
    """When each character is said, from the beginning of the audio it comes with."""

    chars: list[str] = []
    starts_ms: list[float] = Field(default=[], alias="charStartTimesMs")
    durations_ms: list[float] = Field(default=[], validation_alias=AliasChoices("charDurationsMs", "charsDurationsMs"))


class _Speech(BaseModel):
    audio: Base64Bytes | None = None
    alignment: _Alignment | None = None
    is_final: bool | None = Field(default=None, alias="isFinal")
    context: str = Field(alias="contextId")


class _Failure(BaseModel):
    error: str


class ContextsWire:
    """One connection. A context is opened, given its text and closed at once, which makes the service speak all of it
    and say when that is done; what still comes of another context is of a text that was dropped."""

    is_ready = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._number = 0
        self._speaking = False
        self._dropped: set[str] = set()
        self._audio_bytes = 0
        self._words = SpelledWords()

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    @property
    def timings(self) -> Sequence[WordTiming]:
        return self._words.timings

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self._number += 1
        self._speaking = True
        self._audio_bytes = 0
        self._words = SpelledWords()
        return [
            self._message(text=" "),
            self._message(text=f"{text.strip()} ", flush=True),  # without the space the last word may be held back
            self._message(close_context=True),
        ]

    def receive(self, frame: Frame) -> list[bytes]:
        message = self._service.decoded(frame)
        if message.get("error") is not None:
            raise self._service.failed(self._service.read(_Failure, message).error)
        if "contextId" not in message:
            return []
        speech = self._service.read(_Speech, message)
        if speech.context != self._context or not self._speaking:
            if speech.is_final:
                self._dropped.discard(speech.context)
            return []
        if speech.alignment is not None:
            self._align(speech.alignment)
        if speech.is_final:
            self._speaking = False
        if not speech.audio:
            return []
        self._audio_bytes += len(speech.audio)
        return [speech.audio]

    def drop(self) -> list[Frame] | None:
        """Closing the context again frees it; too many that are not gone yet only go with the connection."""
        self._speaking = False
        if len(self._dropped) >= MOST_DROPPED:
            return None
        self._dropped.add(self._context)
        return [self._message(close_context=True)]

    @property
    def _context(self) -> str:
        return f"t{self._number}"

    def _align(self, alignment: _Alignment) -> None:
        origin_s = self._audio_bytes / BYTES_PER_S
        times = zip(alignment.chars, alignment.starts_ms, alignment.durations_ms, strict=False)
        for character, start_ms, duration_ms in times:
            start_s = origin_s + start_ms / 1000
            self._words.add(character, start_s, start_s + duration_ms / 1000)

    def _message(self, **fields: str | bool) -> str:
        return orjson.dumps({"context_id": self._context, **fields}).decode()
