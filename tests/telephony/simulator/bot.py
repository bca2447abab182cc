"""A small bot server to phone: its TwiML and its behaviour on the socket are given by each test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from telephony.simulator.caller import LINE_AT_REST
from telephony.simulator.rest import serve
from telephony.twilio.messages import (
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    Start,
    Stop,
    decode_from_twilio,
    encode_clear,
    encode_mark,
    encode_media,
)
from telephony.twilio.signature import SignatureChecker

TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT_SID = "AC" + "a" * 32
LOUD = bytes((0x20, 0xA0)) * 80
"""20 ms of a buzz at some -9 dBFS."""


@dataclass(slots=True)
class Received:
    """A webhook as it came in."""

    path: str
    form: dict[str, str]
    is_signed: bool


@dataclass(slots=True)
class Socket:
    """The bot's end of one stream."""

    websocket: WebSocket
    start: Start
    messages: list[FromTwilio] = field(default_factory=list)

    async def say(self, seconds: float, mark: str = "") -> None:
        await self.websocket.send_text(encode_media(self.start.stream_sid, LOUD * round(seconds * 50)))
        if mark:
            await self.mark(mark)

    async def mark(self, name: str) -> None:
        await self.websocket.send_text(encode_mark(self.start.stream_sid, name))

    async def clear(self) -> None:
        await self.websocket.send_text(encode_clear(self.start.stream_sid))

    async def next(self) -> FromTwilio:
        message = decode_from_twilio(await self.websocket.receive_text())
        self.messages.append(message)
        return message

    async def until(self, wanted: Callable[[FromTwilio], bool]) -> FromTwilio:
        while not wanted(message := await self.next()):
            pass
        return message

    async def until_mark(self, name: str) -> None:
        await self.until(lambda message: isinstance(message, Mark) and message.name == name)

    async def until_caller_speaks(self) -> None:
        await self.until(lambda message: isinstance(message, Media) and message.payload != LINE_AT_REST)

    async def until_caller_is_quiet(self) -> None:
        await self.until(lambda message: isinstance(message, Media) and message.payload == LINE_AT_REST)

    async def until_stop(self) -> None:
        await self.until(lambda message: isinstance(message, Stop))

    @property
    def digits(self) -> str:
        return "".join(message.digit for message in self.messages if isinstance(message, Dtmf))


type Behaviour = Callable[[Socket], Awaitable[None]]


@dataclass(slots=True)
class Bot:
    """What the server does, and what came in. `twiml` maps paths to documents; `{base}` in them is `wsbase`."""

    twiml: dict[str, str] = field(default_factory=dict)
    behaviours: list[Behaviour] = field(default_factory=list)
    feed: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    base_url: str = ""

    @property
    def checker(self) -> SignatureChecker:
        return SignatureChecker(TOKEN, self.base_url)

    def forms(self, path: str) -> list[dict[str, str]]:
        return [each.form for each in self.received if each.path == path]

    async def webhook(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        signature = request.headers.get("x-twilio-signature")
        self.received.append(Received(request.url.path, fields, self.checker.webhook(path, fields, signature)))
        if (document := self.twiml.get(request.url.path)) is None:
            return Response(status_code=404)
        return Response(document.replace("{ws}", "ws" + self.base_url.removeprefix("http")), media_type="text/xml")

    async def stream(self, websocket: WebSocket) -> None:
        self.handshakes.append(dict(websocket.headers))
        if not self.checker.websocket(websocket.url.path, websocket.headers.get("x-twilio-signature")):
            await websocket.close(1008)
            return
        await websocket.accept()
        connected = decode_from_twilio(await websocket.receive_text())
        start = decode_from_twilio(await websocket.receive_text())
        assert isinstance(start, Start)
        socket = Socket(websocket, start, [connected, start])
        self.sockets.append(socket)
        try:
            await self.behaviours.pop(0)(socket)
            await websocket.close()
        except (WebSocketDisconnect, RuntimeError):
            return

    async def events(self, request: Request) -> Response:
        signed = self.checker.webhook(request.url.path, {}, request.headers.get("x-twilio-signature"))
        self.received.append(Received("/events", {}, signed))
        if not self.feed:
            return Response(status_code=404)

        async def lines() -> AsyncIterator[str]:
            for line in self.feed:
                await asyncio.sleep(0)
                yield line + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Bot"]:
        routes = [
            WebSocketRoute("/media", self.stream),
            Route("/calls/{call_sid}/events", self.events),
            Route("/{path:path}", self.webhook, methods=["GET", "POST"]),
        ]
        async with serve(Starlette(routes=routes)) as self.base_url:
            yield self
