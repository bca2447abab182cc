"""A vendor's WebSocket on loopback: takes notes of all it is sent, and can be told to misbehave."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes.fake import Fake, Opened
from tests.fakes.trouble import STATUSES, Trouble, retry_after, spoiled

__all__ = ["Opened", "SocketFake"]


class SocketFake(Fake, ABC):
    """A subclass speaks the vendor's wire format: it reads with `frames`, and sends with `send`."""

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        super().__init__(trouble)
        self._server: Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The base address, without a path."""
        return f"ws://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._answer, compression=None, ping_interval=None
        )
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        await super().__aexit__(kind, error, trace)

    @abstractmethod
    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        """Serve one connection in the vendor's way, reading with `frames`, until it is closed."""

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
            self.changed()
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
            self.changed()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        status = STATUSES.get(self.trouble) or (None if self.authorized(request) else 401)
        if status is None or not self.refuses_upgrade(request):
            return None
        body = self.refusal_body(status)
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close", **retry_after(self.trouble)})
        return Response(status, "Refused", headers, body)
