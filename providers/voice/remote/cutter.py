"""Audio cut into messages of the size a service wants."""

from providers.voice.remote.sansio import Frame


class Cutter:
    """Holds back what does not fill a message; `sent` counts the bytes it gave out, from the connection's first on."""

    def __init__(self, message_bytes: int) -> None:
        self.sent = 0
        self._size = message_bytes
        self._held = bytearray()

    def cut(self, chunk: bytes) -> list[Frame]:
        """The messages that are full with this chunk."""
        self._held += chunk
        return [self._taken(self._size) for _ in range(len(self._held) // self._size)]

    def rest(self) -> list[Frame]:
        """What was held back, as one short message; none if there is nothing, for an empty one is an error."""
        return [self._taken(len(self._held))] if self._held else []

    def forget(self) -> None:
        """Drop what was held back."""
        self._held.clear()

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        self.sent += size
        return taken
