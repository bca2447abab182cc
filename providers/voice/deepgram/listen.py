"""Deepgram's listen v1 (Nova) as a pure wire format: binary μ-law in, JSON results out.

https://developers.deepgram.com/docs/live-streaming-audio
"""

import orjson
from pydantic import BaseModel

from providers.voice.remote.cutter import Cutter
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms; Deepgram takes 20 to 250 ms, and closes the connection on an empty message."""
UNANSWERED_S = 0.5
"""`Finalize` need not be answered if little audio is left to tell of. How little is not documented; half a second
without words is no loss, for an utterance ends with as much silence."""

ROUNDING_S = 0.05
"""Times of results are rounded: one that reaches no further into an utterance is of the one before."""

_FINALIZE = orjson.dumps({"type": "Finalize"}).decode()
_KEEP_ALIVE = orjson.dumps({"type": "KeepAlive"}).decode()


class _Alternative(BaseModel):
    transcript: str = ""
    confidence: float | None = None


class _Channel(BaseModel):
    alternatives: list[_Alternative] = []


class _Results(BaseModel):
    """A span of audio and its words; a final one freezes it."""

    start: float
    duration: float
    is_final: bool = False
    speech_final: bool = False
    from_finalize: bool = False
    channel: _Channel


class _Error(BaseModel):
    code: str = ""
    variant: str = ""


class ListenWire:
    """One connection. `speech_final` and `UtteranceEnd` end the caller's turn, `SpeechStarted` opens it again."""

    is_ready = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._audio = Cutter(MESSAGE_BYTES)
        self._began_s = 0.0
        self._heard_s = 0.0  # up to here results have come
        self._told_s = 0.0  # up to here they are final
        self._open_words = ""  # of the newest result, if it was not final
        self._over = False
        self._finishing = False
        self._finalized = False

    @property
    def audio_s(self) -> float:
        return self._audio.sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        """`Finalize` is not always answered; with nothing left to tell there is no need to wait."""
        return self._finishing and (self._finalized or self._told_s >= self.audio_s or self._has_heard_all)

    @property
    def vad(self) -> VADInfo | None:
        return VADInfo(float(self._over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._audio.forget()
        self._began_s = self.audio_s
        self._open_words = ""
        self._over = self._finishing = self._finalized = False

    def audio(self, chunk: bytes) -> list[Frame]:
        return self._audio.cut(chunk)

    def finish(self) -> list[Frame]:
        self._finishing = True
        return [*self._audio.rest(), _FINALIZE]

    def keep_alive(self) -> list[Frame]:
        """A connection without audio is closed after ten seconds, unless it gets one of these."""
        return [_KEEP_ALIVE]

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "Results":
                return self._take(self._service.read(_Results, message))
            case "UtteranceEnd":
                return self._changed(is_over=True)
            case "SpeechStarted":
                return self._changed(is_over=False)
            case "Error":
                error = self._service.read(_Error, message)
                raise self._service.failed(error.code or error.variant)
        return []

    def _take(self, results: _Results) -> list[TranscriptionResult]:
        stop_s = results.start + results.duration
        self._heard_s = max(self._heard_s, stop_s)
        if results.is_final:
            self._told_s = max(self._told_s, stop_s)
        if stop_s <= self._began_s + ROUNDING_S:
            return []
        self._finalized = self._finalized or (results.from_finalize and self._finishing)
        best = next(iter(results.channel.alternatives), _Alternative())
        if results.speech_final or best.transcript:  # silence changes nothing
            self._over = results.speech_final
        self._open_words = "" if results.is_final else best.transcript
        return [TranscriptionResult(best.transcript, results.start, stop_s, results.is_final, best.confidence)]

    def _changed(self, *, is_over: bool) -> list[TranscriptionResult]:
        """Another opinion on the turn is told with the words there are; the same one again with nothing."""
        if self._over == is_over:
            return []
        self._over = is_over
        return [TranscriptionResult(self._open_words, self._told_s, self._heard_s)]

    @property
    def _has_heard_all(self) -> bool:
        """Whether what is left is too little for an answer: this utterance was heard of, and no words are open."""
        is_heard_of = self._heard_s > self._began_s + ROUNDING_S
        return is_heard_of and not self._open_words and self.audio_s - self._heard_s <= UNANSWERED_S
