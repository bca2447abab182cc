"""A server that speaks the chat completions protocol, as scripted, and sees who hangs up."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.fake import Opened
from tests.fakes.requests import Cut, Reply, RequestFake

type Piece = dict[str, Any] | str | asyncio.Event | None
"""Sent as a server-sent event; sent as it is; waited for; the line cut."""

DONE = "data: [DONE]\n\n"
COMMENT = ": keep-alive\n\n"


@dataclass
class Answer:
    """What one request gets: a stream of pieces, or an error with a status. `ends` is how the stream is ended."""

    pieces: Sequence[Piece] = ()
    status: int = 200
    body: dict[str, Any] | str = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    ends: str = DONE


class ModelServer(RequestFake):
    """`requests` are the JSON bodies that came in, `keys` what stood in their Authorization headers."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self._answers = iter(answers)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"{self.http_url}/v1"

    async def respond(self, asked: Opened, body: bytes) -> Reply:
        self.check((asked.method, asked.path) == ("POST", "/v1/chat/completions"), f"{asked.method} {asked.path}")
        self.keys.append(asked.headers.get("Authorization", ""))
        self.requests.append(json.loads(body))
        answer = next(self._answers)
        if answer.status == 200:
            return Reply(_events(answer), "text/event-stream", brings=True)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return Reply(text.encode(), status=answer.status, headers=answer.headers)


async def _events(answer: Answer) -> AsyncIterator[bytes]:
    for piece in [*answer.pieces, answer.ends]:
        if piece is None:
            raise Cut
        if isinstance(piece, asyncio.Event):
            await piece.wait()
        elif piece:
            yield (piece if isinstance(piece, str) else f"data: {json.dumps(piece)}\n\n").encode()


def says(text: str) -> dict[str, Any]:
    """A chunk with words in it."""
    return _chunk({"content": text}, None)


def asks(name: str, args: str, *, id: str | None = "call_7", index: int | None = 0) -> dict[str, Any]:
    """A chunk with a tool call in it: a whole one, or a part that goes on with an earlier one if there is no id.

    NIM sends whole ones without an index.
    """
    call: dict[str, Any] = {} if index is None else {"index": index}
    if id is not None:
        call |= {"id": id, "type": "function"}
    call["function"] = {"name": name, "arguments": args} if name else {"arguments": args}
    return _chunk({"role": "assistant", "content": None, "tool_calls": [call]}, None)


def ends(reason: str = "stop") -> dict[str, Any]:
    """The last chunk of an answer."""
    return _chunk({}, reason)


def fails(**error: object) -> dict[str, Any]:
    """An error in the middle of the stream."""
    return {"error": {"message": "as you wish", "type": "server_error", "param": None, "code": None} | error}


def _chunk(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
