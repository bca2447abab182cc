"""Cartesia's speech as a pure wire format: each text is a context of one WebSocket, JSON both ways.

https://docs.cartesia.ai/api-reference/tts/websocket
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import count

import orjson
from pydantic import BaseModel

from providers.voice.cartesia.failures import failure
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming


class _Of(BaseModel):
    """Which text a message is of; none means the connection."""

    context_id: str | None = None


class _Chunk(BaseModel):
    data: str


class _Words(BaseModel):
    words: list[str]
    start: list[float]
    end: list[float]


class _Timestamps(BaseModel):
    word_timestamps: _Words | None = None


class SpeakWire:
    """One connection. Contexts are independent of each other, so a dropped one is told apart by its name.

    `request` is what every text is sent with: model, voice and format.
    """

    is_ready = True

    def __init__(self, service: Service, request: Mapping[str, object]) -> None:
        self._service = service
        self._request = request
        self._names = (f"text-{number}" for number in count(1))
        self._context = ""
        self._speaking = False
        self._timings: list[WordTiming] = []

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    @property
    def timings(self) -> Sequence[WordTiming]:
        return self._timings

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self._context, self._speaking, self._timings = next(self._names), True, []
        request = {**self._request, "context_id": self._context, "transcript": text, "continue": False}
        return [orjson.dumps({**request, "add_timestamps": True, "max_buffer_delay_ms": 0}).decode()]

    def drop(self) -> list[Frame]:
        self._speaking = False
        return [orjson.dumps({"context_id": self._context, "cancel": True}).decode()]

    def receive(self, frame: Frame) -> list[bytes]:
        message = self._service.decoded(frame)
        context = self._service.read(_Of, message).context_id
        if context is not None and not (self._speaking and context == self._context):
            return []
        match message.get("type"):
            case "chunk":
                return self._audio(self._service.read(_Chunk, message))
            case "timestamps":
                self._note(self._service.read(_Timestamps, message))
            case "done":
                self._speaking = False
            case "error":
                raise failure(self._service, message)
        return []

    def _audio(self, chunk: _Chunk) -> list[bytes]:
        try:
            audio = base64.b64decode(chunk.data, validate=True)
        except (binascii.Error, ValueError):
            raise self._service.garbled("audio that is no base64") from None
        return [audio] if audio else []

    def _note(self, told: _Timestamps) -> None:
        if told.word_timestamps is not None:
            words = told.word_timestamps
            timed = zip(words.words, words.start, words.end, strict=False)
            self._timings += [WordTiming(*word) for word in timed]
