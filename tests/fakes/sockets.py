"""A vendor's WebSocket on loopback: takes notes of all it is sent, and can be told to misbehave."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes.trouble import STATUSES, Trouble, retry_after, spoiled


@dataclass(slots=True)
class Opened:
    """One connection that was opened: its request, and the messages that came over it, in order."""

    path: str
    query: dict[str, list[str]]
    headers: Headers
    frames: list[str | bytes] = field(default_factory=list)
    is_open: bool = True

    @property
    def audio(self) -> bytes:
        """All binary messages, joined."""
        return b"".join(frame for frame in self.frames if isinstance(frame, bytes))


class SocketFake(ABC):
    """One fake engine, served while it is entered; `trouble` counts for what happens from then on.

    `heard` is what its recogniser makes of every utterance. A subclass speaks the vendor's wire format, checks what it
    is sent (a fault there goes to `complaints`, which a test asserts to be empty), and sends with `send`.
    """

    heard = "I would like a table for two."

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        self.trouble = trouble
        self.connections: list[Opened] = []
        self.complaints: list[str] = []
        self.release = asyncio.Event()
        """A `SLOW` fake answers once this is set."""
        self._server: Server | None = None
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The base address, without a path."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return sum(connection.is_open for connection in self.connections)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what the fake has seen."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._answer, compression=None, ping_interval=None
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @abstractmethod
    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        """Serve one connection in the vendor's way, reading with `frames`, until it is closed."""

    def refusal_body(self, status: int) -> bytes:
        """What the vendor says when it refuses an upgrade."""
        return b"{}"

    def refuses_upgrade(self, request: Request) -> bool:
        """Whether the vendor answers with a status to what it does not want, rather than over the open socket."""
        return True

    def authorized(self, request: Request) -> bool:
        """Whether the request brings the key, as the vendor wants it."""
        return True

    async def frames(self, opened: Opened, connection: ServerConnection) -> AsyncIterator[str | bytes]:
        """The messages that come over a connection, until it is closed, each noted down as it is read."""
        async for frame in connection:
            opened.frames.append(frame)
            self._changed.set()
            yield frame

    async def send(self, connection: ServerConnection, message: str | bytes, *, brings: bool = False) -> None:
        """Send, as the trouble wants it; `brings` marks the messages that bring words or audio."""
        match self.trouble:
            case Trouble.STALL:
                return
            case Trouble.SLOW if brings:
                await self.release.wait()
            case Trouble.DROP if brings:
                connection.transport.abort()
                return
            case Trouble.MALFORMED if brings:
                message = "{no json" if isinstance(message, str) else "{no audio"
            case Trouble.WRONG_TYPE if brings and isinstance(message, str):
                message = spoiled(message)
        await connection.send(message)

    async def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        parts = urlsplit(request.path)
        opened = Opened(parts.path, parse_qs(parts.query, keep_blank_values=True), request.headers)
        self.connections.append(opened)
        self._changed.set()
        try:
            await self.converse(opened, connection)
        except ConnectionClosed:
            pass
        finally:
            opened.is_open = False
            self._changed.set()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        status = STATUSES.get(self.trouble) or (None if self.authorized(request) else 401)
        if status is None or not self.refuses_upgrade(request):
            return None
        body = self.refusal_body(status)
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close", **retry_after(self.trouble)})
        return Response(status, "Refused", headers, body)
