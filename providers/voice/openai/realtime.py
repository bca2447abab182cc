"""OpenAI's realtime transcription as a pure wire format: μ-law in base64 in, JSON events out.

https://platform.openai.com/docs/guides/realtime-transcription
"""

from base64 import b64encode
from dataclasses import dataclass

import orjson
from pydantic import BaseModel

from providers.errors import Fault
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms; any size is taken."""

_COMMIT = orjson.dumps({"type": "input_audio_buffer.commit"}).decode()
_NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"


@dataclass(frozen=True, slots=True)
class Session:
    """What the service is to do. The models that tell words while they hear find no turns, and the others do."""

    model: str
    language: str
    finds_turns: bool


class _SpeechStarted(BaseModel):
    item_id: str
    audio_start_ms: int


class _SpeechStopped(BaseModel):
    item_id: str
    audio_end_ms: int


class _Committed(BaseModel):
    item_id: str


class _Delta(BaseModel):
    item_id: str
    delta: str = ""


class _Completed(BaseModel):
    item_id: str
    transcript: str


class _Problem(BaseModel):
    type: str = ""
    code: str | None = None


class _Failed(BaseModel):
    item_id: str
    error: _Problem


class _Error(BaseModel):
    error: _Problem


@dataclass(slots=True)
class _Item:
    """One stretch of audio, which is transcribed once it is committed."""

    start_s: float
    stop_s: float | None = None
    text: str = ""
    is_committed: bool = False
    is_done: bool = False


class RealtimeWire:
    """One session. Its items become final in the order in which they were committed, however they are completed."""

    def __init__(self, service: Service, session: Session) -> None:
        self.is_ready = False
        self._service = service
        self._session = session
        self._held = bytearray()
        self._sent = 0
        self._items: dict[str, _Item] = {}
        self._stale: set[str] = set()  # items of earlier utterances that are still to be completed
        self._committed_s = 0.0
        self._speaking: bool | None = None  # None until the service says something of this utterance
        self._finishing = False
        self._committing = False

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._finishing and not self._committing and not any(i.is_committed for i in self._items.values())

    @property
    def vad(self) -> VADInfo | None:
        if not self._session.finds_turns:
            return None
        return VADInfo(float(self._speaking is False), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        audio = {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": self._session.model, "language": self._session.language},
            "turn_detection": {"type": "semantic_vad"} if self._session.finds_turns else None,
        }
        session = {"type": "transcription", "audio": {"input": audio}}
        return [orjson.dumps({"type": "session.update", "session": session}).decode()]

    def keep_alive(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._stale |= self._items.keys()
        self._items.clear()
        self._held.clear()
        self._committed_s = self.audio_s
        self._speaking = None
        self._finishing = self._committing = False

    def audio(self, chunk: bytes) -> list[Frame]:
        self._held += chunk
        frames: list[Frame] = []
        while len(self._held) >= MESSAGE_BYTES:
            frames.append(self._appended(MESSAGE_BYTES))
        return frames

    def finish(self) -> list[Frame]:
        """Asks for the rest, unless the service has said that only silence is left: words would be found in that."""
        frames: list[Frame] = [self._appended(len(self._held))] if self._held else []
        self._finishing = True
        self._committing = self._speaking is not False and self.audio_s > self._committed_s
        return [*frames, _COMMIT] if self._committing else frames

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        read = self._service.read
        match message.get("type"):
            case "session.updated":
                self.is_ready = True
            case "input_audio_buffer.speech_started":
                self._start(read(_SpeechStarted, message))
            case "input_audio_buffer.speech_stopped":
                self._stop(read(_SpeechStopped, message))
            case "input_audio_buffer.committed":
                self._commit(read(_Committed, message))
            case "conversation.item.input_audio_transcription.delta":
                return self._tell(read(_Delta, message))
            case "conversation.item.input_audio_transcription.completed":
                return self._complete(read(_Completed, message))
            case "conversation.item.input_audio_transcription.failed":
                self._fail(read(_Failed, message))
            case "error":
                self._refuse(read(_Error, message).error)
        return []

    def _start(self, started: _SpeechStarted) -> None:
        if started.item_id not in self._stale:
            self._speaking = True
            self._item(started.item_id).start_s = started.audio_start_ms / 1000

    def _stop(self, stopped: _SpeechStopped) -> None:
        if stopped.item_id not in self._stale:
            self._speaking = False
            self._item(stopped.item_id).stop_s = stopped.audio_end_ms / 1000

    def _commit(self, committed: _Committed) -> None:
        if committed.item_id in self._stale:
            return
        item = self._item(committed.item_id)
        self._items[committed.item_id] = self._items.pop(committed.item_id)  # the last of those committed
        item.is_committed = True
        item.stop_s = self.audio_s if item.stop_s is None else item.stop_s
        self._committed_s = item.stop_s
        self._committing = False

    def _tell(self, told: _Delta) -> list[TranscriptionResult]:
        if told.item_id in self._stale:
            return []
        item = self._item(told.item_id)
        item.text += told.delta
        return [TranscriptionResult(item.text, item.start_s, item.stop_s)]

    def _complete(self, completed: _Completed) -> list[TranscriptionResult]:
        if completed.item_id in self._stale:
            self._stale.discard(completed.item_id)
            return []
        item = self._item(completed.item_id)
        item.text = completed.transcript
        item.is_committed = item.is_done = True
        return self._final()

    def _final(self) -> list[TranscriptionResult]:
        """The items that are done, up to the first that is still to come."""
        results: list[TranscriptionResult] = []
        for item_id, item in [(item_id, item) for item_id, item in self._items.items() if item.is_committed]:
            if not item.is_done:
                break
            del self._items[item_id]
            results.append(TranscriptionResult(item.text.strip(), item.start_s, item.stop_s, is_final=True))
        return results

    def _fail(self, failed: _Failed) -> None:
        if failed.item_id in self._stale:
            self._stale.discard(failed.item_id)
        else:
            raise self._service.failed(failed.error.code or failed.error.type)

    def _refuse(self, problem: _Problem) -> None:
        if problem.code == _NOTHING_TO_COMMIT:
            self._committing = False
            return
        ours = problem.type == "invalid_request_error"
        otherwise = Fault.BAD_REQUEST if ours else Fault.UNAVAILABLE
        raise self._service.failed(problem.code or problem.type, otherwise=otherwise)

    def _item(self, item_id: str) -> _Item:
        return self._items.setdefault(item_id, _Item(self._committed_s))

    def _appended(self, size: int) -> str:
        audio = b64encode(self._held[:size]).decode()
        del self._held[:size]
        self._sent += size
        return orjson.dumps({"type": "input_audio_buffer.append", "audio": audio}).decode()
