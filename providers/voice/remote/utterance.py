"""The audio of one utterance, kept while it is recognised, so that it can be sent again over another connection."""

import asyncio
from collections.abc import AsyncIterator

KEPT_S = 120.0
"""How much is kept: twice the longest turn."""
MESSAGE_S = 1.0
"""The longest piece handed on at once."""


class Utterance:
    """Grows at one end while it is read from the other; positions are bytes from its beginning."""

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._audio = bytearray()
        self._base = 0  # position of the first byte kept
        self._stands = 0  # up to here final results have told what was said
        self._position = 0  # up to here it was handed on
        self._ended = False
        self._grown = asyncio.Event()

    @property
    def audio(self) -> bytes:
        """All that is kept."""
        return bytes(self._audio)

    @property
    def position_s(self) -> float:
        """Where `follow` goes on."""
        return self._position / self._bytes_per_s

    async def fill(self, audio_stream: AsyncIterator[bytes]) -> None:
        """Take in the stream until its end; the oldest audio goes when too much is kept."""
        try:
            async for chunk in audio_stream:
                self._audio += chunk
                surplus = len(self._audio) - round(KEPT_S * self._bytes_per_s)
                if surplus > 0:
                    del self._audio[:surplus]
                    self._base += surplus
                self._grown.set()
        finally:
            self._ended = True
            self._grown.set()

    async def follow(self) -> AsyncIterator[bytes]:
        """What has not been handed on, as it comes, until the end of the stream."""
        most = round(MESSAGE_S * self._bytes_per_s)
        while True:
            self._grown.clear()
            self._position = max(self._position, self._base)
            while chunk := bytes(self._audio[self._position - self._base :][:most]):
                self._position += len(chunk)
                yield chunk
            if self._ended:
                return
            await self._grown.wait()

    def stands(self, stop_s: float | None) -> None:
        """A final result tells what was said up to here; if it does not say where, up to what was handed on."""
        stop_s = self.position_s if stop_s is None else min(stop_s, self.position_s)
        self._stands = max(self._stands, round(stop_s * self._bytes_per_s) // 2 * 2)

    def rewind(self) -> float:
        """Go back to where the final results end; returns how many seconds of that are no longer kept."""
        lost = max(0, self._base - self._stands)
        self._position = self._stands + lost
        return lost / self._bytes_per_s
