"""Uvicorn's WebSocket with a quicker way for what telephony sends: whole text frames, fifty a second on every call."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.speedups import apply_mask

from telephony.coalescing import CoalescedReading
from telephony.twilio.line import DIRECT, Take

AHEAD = 32
"""Messages that may wait for the application before the socket is not read any more: two thirds of a second."""
AT_ONCE = 100
"""Frames handed on before others have their turn: one or two milliseconds of the event loop."""

# The first byte of a frame …
_TEXT = 0x81  # a whole message of text
_CONTROL = frozenset({0x88, 0x89, 0x8A})  # close, ping, pong
# … and the second: masked as all that clients send, with its length or how it is written.
_MASKED = 0x80
_LONG = _MASKED | 126  # in the two bytes that follow
_LONGER = _MASKED | 127


class MediaSocketProtocol(WebSocketsSansIOProtocol):
    """Reads text frames itself and leaves everything else, the handshake and the faults included, to uvicorn.

    The stream is cut at the frames' ends; the websockets library is given those that are not whole frames of text, and
    a connection that sends any but these and control frames is its own from there on. Nor is the socket paused after
    each message, as uvicorn does, but when `AHEAD` of them wait. One that is diverted is read together with all others.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue: _Events = _Events()
        self._cuts = False  # whether the library stands between two frames, so that we may read them
        self._rest = b""  # the beginning of a frame
        self._together: CoalescedReading | None = None  # what reads the socket now, if it is not the transport
        self._fd = -1
        self._told: dict[str, Any] = {}  # what the application is told that we can do

    def divert(self, take: Take | None) -> None:
        """From now on give messages to `take` as they come, what waits first, and None once there are no more.

        It is called from the socket's own callback and must not raise. `divert(None)` ends that.
        """
        self.queue.divert(take)
        self._go_on_reading()
        if take is None:
            self.read_alone()
        else:
            self._read_together()

    def send_now(self, text: str) -> bool:
        """Send a message, unless the peer is behind or the socket is closing: then it is to be sent the usual way."""
        data = text.encode()
        size = len(data)
        if size > 0xFFFF or not self.writable.is_set() or self.conn.state is not OPEN or self.transport.is_closing():
            return False
        head = bytes((_TEXT, size)) if size < _LONG - _MASKED else bytes((_TEXT, _LONG - _MASKED)) + size.to_bytes(2)
        self.transport.write(head + data)
        return True

    def handle_connect(self, event: Request) -> None:
        """The handshake: tell the application of the quicker way."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self._told = self.scope["extensions"]
            self._told[DIRECT] = {"divert": self.divert, "send": self.send_now}

    def data_received(self, data: bytes) -> None:
        """Called by the transport with whatever came, cut anywhere."""
        if not self._cuts:
            is_opening = not self.handshake_initiated
            super().data_received(data)
            # A peer that does not wait for our answer before its first frame is left to the library.
            self._cuts = is_opening and self.handshake_initiated and data.endswith(b"\r\n\r\n")
            return
        if self._rest:
            data = self._rest + data
        at, size, left = 0, len(data), AT_ONCE
        while size - at >= 2:
            if not left:
                self.read_alone()
                self.transport.pause_reading()
                self.loop.call_soon(self._catch_up)
                break
            left -= 1
            kind, length = data[at], data[at + 1]
            begins = at + 6  # the mask takes four
            is_ours = _MASKED <= length < (_LONGER if kind == _TEXT else _LONG if kind in _CONTROL else 0)
            if length != _LONG:
                length -= _MASKED
            elif at + 4 <= size:  # until then any length is more than there is
                begins, length = at + 8, data[at + 2] << 8 | data[at + 3]
            if not is_ours or length > self.config.ws_max_size:
                self._leave(data[at:])
                return
            ends = begins + length
            if ends > size:
                break
            if kind != _TEXT:
                super().data_received(data[at:ends])
                if self.conn.state is not OPEN:
                    self._leave(data[ends:])
                    return
            elif not self._text(apply_mask(data[begins:ends], data[begins - 4 : begins])):
                self._leave(data[at:])
                return
            at = ends
        self._rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed; what the application was told leads back to us no more."""
        self.read_alone()
        super().connection_lost(exc)
        self._told.pop(DIRECT, None)

    def read_alone(self) -> None:
        """Let the transport read the socket again, if it does not."""
        together, self._together = self._together, None
        if together is not None:
            together.remove(self._fd, self)
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def _read_together(self) -> None:
        socket = self.transport.get_extra_info("socket")
        if socket is None or not self._cuts or self.scheme == "wss" or self.transport.is_closing():
            return
        together = CoalescedReading.of(self.loop)
        if together is not None and self._together is None:
            self.transport.pause_reading()
            self._together, self._fd = together, socket.fileno()
            together.add(self._fd, self)

    def send_receive_event_to_app(self) -> None:
        """Hand a message of the library's on, after which uvicorn reads no further until the application asks."""
        super().send_receive_event_to_app()
        if self.queue.take is not None:
            self._go_on_reading()

    def _text(self, data: bytes) -> bool:
        """Hand on a message; False if it is not UTF-8."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return False
        if self.close_sent:
            return True  # the application is past it
        take = self.queue.take
        if take is not None:
            take(text)
            return True
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if self.queue.qsize() > AHEAD and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        return True

    def _catch_up(self) -> None:
        """Go on with what came at once and was too much for one turn."""
        if not self.transport.is_closing():
            if not self.read_paused:
                self.transport.resume_reading()
            self.data_received(b"")

    def _go_on_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _leave(self, data: bytes) -> None:
        """Leave this, which begins with a frame, and all that follows to the library."""
        self.read_alone()
        self._cuts, self._rest = False, b""
        if data:
            super().data_received(data)


class _Events(asyncio.Queue[Any]):
    """What uvicorn has to tell the application: in a queue, or straight to whoever has diverted it."""

    take: Take | None = None

    def divert(self, take: Take | None) -> None:
        self.take = take
        while take is not None and not self.empty():
            take(_data(self.get_nowait()))

    def put_nowait(self, item: Any) -> None:
        if self.take is None:
            super().put_nowait(item)
        else:
            self.take(_data(item))


def _data(event: Any) -> str | bytes | None:
    """What an ASGI event of a WebSocket brings; None for its end."""
    if event["type"] != "websocket.receive":
        return None
    text: str | None = event.get("text")
    return event["bytes"] if text is None else text
