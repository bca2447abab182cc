"""Deepgram's speak v1 (Aura) as a pure wire format: JSON texts in, binary μ-law out.

https://developers.deepgram.com/docs/tts-websocket
"""

from collections.abc import Sequence

import orjson
from pydantic import BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming

LONGEST_TEXT = 2000
"""Characters in one message."""

_FLUSH = orjson.dumps({"type": "Flush"}).decode()
_CLEAR = orjson.dumps({"type": "Clear"}).decode()


class _Warning(BaseModel):
    code: str = ""


class SpeakWire:
    """One connection. Nothing is spoken before `Flush`, whose end `Flushed` tells; what comes between `Clear` and
    `Cleared` is still of the text that was dropped."""

    is_ready = True
    timings: Sequence[WordTiming] = ()

    def __init__(self, service: Service) -> None:
        self._service = service
        self._speaking = False
        self._clearing = 0

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self._speaking = True
        pieces = [text[start : start + LONGEST_TEXT] for start in range(0, len(text), LONGEST_TEXT)]
        return [*(orjson.dumps({"type": "Speak", "text": piece}).decode() for piece in pieces), _FLUSH]

    def receive(self, frame: Frame) -> list[bytes]:
        if isinstance(frame, bytes):
            return [frame] if self._speaking and not self._clearing else []
        message = self._service.decoded(frame)
        match message.get("type"):
            case "Flushed" if not self._clearing:
                self._speaking = False
            case "Cleared":
                self._clearing = max(0, self._clearing - 1)
            case "Warning":
                # Too many flushes: what was not flushed is never spoken, so there is nothing to wait for.
                raise self._service.failed(self._service.read(_Warning, message).code)
            case "Error":
                raise self._service.failed(self._service.read(_Warning, message).code)
        return []

    def drop(self) -> list[Frame]:
        self._speaking = False
        self._clearing += 1
        return [_CLEAR]
