"""Deepgram's listen v2 (Flux) as a pure wire format: binary μ-law in, the caller's turns out.

https://developers.deepgram.com/docs/flux/state
"""

import orjson
from pydantic import BaseModel

from providers.voice.remote.cutter import Cutter
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.remote.turns import Step, Turn
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 640
"""80 ms, what Deepgram recommends."""
SILENCE = b"\xff" * MESSAGE_BYTES
SETTLED_S = 0.3
"""How far Flux has to be past the last words for them to be all there."""
PADDING = SILENCE * 8
"""0.64 s. Updates come for about every 0.25 s of audio, so that one tells of more than `SETTLED_S` of this."""
UNTOLD_S = 0.5
"""How much after the end of a turn may not have been told of yet, and need not be waited for."""

_FORCE_END = orjson.dumps({"type": "ForceEndTurn"}).decode()
_STEPS = {
    "StartOfTurn": Step.STARTED,
    "Update": Step.UPDATED,
    "EagerEndOfTurn": Step.PAUSED,
    "TurnResumed": Step.RESUMED,
    "EndOfTurn": Step.ENDED,
}


class _Word(BaseModel):
    confidence: float
    start: float | None = None


class _TurnInfo(BaseModel):
    """`transcript` holds all words of the turn; `audio_window_end` says up to where they were looked for."""

    event: str
    turn_index: int
    audio_window_start: float
    audio_window_end: float
    transcript: str
    words: list[_Word] = []


class _Error(BaseModel):
    code: str


class FluxWire:
    """One connection. Flux ends turns by itself; when ours ends before, `ForceEndTurn` ends its turn too.

    That ends it at the audio Flux has transcribed by then, so what is still on its way is waited for: silence is sent
    behind it, and what Flux says of that is final.
    """

    is_ready = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._audio = Cutter(MESSAGE_BYTES)
        self._turn = Turn()
        self._told_turn = -1  # the newest of Flux's turns that we hold for ended
        self._is_cut = False  # it may still be going on at Flux
        self._heard_s = 0.0  # up to here Flux has told
        self._end_s: float | None = None  # of the utterance, once it is over

    @property
    def audio_s(self) -> float:
        return self._audio.sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        if self._end_s is None or self._turn.is_open:
            return False
        return self._heard_s >= self._end_s + (-UNTOLD_S if self._turn.is_over else SETTLED_S)

    @property
    def vad(self) -> VADInfo | None:
        return VADInfo(float(self._turn.is_over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._audio.forget()
        self._turn.begin()
        self._end_s = None

    def audio(self, chunk: bytes) -> list[Frame]:
        cut: list[Frame] = [_FORCE_END] if self._is_cut else []
        self._is_cut = False
        return [*cut, *self._audio.cut(chunk)]

    def finish(self) -> list[Frame]:
        frames = self._audio.rest()
        self._end_s = self.audio_s
        return frames if self.is_finished else [*frames, _FORCE_END, *self._audio.cut(PADDING)]

    def keep_alive(self) -> list[Frame]:
        """There is no message for it in this version; silence is audio like any other."""
        return self._audio.cut(SILENCE)

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "TurnInfo":
                return self._take(self._service.read(_TurnInfo, message))
            case "Error":
                raise self._service.failed(self._service.read(_Error, message).code)
        return []

    def _take(self, info: _TurnInfo) -> list[TranscriptionResult]:
        self._heard_s = max(self._heard_s, info.audio_window_end)
        step = _STEPS.get(info.event)
        if step is None or info.turn_index <= self._told_turn:
            self._is_cut = self._is_cut and step is not Step.ENDED
            return []
        is_news = self._turn.take(step, info.transcript)
        is_settled = self._end_s is not None and self._heard_s >= self._end_s + SETTLED_S
        if self._turn.is_open and is_settled:
            self._turn.take(Step.ENDED)
            self._is_cut = is_news = True
        is_final = is_news and not self._turn.is_open
        if is_final:
            self._told_turn = info.turn_index
        return [_result(info, is_final)] if is_news else []


def _result(info: _TurnInfo, is_final: bool) -> TranscriptionResult:
    starts = [word.start for word in info.words if word.start is not None]
    confidence = sum(word.confidence for word in info.words) / len(info.words) if info.words else None
    start_s = starts[0] if starts else info.audio_window_start
    return TranscriptionResult(info.transcript, start_s, info.audio_window_end, is_final, confidence)
