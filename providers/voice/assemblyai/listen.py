"""AssemblyAI's streaming v3 as a pure wire format: binary μ-law in, JSON turns out.

https://www.assemblyai.com/docs/api-reference/streaming-api
"""

from collections.abc import Sequence
from itertools import takewhile

import orjson
from pydantic import BaseModel

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo

BYTES_PER_S = 8000
MESSAGE_BYTES = 800
"""100 ms; AssemblyAI closes the connection on a message of less than 50 ms or more than a second."""
LEAST_BYTES = 400
MOST_BYTES = 8000
SILENCE = b"\xff"
"""One byte of μ-law."""
NO_SPEECH = 0.4
"""Below this probability of speech a stretch of audio is silence: the service's own `vad_threshold`."""

_FORCE_ENDPOINT = orjson.dumps({"type": "ForceEndpoint"}).decode()
TERMINATE = orjson.dumps({"type": "Terminate"}).decode()
"""Without it a session is billed until its limit."""


class _Word(BaseModel):
    text: str
    start: int
    end: int
    word_is_final: bool = False


class _Turn(BaseModel):
    """All that is known of one turn. Its `transcript` is left out: it lacks words that may still change."""

    turn_order: int
    end_of_turn: bool
    words: list[_Word] = []


class _Heartbeat(BaseModel):
    total_audio_received_ms: float
    max_speech_probability: float = 1.0


class _Error(BaseModel):
    error_code: int | None = None


class TurnsWire:
    """One connection.

    Words stand one by one, as the service says that they will not change, so that little has to be sent again when the
    connection breaks. The first message that ends a turn makes the rest final; a formatted copy that follows is
    ignored. When an utterance is finished an open turn is forced to end; if there was none, the service has nothing to
    answer, and a heartbeat says that it has heard everything and no speech.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held = bytearray()
        self._sent = 0
        self._began_s = 0.0
        self._told_s = 0.0  # up to here words are final
        self._ended_turn = -1  # the last that has ended
        self._is_open = False
        self._over = False
        self._finishing = False
        self._is_quiet = False
        self.is_ready = False

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    @property
    def is_finished(self) -> bool:
        return self._finishing and not self._is_open and (self._over or self._is_quiet)

    @property
    def vad(self) -> VADInfo:
        return VADInfo(float(self._over), horizon_s=0.0, step_idx=0, total_duration_s=self.audio_s)

    def opening(self) -> list[Frame]:
        return []

    def begin(self) -> None:
        self._held.clear()
        self._began_s = self._told_s = self.audio_s
        self._is_open = self._over = self._finishing = self._is_quiet = False

    def audio(self, chunk: bytes) -> list[Frame]:
        """What has gathered goes in one message, if it is long enough: more messages would not come sooner."""
        self._held += chunk
        frames: list[Frame] = []
        while len(self._held) >= MESSAGE_BYTES:
            frames.append(self._taken(MOST_BYTES))
        return frames

    def finish(self) -> list[Frame]:
        self._finishing = True
        missing = max(0, LEAST_BYTES - len(self._held)) if self._held else 0
        self._held += SILENCE * missing
        frames: list[Frame] = [self._taken(MOST_BYTES)] if self._held else []
        return frames if self._over and not self._is_open else [*frames, _FORCE_ENDPOINT]

    def keep_alive(self) -> list[Frame]:
        return []

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        message = self._service.decoded(frame)
        match message.get("type"):
            case "Begin":
                self.is_ready = True
            case "Turn":
                return self._take(self._service.read(_Turn, message))
            case "Heartbeat":
                self._hear(self._service.read(_Heartbeat, message))
            case "Error":
                raise self._service.failed(str(self._service.read(_Error, message).error_code or ""))
        return []

    def _take(self, turn: _Turn) -> list[TranscriptionResult]:
        stop_s = turn.words[-1].end / 1000 if turn.words else self.audio_s
        if turn.turn_order <= self._ended_turn or stop_s <= self._began_s:
            return []  # a formatted copy, or of an earlier utterance
        if not turn.words and not turn.end_of_turn:
            return []  # nothing has been said in it yet
        self._is_open, self._over = not turn.end_of_turn, turn.end_of_turn
        if turn.end_of_turn:
            self._ended_turn = turn.turn_order
        new = [word for word in turn.words if word.end / 1000 > self._told_s]
        final = list(takewhile(lambda word: word.word_is_final or turn.end_of_turn, new))
        if final:
            self._told_s = final[-1].end / 1000
        return [*_told(final, is_final=True), *_told(new[len(final) :], is_final=False)]

    def _hear(self, heartbeat: _Heartbeat) -> None:
        has_all = heartbeat.total_audio_received_ms >= int(self.audio_s * 1000)
        self._is_quiet = self._finishing and has_all and heartbeat.max_speech_probability < NO_SPEECH

    def _taken(self, most: int) -> bytes:
        taken = bytes(self._held[:most])
        del self._held[:most]
        self._sent += len(taken)
        return taken


def _told(words: Sequence[_Word], *, is_final: bool) -> list[TranscriptionResult]:
    if not words:
        return []
    text = " ".join(word.text for word in words)
    return [TranscriptionResult(text, words[0].start / 1000, words[-1].end / 1000, is_final)]
