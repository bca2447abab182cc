"""A line that is recorded: the call uses it as its line, and does not know."""

from collections.abc import Callable

from telephony.call.session import MAX_FILL_MS, SILENCE, CallLine
from telephony.records.recording import Recording
from telephony.twilio.messages import Media
from telephony.twilio.stream import Gap, Received


class RecordedLine:
    """Passes everything on, and to the recording what is audio."""

    def __init__(self, line: CallLine, recording: Recording) -> None:
        self._line = line
        self._recording = recording

    def media(self, payload: bytes) -> None:
        self._recording.tracks.bot(payload)
        self._line.media(payload)

    def mark(self, name: str) -> None:
        self._line.mark(name)

    def clear(self) -> None:
        self._recording.tracks.clear()
        self._line.clear()

    async def read(self, take: Callable[[Received], None]) -> None:
        def tap(message: Received) -> None:
            match message:
                case Media():
                    self._recording.caller(message.payload)
                case Gap():
                    self._recording.caller(SILENCE * (8 * min(message.missing_ms, MAX_FILL_MS)))
            take(message)

        await self._line.read(tap)
