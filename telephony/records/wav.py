"""A recording as bytes: both sides of a call in step, and a WAV header that is right at every moment."""

import struct

BYTES_PER_S = 16_000
"""Two channels of 8 kHz μ-law."""
SILENCE = 0xFF
MOST_QUEUED = 60 * 8000
"""Bot's audio that is yet to be played, in bytes: far more than the playout ever sends ahead."""

_MULAW, _CHANNELS, _RATE = 7, 2, 8000
HEADER_BYTES = 58


def header(audio_bytes: int) -> bytes:
    """The header of a file that holds so many bytes of stereo μ-law.

    Format 7 with the empty extension and the `fact` chunk that formats other than PCM have to have (Microsoft's
    "Multimedia Data Standards Update", 1994).
    """
    form = struct.pack("<HHIIHHH", _MULAW, _CHANNELS, _RATE, _RATE * _CHANNELS, _CHANNELS, 8, 0)
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + audio_bytes, b"WAVE"),
            struct.pack("<4sI", b"fmt ", len(form)),
            form,
            struct.pack("<4sII", b"fact", 4, audio_bytes // _CHANNELS),
            struct.pack("<4sI", b"data", audio_bytes),
        )
    )


class Tracks:
    """The carrier's side of a stream: what the bot sends waits its turn, and is played as fast as the caller is heard.

    The caller's frames are the clock, so that left and right are in step as the caller heard them, but for the time a
    message takes to the carrier and back.
    """

    def __init__(self) -> None:
        self._queued = bytearray()
        self.is_paused = False
        """While set, both sides are silent; time goes on."""

    def bot(self, ulaw: bytes) -> None:
        """The bot's audio, to be played after what was sent before."""
        self._queued += ulaw
        del self._queued[MOST_QUEUED:]

    def clear(self) -> None:
        """What was not played is dropped."""
        self._queued.clear()

    def caller(self, ulaw: bytes) -> bytes:
        """The caller's audio; returns as much of both sides, sample by sample, the caller first."""
        stereo = bytearray((SILENCE,)) * (2 * len(ulaw))
        played = self._queued[: len(ulaw)]
        del self._queued[: len(ulaw)]
        if not self.is_paused:
            stereo[0::2] = ulaw
            stereo[1 : 2 * len(played) : 2] = played
        return bytes(stereo)
