"""The socket when things go wrong, against a bare WebSocket server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket

from telephony.simulator import media_socket
from telephony.simulator.carrier import Heard, Line
from telephony.simulator.media_socket import LineEnd, MediaSocket, Tick, open_socket
from telephony.simulator.twiml import Fault
from telephony.twilio.messages import Start, encode_clear, encode_mark, encode_media
from tests.telephony.simulator.bot import LOUD, TOKEN

STREAM_SID = "MZ" + "d" * 32

type Handler = Callable[[ServerConnection], Awaitable[None]]


class Nobody:
    """Is on the line, and does nothing but hang up after some ticks."""

    def __init__(self, ticks: int = 500) -> None:
        self.ticks = ticks
        self.heard = b""

    def tick(self, heard: Heard, more_to_come: bool, now: float) -> Tick:
        self.ticks -= 1
        self.heard += heard.audio
        return Tick(b"\xff" * 160, hang_up="" if self.ticks else "bye")

    def received(self, line: Line, was_idle: bool, now: float) -> None:
        return

    def interruption(self) -> str | None:
        return None


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    async with serve_websocket(handler, "127.0.0.1", 0, close_timeout=0.1) as listening:
        host, port = next(iter(listening.sockets)).getsockname()
        yield f"ws://{host}:{port}/media"


async def run(handler: Handler, user: Nobody | None = None) -> LineEnd:
    async with server(handler) as url:
        socket = await open_socket(url, TOKEN)
        assert isinstance(socket, ClientConnection)
        line = Line(Start(STREAM_SID, "CA1", "AC1"), monotonic())
        return await MediaSocket(socket, line, user or Nobody()).run()


async def test_a_connection_that_is_lost() -> None:
    async def drop(websocket: ServerConnection) -> None:
        await websocket.recv()
        websocket.transport.abort()

    end = await run(drop)
    assert (end.by, end.close_code, end.fault) == ("server", 1006, Fault(31903, "the socket was dropped"))


async def test_a_server_that_breaks_the_protocol() -> None:
    async def blunder(websocket: ServerConnection) -> None:
        await websocket.recv()
        websocket.transport.write(b"\x09\x01x")  # a ping that claims to have a second part
        await websocket.wait_closed()

    end = await run(blunder)
    assert (end.by, end.fault) == ("server", Fault(31924, "WebSocket protocol violated (1002)"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [(1000, None), (1012, Fault(31921, "the server closed the socket with 1012"))],
)
async def test_a_server_that_closes(code: int, fault: Fault | None) -> None:
    async def leave(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.close(code)

    end = await run(leave)
    assert (end.by, end.close_code, end.fault) == ("server", code, fault)


async def test_a_server_that_stops_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_socket, "_OUTBOX", 20)

    async def flood(websocket: ServerConnection) -> None:
        await websocket.send(encode_media(STREAM_SID, LOUD * 500))
        for number in range(30):
            await websocket.send(encode_mark(STREAM_SID, str(number)))
        await websocket.send(encode_clear(STREAM_SID))
        await websocket.wait_closed()

    end = await run(flood)
    assert (end.by, end.fault) == ("carrier", Fault(31903, "the stream server has stopped reading"))


async def test_the_caller_hears_what_was_sent_and_says_goodbye() -> None:
    texts: list[str | bytes] = []

    async def speak(websocket: ServerConnection) -> None:
        await websocket.send(encode_media(STREAM_SID, LOUD * 5))
        async for text in websocket:
            texts.append(text)

    user = Nobody(ticks=15)
    end = await run(speak, user)
    assert (end.by, end.reason, end.fault) == ("caller", "bye", None)
    assert user.heard.strip(b"\xff") == LOUD * 5
    assert '"event":"stop"' in str(texts[-1])
    assert len(texts) == 2 + 15 + 1


@pytest.mark.parametrize(("url", "code"), [("nonsense", 31923), ("ws://127.0.0.1:9/media", 31902)])
async def test_sockets_that_cannot_be_opened(url: str, code: int) -> None:
    fault = await open_socket(url, TOKEN)
    assert isinstance(fault, Fault)
    assert fault.code == code


async def test_a_server_without_tls() -> None:
    async def never(websocket: ServerConnection) -> None:
        pytest.fail("nobody gets this far")

    async with server(never) as url:
        fault = await open_socket("wss" + url.removeprefix("ws"), TOKEN)
    assert isinstance(fault, Fault)
    assert fault.code == 31910
