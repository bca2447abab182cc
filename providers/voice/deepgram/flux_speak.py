"""Deepgram's speak v2 (Flux) as a pure wire format: JSON texts in, binary μ-law out, a turn for each text.

https://developers.deepgram.com/docs/flux-tts/state
"""

from collections.abc import Sequence

import orjson
from pydantic import BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming

_FLUSH = orjson.dumps({"type": "Flush"}).decode()
_INTERRUPT = orjson.dumps({"type": "Interrupt"}).decode()


class _Speech(BaseModel):
    speech_id: str


class _Notice(BaseModel):
    code: str


class FluxSpeakWire:
    """One connection. `SpeechMetadata` ends a text's audio; `Interrupt` is answered by `SpeechInterrupted`, or by a
    warning if there was nothing left to interrupt, and what comes before that is still of the text that was dropped.
    """

    is_ready = True
    timings: Sequence[WordTiming] = ()

    def __init__(self, service: Service) -> None:
        self._service = service
        self._speaking = False
        self._speech_id = ""
        self._interrupting = 0

    @property
    def is_finished(self) -> bool:
        return not self._speaking

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self._speaking, self._speech_id = True, ""
        return [orjson.dumps({"type": "Speak", "text": text}).decode(), _FLUSH]

    def drop(self) -> list[Frame]:
        self._speaking = False
        self._interrupting += 1
        return [_INTERRUPT]

    def receive(self, frame: Frame) -> list[bytes]:
        is_ours = self._speaking and not self._interrupting
        if isinstance(frame, bytes):
            return [frame] if is_ours else []
        message = self._service.decoded(frame)
        match message.get("type"):
            case "SpeechStarted" if is_ours:
                self._speech_id = self._service.read(_Speech, message).speech_id
            case "SpeechMetadata" if is_ours:
                self._speaking = self._service.read(_Speech, message).speech_id != self._speech_id
            case "SpeechInterrupted":
                self._interrupting = max(0, self._interrupting - 1)
            case "Warning":
                self._heed(self._service.read(_Notice, message).code)
            case "Error":
                raise self._service.failed(self._service.read(_Notice, message).code)
        return []

    def _heed(self, code: str) -> None:
        match code:
            case "NO_ACTIVE_SPEECH":
                self._interrupting = max(0, self._interrupting - 1)
            case "NO_SYNTHESIZABLE_TEXT" if not self._interrupting:
                self._speaking = False  # nothing in it can be spoken, so nothing will be
            case "NO_AUDIO_GENERATED" if self._speaking and not self._interrupting:
                raise self._service.failed(code)
