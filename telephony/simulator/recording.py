"""The recording of a call: a stereo WAV file, caller left and bot right, written while the call runs."""

import wave
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import audioop

from telephony.simulator.carrier import BYTES_PER_S, SILENCE

_FLUSH_BYTES = BYTES_PER_S  # of one track: a second


class Recorder(Protocol):
    """Takes both tracks of a call as μ-law, in order."""

    def align(self, at_s: float) -> None:
        """What comes next was on the line at `at_s` seconds of the call, or later."""
        ...

    def record(self, caller: bytes, bot: bytes) -> None:
        """The next piece of each track; what is longer in one is waited for in the other."""
        ...


class NoRecording:
    """Records nothing."""

    def align(self, at_s: float) -> None:
        return

    def record(self, caller: bytes, bot: bytes) -> None:
        return


class WavRecording:
    """A WAV file at 8 kHz PCM16. Use it as a context manager; raises `OSError` if the file cannot be written.

    A second of audio is 32 kB and goes to the file system's cache, so this may be done on the event loop.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed by __exit__
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(BYTES_PER_S)
        self._caller = bytearray()
        self._bot = bytearray()
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._pad(max(len(self._caller), len(self._bot)))
            self._write()
        finally:
            self._file.close()

    def align(self, at_s: float) -> None:
        self._pad(max(round(at_s * BYTES_PER_S) - self._written, len(self._caller), len(self._bot)))

    def record(self, caller: bytes, bot: bytes) -> None:
        self._caller += caller
        self._bot += bot
        if min(len(self._caller), len(self._bot)) >= _FLUSH_BYTES:
            self._write()

    def _pad(self, size: int) -> None:
        for track in (self._caller, self._bot):
            track += bytes((SILENCE,)) * (size - len(track))

    def _write(self) -> None:
        size = min(len(self._caller), len(self._bot))
        left = audioop.tostereo(audioop.ulaw2lin(bytes(self._caller[:size]), 2), 2, 1, 0)
        right = audioop.tostereo(audioop.ulaw2lin(bytes(self._bot[:size]), 2), 2, 0, 1)
        self._file.writeframesraw(audioop.add(left, right, 2))
        self._written += size
        del self._caller[:size], self._bot[:size]
