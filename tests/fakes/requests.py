"""A vendor's HTTP on loopback: a small server that misbehaves when told to, and sees it when the client leaves."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers

from tests.fakes.fake import Fake, Opened
from tests.fakes.trouble import STATUSES, Trouble, retry_after, spoiled


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a body that is sent whole, or pieces that are sent as they come.

    `brings` marks one that brings words or audio, so that trouble strikes in it.
    """

    body: bytes | AsyncIterator[bytes] = b"{}"
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    brings: bool = False


class RequestFake(Fake, ABC):
    """A subclass says what a request is answered with. `connections` holds one entry a request, its body in `frames`.

    An entry is open for as long as the connection that brought it; `hung_up` says that a client left before its answer
    was complete.
    """

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        super().__init__(trouble)
        self.drops_at: int | None = None
        """After so many bytes of an answer, from its status line on, the connection breaks."""
        self.hung_up = asyncio.Event()
        self._listener: asyncio.Server | None = None

    @property
    def http_url(self) -> str:
        """The base address, without a path."""
        assert self._listener is not None
        return f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._attend, "127.0.0.1", 0)
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        self._listener.close_clients()
        await self._listener.wait_closed()
        await super().__aexit__(kind, error, trace)

    @abstractmethod
    async def respond(self, asked: Opened, body: bytes) -> Reply:
        """What the vendor answers to a request."""

    def allowed(self, asked: Opened) -> bool:
        """Whether the request brings the key, as the vendor wants it."""
        return True

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, request after request, until one side has enough of it."""
        came: list[Opened] = []
        following = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
        tasks: list[asyncio.Task[Any]] = [following]
        try:
            while True:
                asked = _asked(await following)
                body = await reader.readexactly(int(asked.headers.get("Content-Length", "0")))
                asked.frames += [body] if body else []
                came.append(asked)
                self.connections.append(asked)
                self.changed()
                following = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
                answering = asyncio.create_task(self._reply(asked, body, writer))
                tasks = [following, answering]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done() or isinstance(answering.exception(), ConnectionError):
                    self.hung_up.set()
                    return
                await answering
        except (asyncio.IncompleteReadError, ConnectionError, Cut):
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for asked in came:
                asked.is_open = False
            self.changed()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(self, asked: Opened, body: bytes, writer: asyncio.StreamWriter) -> None:
        status = STATUSES.get(self.trouble) or (None if self.allowed(asked) else 401)
        if status is None:
            reply = await self._troubled(await self.respond(asked, body))
        else:
            reply = Reply(self.refusal_body(status), status=status, headers=retry_after(self.trouble))
        line = _Line(writer, self.drops_at)
        if isinstance(reply.body, bytes):
            await line.send(_head(reply, {"Content-Length": str(len(reply.body))}))
        else:
            await line.send(_head(reply, {"Transfer-Encoding": "chunked"}))
        if self.trouble is Trouble.DROP and reply.brings:
            line.left = 1
        if isinstance(reply.body, bytes):
            await line.send(reply.body)
            return
        async for piece in reply.body:
            await line.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await line.send(b"0\r\n\r\n")

    async def _troubled(self, reply: Reply) -> Reply:
        match self.trouble:
            case Trouble.STALL:
                await asyncio.Event().wait()
            case Trouble.SLOW if reply.brings:
                await self.release.wait()
            case Trouble.MALFORMED if reply.brings:
                return Reply(b"{no json")
            case Trouble.WRONG_TYPE if reply.brings and isinstance(reply.body, bytes):
                return Reply(spoiled(reply.body.decode()).encode())
        return reply


class Cut(Exception):  # noqa: N818 - it is what was asked for
    """The connection breaks here; pieces of a reply may raise it."""


class _Line:
    """What is sent over a connection, until as much of it has gone as may."""

    def __init__(self, writer: asyncio.StreamWriter, left: int | None) -> None:
        self._writer = writer
        self.left = left

    async def send(self, data: bytes) -> None:
        if self.left is not None:
            data = data[: self.left]
            self.left -= len(data)
        self._writer.write(data)
        await self._writer.drain()
        if self.left == 0:
            raise Cut


def _asked(head: bytes) -> Opened:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    headers = Headers([(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)])
    return Opened(parts.path, parse_qs(parts.query, keep_blank_values=True), headers, method=method)


def _head(reply: Reply, framing: Mapping[str, str]) -> bytes:
    headers = {"Content-Type": reply.content_type, **framing, **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} So", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
