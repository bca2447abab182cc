"""Cartesia's recognition with turns (Ink 2) as a pure wire format: binary μ-law in, the caller's turns out.

https://docs.cartesia.ai/use-the-api/stt/turns
"""

import orjson
from pydantic import BaseModel

from providers.voice.cartesia.failures import failure
from providers.voice.remote.cutter import Cutter
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.remote.turns import Step, Turn
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms, what Cartesia recommends."""

_CLOSE = orjson.dumps({"type": "close"}).decode()
_STEPS: dict[object, Step] = {
    "turn.start": Step.STARTED,
    "turn.update": Step.UPDATED,
    "turn.eager_end": Step.PAUSED,
    "turn.resume": Step.RESUMED,
    "turn.end": Step.ENDED,
}


class _Event(BaseModel):
    """`transcript` holds all words of the turn, and none of them is taken back later."""

    transcript: str | None = None


class TurnsWire:
    """One connection. There is no message that ends a turn, and no event says what audio it is of.

    So an utterance that ends in the middle of a turn, or before anything was heard, ends the connection: then Cartesia
    tells all that is still to come, and closes. The channel has to know that, by `closes_when_done`.
    """

    is_ready = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._audio = Cutter(MESSAGE_BYTES)
        self._turn = Turn()
        self._start_s = 0.0
        self._is_finished = False

    @property
    def audio_s(self) -> float:
        return self._audio.sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._is_finished

    @property
    def vad(self) -> VADInfo | None:
        return VADInfo(float(self._turn.is_over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._audio.forget()
        self._turn.begin()
        self._is_finished = False
        self._start_s = self.audio_s

    def audio(self, chunk: bytes) -> list[Frame]:
        return self._audio.cut(chunk)

    def finish(self) -> list[Frame]:
        self._is_finished = self._turn.is_over and not self._turn.is_open
        return self._audio.rest() if self._is_finished else [*self._audio.rest(), _CLOSE]

    def keep_alive(self) -> list[Frame]:
        return []

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        kind = message.get("type")
        if kind == "error":
            raise failure(self._service, message)
        step = _STEPS.get(kind) if isinstance(kind, str) else None
        if step is None:
            return []
        if step is Step.STARTED:
            self._start_s = self.audio_s
        is_news = self._turn.take(step, self._service.read(_Event, message).transcript)
        return [TranscriptionResult(self._turn.text, self._start_s, None, step is Step.ENDED)] if is_news else []
