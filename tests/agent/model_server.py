"""A server on the loop-back interface that speaks the chat completions protocol, as scripted, and sees who hangs up."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

type Piece = dict[str, Any] | asyncio.Event | None
"""Sent as a server-sent event; waited for; the line cut."""


@dataclass
class Answer:
    """What one request gets: a stream of pieces, or an error with a status."""

    pieces: Sequence[Piece] = ()
    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)


class ModelServer:
    """`requests` are the JSON bodies that came in, `keys` what stood in their Authorization headers."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.keys.append(headers.get("authorization", ""))
        self.requests.append(json.loads(await reader.readexactly(int(headers["content-length"]))))
        answer = next(self._answers)
        streaming = asyncio.create_task(self._answer(answer, writer))
        leaving = asyncio.create_task(reader.read(1))
        await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not streaming.done():
            self.hung_up.set()
        for task in (streaming, leaving):
            task.cancel()
        await asyncio.gather(streaming, leaving, return_exceptions=True)
        writer.close()

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        kind = "text/event-stream\r\nTransfer-Encoding: chunked" if answer.status == 200 else "application/json"
        writer.write(f"HTTP/1.1 {answer.status} So\r\nConnection: close\r\nContent-Type: {kind}\r\n".encode())
        if answer.status != 200:
            body = json.dumps(answer.body).encode()
            writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return await writer.drain()
        writer.write(b"\r\n")
        for piece in [*answer.pieces, "[DONE]"]:
            if piece is None:
                return writer.transport.abort()
            if isinstance(piece, asyncio.Event):
                await piece.wait()
                continue
            event = f"data: {piece if isinstance(piece, str) else json.dumps(piece)}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        return await writer.drain()


def says(text: str) -> dict[str, Any]:
    """A chunk with words in it."""
    return _chunk({"content": text}, None)


def asks(name: str, args: str) -> dict[str, Any]:
    """A chunk with a whole tool call in it."""
    call = {"index": 0, "id": "call_7", "type": "function", "function": {"name": name, "arguments": args}}
    return _chunk({"role": "assistant", "content": None, "tool_calls": [call]}, None)


def ends(reason: str = "stop") -> dict[str, Any]:
    """The last chunk of an answer."""
    return _chunk({}, reason)


def _chunk(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
