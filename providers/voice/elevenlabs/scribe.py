"""ElevenLabs' Scribe realtime as a pure wire format: μ-law in base64 in, JSON transcripts out.

https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime
"""

from base64 import b64encode
from enum import StrEnum

import orjson
from pydantic import BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms, the shortest that is advised."""
SILENCE = b"\xff"
"""One byte of μ-law."""

FAILURES = frozenset(
    (
        *("error", "auth_error", "quota_exceeded", "unaccepted_terms", "rate_limited", "queue_overflow"),
        *("resource_exhausted", "session_time_limit_exceeded", "input_error", "invalid_request"),
        *("chunk_size_exceeded", "insufficient_audio_activity", "transcriber_error"),
    )
)


class Commit(StrEnum):
    """Who decides that a stretch of speech is over, and its words final: we, or the service's own voice detection."""

    MANUAL = "manual"
    VAD = "vad"


class _Transcript(BaseModel):
    text: str


class ScribeWire:
    """One connection. Partial transcripts replace each other until a committed one takes their place.

    Without timestamps, which would bring every committed transcript twice, a stretch begins where the one before it was
    committed. One that the service commits by itself ends `pause_s` before: that is how long it had been quiet.
    """

    def __init__(self, service: Service, commit: Commit, pause_s: float) -> None:
        self._service = service
        self._commit = commit
        self._pause_s = pause_s
        self._held = bytearray()
        self._sent = 0
        self._start_s = 0.0
        self._over = False
        self._finishing = False
        self._committed = False
        self.is_ready = False

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._finishing and self._committed

    @property
    def vad(self) -> VADInfo | None:
        if self._commit is Commit.MANUAL:
            return None
        return VADInfo(float(self._over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._held.clear()
        self._start_s = self.audio_s
        self._over = self._finishing = self._committed = False

    def audio(self, chunk: bytes) -> list[Frame]:
        self._held += chunk
        frames: list[Frame] = []
        while len(self._held) >= MESSAGE_BYTES:
            frames.append(self._message(self._taken(MESSAGE_BYTES)))
        return frames

    def finish(self) -> list[Frame]:
        self._finishing = True
        return [self._message(self._taken(len(self._held)), commit=True)]

    def keep_alive(self) -> list[Frame]:
        """Only audio keeps the connection alive."""
        return [self._message(SILENCE * MESSAGE_BYTES)]

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("message_type"):
            case "session_started":
                self.is_ready = True
            case "partial_transcript":
                return self._partial(self._service.read(_Transcript, message).text)
            case "committed_transcript":
                return self._final(self._service.read(_Transcript, message).text)
            case "commit_throttled":
                # What was left is less than 0.3 s: there is nothing to commit, and so nothing to wait for.
                self._committed = self._finishing
            case str(kind) if kind in FAILURES:
                raise self._service.failed(kind)
        return []

    def _partial(self, text: str) -> list[TranscriptionResult]:
        self._over = self._over and not text
        return [TranscriptionResult(text, self._start_s, self.audio_s)] if text else []

    def _final(self, text: str) -> list[TranscriptionResult]:
        self._over = self._over or bool(text)
        self._committed = self._finishing
        start_s, stop_s = self._start_s, self.audio_s
        if not self._finishing:
            stop_s = max(start_s, stop_s - self._pause_s)
        self._start_s = stop_s
        return [TranscriptionResult(text, start_s, stop_s, is_final=True)]

    def _message(self, audio: bytes, *, commit: bool = False) -> str:
        self._sent += len(audio)
        return orjson.dumps(
            {
                "message_type": "input_audio_chunk",
                "audio_base_64": b64encode(audio).decode(),
                "commit": commit,
                "sample_rate": BYTES_PER_S,
            }
        ).decode()

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
