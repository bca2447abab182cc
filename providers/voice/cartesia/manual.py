"""Cartesia's recognition without turns (Ink Whisper) as a pure wire format: binary μ-law in, pieces of text out.

https://docs.cartesia.ai/api-reference/stt/websocket
"""

from pydantic import BaseModel

from providers.voice.cartesia.failures import failure
from providers.voice.remote.cutter import Cutter
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms, what Cartesia recommends."""

_FINALIZE = "finalize"


class _Transcript(BaseModel):
    text: str
    is_final: bool


class ManualWire:
    """One connection. `flush_done` answers `finalize`, and ends the utterance.

    Final pieces are to be joined as they are, for one may end within a word: only their sum is a result that stands.
    """

    is_ready = True
    vad: VADInfo | None = None

    def __init__(self, service: Service) -> None:
        self._service = service
        self._audio = Cutter(MESSAGE_BYTES)
        self._start_s = 0.0
        self._text = ""
        self._finishing = False

    @property
    def audio_s(self) -> float:
        return self._audio.sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return not self._finishing

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._audio.forget()
        self._start_s, self._text, self._finishing = self.audio_s, "", False

    def audio(self, chunk: bytes) -> list[Frame]:
        return self._audio.cut(chunk)

    def finish(self) -> list[Frame]:
        self._finishing = True
        return [*self._audio.rest(), _FINALIZE]

    def keep_alive(self) -> list[Frame]:
        return []

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "transcript":
                return self._take(self._service.read(_Transcript, message))
            case "flush_done" if self._finishing:
                self._finishing = False
                return [TranscriptionResult(self._text.strip(), self._start_s, self.audio_s, is_final=True)]
            case "error":
                raise failure(self._service, message)
        return []

    def _take(self, told: _Transcript) -> list[TranscriptionResult]:
        text = self._text + told.text
        if told.is_final:
            self._text = text
        return [TranscriptionResult(text.strip(), self._start_s, self.audio_s)]
