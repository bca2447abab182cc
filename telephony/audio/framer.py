"""Bytes of any length in, frames of one length out."""


class Framer:
    """Re-blocks a stream of bytes; what does not fill a frame waits for the next push."""

    def __init__(self, frame_bytes: int) -> None:
        if frame_bytes < 1:
            raise ValueError(f"a frame cannot have {frame_bytes} bytes")
        self._frame_bytes = frame_bytes
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, in order, each exactly `frame_bytes` long."""
        data = self._rest + data
        size, frames = self._frame_bytes, []
        while len(data) >= size:
            frames.append(data[:size])
            data = data[size:]
        self._rest = data
        return frames

    def flush(self) -> bytes:
        """What is left, shorter than a frame and possibly empty; the framer starts afresh."""
        rest, self._rest = self._rest, b""
        return rest
