"""Our way of reading a socket beside uvicorn's own: whatever a peer sends, however it is cut, they tell the same."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Close, Frame, Opcode

from telephony.sockets import AHEAD, AT_ONCE, MediaSocketProtocol
from telephony.twilio.line import DIRECT

HANDSHAKE = (
    b"GET /twilio/stream HTTP/1.1\r\nHost: bot\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LARGEST = 70_000


class Transport(asyncio.Transport):
    """Keeps what is written, and whether the socket is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_read = True
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


class Peer:
    """One end of a connection whose other end is an application that writes down what it is told."""

    def __init__(self, kind: type[WebSocketsSansIOProtocol], *, diverts: bool = False, accepts: bool = True) -> None:
        self.told: list[Any] = []
        self.asked = asyncio.Event()
        self.asked.set()
        self._diverts = diverts
        self._accepts = accepts
        config = Config(
            self._application, ws_per_message_deflate=False, ws_max_size=LARGEST, log_config=None, interface="asgi3"
        )
        config.load()
        self.transport = Transport()
        self._protocol: Any = kind(config, ServerState(), {})
        self._protocol.connection_made(self.transport)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if not self._accepts:
            await asyncio.Event().wait()
        await send({"type": "websocket.accept"})
        if self._diverts:
            over = asyncio.Event()
            scope["extensions"][DIRECT]["divert"](lambda data: over.set() if data is None else self.told.append(data))
            await over.wait()
            return
        while True:
            await self.asked.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.told.append(("over", message["code"]) if not self._diverts else None)
                return
            self.told.append(message.get("text", message.get("bytes")))

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Let the pieces arrive one after the other; a closed transport takes no more, and an error closes it."""
        for piece in pieces:
            if not self.transport.is_closed:
                try:
                    self._protocol.data_received(piece)
                except InvalidState:  # uvicorn's, of two messages at once that are not UTF-8
                    self.transport.close()
        await settled()

    async def hang_up(self) -> None:
        self._protocol.connection_lost(None)
        await settled()


async def settled() -> None:
    for _ in range(2 * AHEAD + 20):
        await asyncio.sleep(0)


def text(message: str, **changes: Any) -> bytes:
    return Frame(Opcode.TEXT, message.encode(), **changes).serialize(mask=True)


WHOLE = st.text(max_size=300).map(text) | st.sampled_from([125, 126, 127, 65535, 65536]).map(lambda n: text("x" * n))
CONTROL = st.sampled_from([Opcode.PING, Opcode.PONG]).flatmap(
    lambda opcode: st.binary(max_size=125).map(lambda data: Frame(opcode, data).serialize(mask=True))
)
UNUSUAL = st.one_of(
    st.binary(max_size=200).map(lambda data: Frame(Opcode.BINARY, data).serialize(mask=True)),
    st.just(text("begun, ", fin=False) + Frame(Opcode.CONT, b"ended").serialize(mask=True)),
    st.just(text("begun, ", fin=False) + Frame(Opcode.PING, b"?").serialize(mask=True)),
    st.just(Frame(Opcode.CONT, b"of nothing").serialize(mask=True)),
    st.just(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True)),
    st.just(text("x" * (LARGEST + 1))),
    st.just(Frame(Opcode.TEXT, b"unmasked").serialize(mask=False)),
    st.just(b"\xc1" + text("reserved")[1:]),
    st.just(Frame(Opcode.CLOSE, Close(1000, "bye").serialize()).serialize(mask=True)),
    st.just(Frame(Opcode.CLOSE, b"?").serialize(mask=True)),
    st.just(b"\x89\xfe\x00\x80" + bytes(4 + 128)),  # a ping that is too long
    st.just(b"\x8b\x80" + bytes(4)),  # a kind of frame that does not exist
    st.binary(min_size=1, max_size=20),
)
FRAMES = st.lists(st.one_of(WHOLE, WHOLE, WHOLE, CONTROL, UNUSUAL), max_size=8)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    starts = [0, *ends]
    return [data[start:end] for start, end in zip(starts, ends, strict=False) if start < end]


@given(FRAMES, st.lists(st.integers(0, 1 << 20), max_size=6))
def test_we_tell_what_uvicorn_tells(frames: list[bytes], places: list[int]) -> None:
    pieces = cut(b"".join(frames), places)

    async def tell(kind: type[WebSocketsSansIOProtocol]) -> tuple[list[Any], Any, bytes, bool]:
        peer = Peer(kind)
        await peer.send([HANDSHAKE])
        greeting = len(peer.transport.written)
        await peer.send(pieces)
        is_closed = peer.transport.is_closed
        await peer.hang_up()
        *messages, over = peer.told
        return messages, over, b"".join(peer.transport.written[greeting:]), is_closed

    messages, *rest = asyncio.run(tell(MediaSocketProtocol))
    theirs, *others = asyncio.run(tell(WebSocketsSansIOProtocol))
    assert rest == others
    # What came in one piece with an error uvicorn forgets; we tell it, for where the pieces end is chance.
    assert messages[: len(theirs)] == theirs
    assert len(messages) == len(theirs) or rest[0] not in (("over", 1000), ("over", 1005))


@given(FRAMES, st.lists(st.integers(0, 1 << 20), max_size=6))
def test_messages_diverted_are_the_same(frames: list[bytes], places: list[int]) -> None:
    pieces = cut(b"".join(frames), places)

    async def tell(diverts: bool) -> list[Any]:
        peer = Peer(MediaSocketProtocol, diverts=diverts)
        await peer.send([HANDSHAKE])
        await peer.send(pieces)
        await peer.hang_up()
        return [data for data in peer.told if not isinstance(data, tuple)]

    assert asyncio.run(tell(True)) == asyncio.run(tell(False))


@pytest.mark.parametrize("at", [0, 40, len(HANDSHAKE) - 1])
async def test_a_peer_may_speak_before_it_is_answered(at: int) -> None:
    peer = Peer(MediaSocketProtocol)
    data = HANDSHAKE + text("too soon") + text("cut in two")
    await peer.send([data[:at], data[at:-4], data[-4:]] if at else [data[:-4], data[-4:]])
    assert peer.told == ["too soon", "cut in two"]


async def test_a_peer_whose_handshake_is_refused_may_go() -> None:
    peer = Peer(MediaSocketProtocol)
    peer._protocol.data_received(HANDSHAKE.replace(b"Sec-WebSocket-Key", b"X-No-Key"))
    assert peer.transport.written[0].startswith(b"HTTP/1.1 400")
    peer._protocol.connection_lost(None)


async def test_a_frame_may_come_byte_by_byte() -> None:
    peer = Peer(MediaSocketProtocol)
    messages = ["x" * length for length in (0, 125, 126, 256)]
    await peer.send([HANDSHAKE, *(bytes([byte]) for byte in b"".join(map(text, messages)))])
    assert peer.told == messages


async def test_what_came_before_the_diversion_is_not_lost() -> None:
    peer = Peer(MediaSocketProtocol, diverts=True)
    peer._protocol.data_received(HANDSHAKE)
    for number in range(3):
        peer._protocol.data_received(text(f"{number}"))
    await settled()
    await peer.send([text("3")])
    assert peer.told == ["0", "1", "2", "3"]


async def test_a_socket_is_not_read_on_while_the_application_is_behind() -> None:
    peer = Peer(MediaSocketProtocol)
    await peer.send([HANDSHAKE])
    peer.asked.clear()
    await peer.send([text("taken though")])  # the application waited for it already
    sent = [text(f"{number}") for number in range(AHEAD + 1)]
    await peer.send(sent[:AHEAD])
    assert peer.transport.is_read
    await peer.send(sent[AHEAD:])
    assert not peer.transport.is_read
    peer.asked.set()
    await settled()
    assert peer.transport.is_read
    assert len(peer.told) == AHEAD + 2


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535])
async def test_what_is_sent_at_once_is_what_the_library_would_send(size: int) -> None:
    peer = Peer(MediaSocketProtocol)
    await peer.send([HANDSHAKE])
    message = ("é" + "x" * size).encode()[:size].decode(errors="ignore")
    assert peer._protocol.send_now(message)
    assert peer.transport.written[-1] == Frame(Opcode.TEXT, message.encode()).serialize(mask=False)


async def test_what_cannot_be_sent_at_once_is_not() -> None:
    peer = Peer(MediaSocketProtocol)
    peer._protocol.data_received(HANDSHAKE)
    assert not peer._protocol.send_now("before it is accepted")
    await settled()
    assert not peer._protocol.send_now("x" * 65536)
    peer._protocol.pause_writing()
    assert not peer._protocol.send_now("the peer is behind")
    peer._protocol.resume_writing()
    assert peer._protocol.send_now("it has caught up")
    await peer.send([Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=True)])
    assert not peer._protocol.send_now("over")


async def test_what_comes_all_at_once_is_taken_in_turns() -> None:
    peer = Peer(MediaSocketProtocol, diverts=True)
    await peer.send([HANDSHAKE])
    burst = b"".join(text(f"{number}") for number in range(2 * AT_ONCE + 5))
    peer._protocol.data_received(burst[:-3])
    assert len(peer.told) == AT_ONCE
    assert not peer.transport.is_read
    peer._protocol.data_received(burst[-3:] + text("after it"))  # as a transport may do that was told too late
    await settled()
    assert peer.told == [*(f"{number}" for number in range(2 * AT_ONCE + 5)), "after it"]
    assert peer.transport.is_read


async def test_a_diverted_socket_is_read_on_whatever_it_sends() -> None:
    peer = Peer(MediaSocketProtocol, diverts=True)
    await peer.send([HANDSHAKE, text("part", fin=False) + Frame(Opcode.CONT, b"s").serialize(mask=True), text("whole")])
    assert peer.told == ["parts", "whole"]
    assert peer.transport.is_read
