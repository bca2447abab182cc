"""The near side of a stream: the caller's mouth and ear on the line, recorded and noted as they go."""

from collections.abc import Callable

from telephony.simulator.caller import Began, Caller, CallerFrame
from telephony.simulator.carrier import BYTES_PER_S, Heard, Line
from telephony.simulator.ear import Ear
from telephony.simulator.events import (
    BotAudioArrived,
    BotQuiet,
    BotSpeaking,
    CallerPressed,
    CallerSpeaking,
    CallerSpoke,
    PlaybackCleared,
)
from telephony.simulator.journal import Journal
from telephony.simulator.media_socket import Tick
from telephony.simulator.recording import Recorder
from telephony.simulator.twiml import Fault


class Leg:
    """Puts a caller on a line. `interrupted` tells why the carrier must end the stream, if it must."""

    def __init__(
        self,
        caller: Caller,
        ear: Ear,
        recorder: Recorder,
        journal: Journal,
        interrupted: Callable[[], str | None],
    ) -> None:
        self._caller = caller
        self._ear = ear
        self._recorder = recorder
        self._journal = journal
        self._interrupted = interrupted
        self._clears = 0
        self._cleared_bytes = 0
        self._media = 0

    def interruption(self) -> str | None:
        return self._interrupted()

    def tick(self, heard: Heard, more_to_come: bool, now: float) -> Tick:
        self._listen(heard)
        frame = self._caller.frame(heard.audio, self._ear.hearing, more_to_come, now)
        self._recorder.record(frame.audio, heard.audio)
        self._note(frame, self._journal.at_s(now))
        return Tick(frame.audio, frame.digit, frame.hang_up)

    def received(self, line: Line, was_idle: bool, now: float) -> None:
        at_s, stats = self._journal.at_s(now), line.stats
        if was_idle and stats.media_received > self._media:
            self._journal.note(BotAudioArrived(at_s))
        if stats.clears > self._clears:
            dropped_ms = (stats.cleared_bytes - self._cleared_bytes) * 1000 / BYTES_PER_S
            self._journal.note(PlaybackCleared(at_s, dropped_ms))
        self._media, self._clears, self._cleared_bytes = (
            stats.media_received,
            stats.clears,
            stats.cleared_bytes,
        )
        for warning in line.take_warnings():
            self._journal.warn(Fault(warning.code, warning.text), now)

    def _listen(self, heard: Heard) -> None:
        for hearing in self._ear.hear(heard):
            if hearing.ended_at is not None:
                self._journal.note(BotQuiet(self._journal.at_s(hearing.ended_at)))
            elif hearing.began_at is not None:
                self._journal.note(BotSpeaking(self._journal.at_s(hearing.began_at)))

    def _note(self, frame: CallerFrame, at_s: float) -> None:
        for note in frame.notes:
            if isinstance(note, Began):
                self._journal.note(CallerSpeaking(at_s, note.text, note.barge_in))
            else:
                self._journal.note(CallerSpoke(at_s, note.text))
        if frame.digit:
            self._journal.note(CallerPressed(at_s, frame.digit))
