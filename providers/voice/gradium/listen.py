"""Gradium's speech to text as a pure wire format: μ-law in base64 in; words, and a view of the turn every 80 ms, out.

https://gradium.ai/api_docs.html
"""

from base64 import b64encode

import orjson
from pydantic import BaseModel, Field

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 640
"""80 ms: one step of the service."""
TURN_HORIZON = 2
"""Which of a step's views is advised for judging the turn: the one of two seconds."""
TRAIL = b"\xff" * (2 * MESSAGE_BYTES)
"""Silence sent after an utterance, so that its last word does not trail behind the answer to `flush`."""


class _Word(BaseModel):
    text: str
    start_s: float


class _WordEnd(BaseModel):
    stop_s: float | None = None


class _View(BaseModel):
    horizon_s: float
    inactivity_prob: float = Field(ge=0, le=1)


class _Step(BaseModel):
    step_idx: int = 0
    total_duration_s: float
    vad: list[_View] = []


class _Flushed(BaseModel):
    flush_id: int


class _Error(BaseModel):
    code: int | None = None


class ListenWire:
    """One connection. Words come one by one and stand once they have ended; only then is it known where the service
    has got to, so a word is an interim result before. The view of the turn counts from the utterance's first word on:
    of silence before, the service thinks that everybody has finished.
    """

    def __init__(self, service: Service, model: str, language: str, delay_frames: int) -> None:
        self._service = service
        self._setup = {
            "type": "setup",
            "model_name": model,
            "input_format": "ulaw_8000",
            "json_config": {"language": language, "delay_in_frames": delay_frames},
        }
        self._held = bytearray()
        self._sent = 0
        self._began_s = 0.0
        self._word: _Word | None = None
        self._has_words = False
        self._vad: VADInfo | None = None
        self._flush_id = 0
        self._flushed_id = 0
        self.is_ready = False

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._flushed_id == self._flush_id

    @property
    def vad(self) -> VADInfo | None:
        return self._vad if self._has_words else None

    def opening(self) -> list[Frame]:
        return [orjson.dumps(self._setup).decode()]

    def begin(self) -> None:
        self._held.clear()
        self._began_s = self.audio_s
        self._word = self._vad = None
        self._has_words = False

    def audio(self, chunk: bytes) -> list[Frame]:
        self._held += chunk
        whole = len(self._held) // MESSAGE_BYTES * MESSAGE_BYTES
        return self._taken(whole)

    def finish(self) -> list[Frame]:
        self._held += TRAIL
        self._flush_id += 1
        flush = orjson.dumps({"type": "flush", "flush_id": self._flush_id}).decode()
        return [*self._taken(len(self._held)), flush]

    def keep_alive(self) -> list[Frame]:
        return []

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "ready":
                self.is_ready = True
            case "text":
                return self._take_word(self._service.read(_Word, message))
            case "end_text":
                return self._end_word(self._service.read(_WordEnd, message).stop_s)
            case "step":
                self._take_step(self._service.read(_Step, message))
            case "flushed":
                self._flushed_id = self._service.read(_Flushed, message).flush_id
                return self._end_word(None)
            case "error":
                raise self._failed(self._service.read(_Error, message).code)
        return []

    def _take_word(self, word: _Word) -> list[TranscriptionResult]:
        """Another word, or another reading of the one that is open, which begins where that does."""
        if word.start_s < self._began_s:
            return []  # of an earlier utterance
        is_another = self._word is not None and self._word.start_s != word.start_s
        ended = self._end_word(word.start_s) if is_another else []
        self._word, self._has_words = word, True
        return [*ended, TranscriptionResult(word.text, word.start_s)]

    def _end_word(self, stop_s: float | None) -> list[TranscriptionResult]:
        word, self._word = self._word, None
        if word is None:
            return []
        return [TranscriptionResult(word.text, word.start_s, word.start_s if stop_s is None else stop_s, is_final=True)]

    def _take_step(self, step: _Step) -> None:
        if step.total_duration_s > self._began_s and len(step.vad) > TURN_HORIZON:
            view = step.vad[TURN_HORIZON]
            self._vad = VADInfo(view.inactivity_prob, view.horizon_s, step.step_idx, step.total_duration_s)

    def _failed(self, code: int | None) -> Exception:
        """Code 1008 is a bad key, or else the setup; once that was taken, it is the session that ended."""
        return self._service.failed("setup" if code == 1008 and not self.is_ready else str(code or ""))

    def _taken(self, size: int) -> list[Frame]:
        taken = bytes(self._held[:size])
        del self._held[:size]
        self._sent += size
        pieces = (taken[start : start + MESSAGE_BYTES] for start in range(0, size, MESSAGE_BYTES))
        return [orjson.dumps({"type": "audio", "audio": b64encode(piece).decode()}).decode() for piece in pieces]
