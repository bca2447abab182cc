"""AssemblyAI's streaming speech as a pure wire format: JSON texts in, base64 μ-law out.

https://www.assemblyai.com/docs/tts
"""

from collections.abc import Sequence

import orjson
from pydantic import Base64Bytes, BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming

LONGEST_TEXT = 2000
"""Code points in one message."""

_FLUSH = orjson.dumps({"type": "Flush"}).decode()
_CANCEL = orjson.dumps({"type": "Cancel"}).decode()
_KEEP_ALIVE = orjson.dumps({"type": "KeepAlive"}).decode()


class _Begin(BaseModel):
    id: str = ""


class _Audio(BaseModel):
    audio: Base64Bytes


class _Error(BaseModel):
    error_code: int | None = None
    error_type: str = ""
    retry_after_seconds: float | None = None


class SpeakWire:
    """One connection, which is there once the service says so: its upgrade succeeds even with a bad key.

    `Cancel` drops all that was asked for before; what comes until `Cancelled` is still of that. There are no word
    times: the service sends them after the end of a text, when nobody waits for it any more.
    """

    timings: Sequence[WordTiming] = ()

    def __init__(self, service: Service) -> None:
        self._service = service
        self._session = ""
        self._speaking = False
        self._cancelling = 0
        self.is_ready = False

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return [_KEEP_ALIVE]

    def speak(self, text: str) -> list[Frame]:
        self._speaking = True
        pieces = [text[start : start + LONGEST_TEXT] for start in range(0, len(text), LONGEST_TEXT)]
        return [*(orjson.dumps({"type": "Generate", "text": piece}).decode() for piece in pieces), _FLUSH]

    def receive(self, frame: Frame) -> list[bytes]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "Begin":
                self._session = self._service.read(_Begin, message).id
                self.is_ready = True
            case "Audio" if self._speaking and not self._cancelling:
                return [self._service.read(_Audio, message).audio]
            case "FlushDone" if not self._cancelling:
                self._speaking = False
            case "Cancelled":
                self._cancelling = max(0, self._cancelling - 1)
            case "Error":
                error = self._service.read(_Error, message)
                known = error.error_type in self._service.code_faults
                code = error.error_type if known else str(error.error_code or "")
                raise self._service.failed(code, self._session, retry_after_s=error.retry_after_seconds)
        return []

    def drop(self) -> list[Frame]:
        self._speaking = False
        self._cancelling += 1
        return [_CANCEL]
