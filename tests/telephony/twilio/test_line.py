"""One socket under the call: order, bounds, and what happens when the other side stops taking messages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from telephony.scenarios.clock import InventedTimeLoop
from telephony.twilio import messages
from telephony.twilio.line import DIRECT, OUTBOX, SEND_LIMIT_S, LineBroken, MediaLine
from telephony.twilio.messages import Media, Start, Stop
from telephony.twilio.stream import MediaStream
from tests.telephony.twilio import frames


class Peer:
    """The other end of an accepted socket, as ASGI shows it: what it says, and what it is told."""

    def __init__(self, *says: str | bytes) -> None:
        self._says: list[Message] = [{"type": "websocket.connect"}]
        for data in says:
            kind = "bytes" if isinstance(data, bytes) else "text"
            self._says.append({"type": "websocket.receive", kind: data})
        self._says.append({"type": "websocket.disconnect", "code": 1006})
        self.told: list[str] = []
        self.on_told: Callable[[], Awaitable[object]] | None = None

    async def _receive(self) -> Message:
        return self._says.pop(0)

    async def _send(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            if self.on_told:
                await self.on_told()
            self.told.append(message["text"])

    async def line(self) -> MediaLine:
        """The line to this peer, with its stream started."""
        websocket = WebSocket({"type": "websocket"}, self._receive, self._send)
        await websocket.accept()
        return MediaLine(websocket, MediaStream())


async def started(peer: Peer) -> MediaLine:
    line = await peer.line()
    assert isinstance(await line.started(), Start)
    return line


async def kinds(line: MediaLine) -> list[type]:
    """What comes until the stream is over."""
    came: list[type] = []
    await line.read(lambda item: came.append(type(item)))
    return came


async def test_messages_come_as_values_until_the_stream_is_over() -> None:
    line = await started(Peer(frames.CONNECTED, frames.START, frames.MEDIA, frames.STOP, frames.MEDIA))
    assert await kinds(line) == [Media, Stop]
    assert await kinds(line) == []


async def test_a_socket_that_closes_ends_the_stream_as_a_stop_would() -> None:
    line = await started(Peer(frames.CONNECTED, frames.START))
    assert await kinds(line) == []


async def test_a_stream_may_end_before_it_has_started() -> None:
    line = await Peer(frames.CONNECTED).line()
    assert await line.started() is None


async def test_what_a_message_causes_is_raised() -> None:
    line = await started(Peer(frames.CONNECTED, frames.START, frames.MEDIA, frames.STOP))

    def take(_: object) -> None:
        raise ValueError("a bug of ours")

    with pytest.raises(ValueError, match="a bug of ours"):
        await line.read(take)


async def test_faults_are_logged_once_a_kind(caplog: pytest.LogCaptureFixture) -> None:
    line = await started(Peer(frames.CONNECTED, frames.START, b"\x00", b"\x01", "nonsense", frames.MEDIA))
    assert await kinds(line) == [Media]
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "bad message on the media stream: binary where Twilio sends text (binary_frame)",
        "bad message on the media stream: not JSON (malformed)",
    ]


async def test_a_fatal_fault_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    line = await Peer(frames.CONNECTED, frames.START.replace("8000", "16000"), frames.MEDIA).line()
    assert await line.started() is None
    assert await kinds(line) == []
    assert "the media stream cannot go on: audio other than 8000 Hz mono μ-law" in caplog.text


async def sent(peer: Peer, line: MediaLine, count: int) -> list[str]:
    """What the peer is told in as many steps of the loop as `count` messages take, and some more."""
    writing = asyncio.create_task(line.write())
    for _ in range(count + 5):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    return peer.told


async def test_what_is_put_out_is_sent_in_order() -> None:
    peer = Peer(frames.CONNECTED, frames.START)
    line = await started(peer)
    line.media(b"\xff\xff")
    line.mark("turn-7:3")
    line.media(b"\xff\xff")
    assert await sent(peer, line, 3) == [frames.SEND_MEDIA, frames.SEND_MARK, frames.SEND_MEDIA]


async def test_a_clear_takes_back_what_was_not_sent_yet() -> None:
    peer = Peer(frames.CONNECTED, frames.START)
    line = await started(peer)
    for _ in range(5):
        line.media(b"\xff\xff")
    line.clear()
    line.mark("turn-7:3")
    assert await sent(peer, line, 2) == [frames.CLEAR, frames.SEND_MARK]


async def test_a_closed_socket_breaks_the_line() -> None:
    async def closed() -> None:
        raise OSError("gone")

    peer = Peer(frames.CONNECTED, frames.START)
    line = await started(peer)
    peer.on_told = closed
    line.mark("turn-7:3")
    with pytest.raises(LineBroken, match="takes no more messages"):
        await line.write()


async def test_nothing_is_sent_once_the_stream_is_over() -> None:
    peer = Peer(frames.CONNECTED, frames.START, frames.STOP)
    line = await started(peer)
    assert await kinds(line) == [Stop]
    line.clear()
    assert await sent(peer, line, 2) == []


def test_a_socket_that_is_stuck_breaks_the_line_after_a_while() -> None:
    async def run() -> float:
        peer = Peer(frames.CONNECTED, frames.START)
        line = await started(peer)
        peer.on_told = lambda: asyncio.sleep(3600)
        line.mark("turn-7:3")
        with pytest.raises(LineBroken):
            await line.write()
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        assert runner.run(run()) == pytest.approx(SEND_LIMIT_S)


async def test_a_full_outbox_loses_messages_rather_than_grow(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    line = await started(Peer(frames.CONNECTED, frames.START))
    for _ in range(OUTBOX):
        line.mark("m")
    assert "outbox full" not in caplog.text
    line.mark("m")
    assert "outbox full" in caplog.text


class Quicker(Peer):
    """A peer behind a server that sends at once, as long as the peer is not behind."""

    is_behind = False

    def send_now(self, text: str) -> bool:
        if not self.is_behind:
            self.told.append(text)
        return not self.is_behind

    async def line(self) -> MediaLine:
        scope = {"type": "websocket", "extensions": {DIRECT: {"send": self.send_now}}}
        websocket = WebSocket(scope, self._receive, self._send)
        await websocket.accept()
        return MediaLine(websocket, MediaStream())


async def test_what_can_be_sent_at_once_is_and_order_is_kept() -> None:
    peer = Quicker(frames.CONNECTED, frames.START)
    line = await started(peer)
    line.mark("1")
    assert peer.told == [encode_mark("1")]
    peer.is_behind = True
    line.mark("2")
    peer.is_behind = False
    line.mark("3")
    assert await sent(peer, line, 2) == [encode_mark(name) for name in "123"]
    line.mark("4")
    assert peer.told[-1] == encode_mark("4")


async def test_nothing_overtakes_a_message_that_is_being_sent() -> None:
    peer = Quicker(frames.CONNECTED, frames.START)
    line = await started(peer)
    may_go = asyncio.Event()
    peer.on_told = may_go.wait
    peer.is_behind = True
    line.mark("1")
    writing = asyncio.create_task(line.write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    peer.is_behind = False
    line.mark("2")
    assert peer.told == []
    may_go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert peer.told == [encode_mark(name) for name in "12"]
    writing.cancel()


def encode_mark(name: str) -> str:
    return messages.encode_mark(frames.STREAM, name)
