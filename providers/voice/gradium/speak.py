"""Gradium's text to speech as a pure wire format: a request a text, base64 μ-law and word times out.

https://gradium.ai/api_docs.html
"""

from collections.abc import Sequence

import orjson
from pydantic import Base64Bytes, BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming


class _Message(BaseModel):
    """Any of them; errors of the whole connection name no request."""

    client_req_id: str | None = None


class _Audio(BaseModel):
    audio: Base64Bytes


class _Word(BaseModel):
    text: str
    start_s: float
    stop_s: float


class _Error(BaseModel):
    code: int | None = None


class SpeakWire:
    """One connection, on which every text is a request of its own with a setup of its own.

    A request cannot be cancelled: one that is dropped takes its connection with it, which frees the service at once.
    """

    is_ready = True

    def __init__(self, service: Service, model: str, voice: str) -> None:
        self._service = service
        self._setup: dict[str, str | bool] = {
            "type": "setup",
            "model_name": model,
            "voice_id": voice,
            "output_format": "ulaw_8000",
            "close_ws_on_eos": False,
        }
        self._number = 0
        self._speaking = False
        self._is_known = False
        self._words: list[WordTiming] = []

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    @property
    def timings(self) -> Sequence[WordTiming]:
        return tuple(self._words)

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self._number += 1
        self._speaking = True
        self._words.clear()
        return [self._message(self._setup), self._message({"type": "text", "text": text}), self._message(_END)]

    def receive(self, frame: Frame) -> list[bytes]:
        message = self._service.decoded(frame)
        if self._service.read(_Message, message).client_req_id not in (None, self._request):
            return []
        match message.get("type"):
            case "ready":
                self._is_known = True
            case "audio":
                return [self._service.read(_Audio, message).audio]
            case "text":
                word = self._service.read(_Word, message)
                self._words.append(WordTiming(word.text, word.start_s, word.stop_s))
            case "end_of_stream":
                self._speaking = False
            case "error":
                code = self._service.read(_Error, message).code
                raise self._service.failed("setup" if code == 1008 and not self._is_known else str(code or ""))
        return []

    def drop(self) -> list[Frame] | None:
        self._speaking = False
        return None

    @property
    def _request(self) -> str:
        return f"t{self._number}"

    def _message(self, message: dict[str, str | bool]) -> str:
        return orjson.dumps({**message, "client_req_id": self._request}).decode()


_END: dict[str, str | bool] = {"type": "end_of_stream"}
