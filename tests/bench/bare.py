"""The floor: what any Python server on uvicorn and Starlette must do for a call, and nothing else.

Reads each frame's JSON, base64 and μ-law, measures its loudness to know whose turn it is, and answers every turn with
a tone made beforehand. `plain` uses the standard library's JSON and sends 20 ms messages on a clock; `best` uses
orjson and sends 200 ms messages all at once.
"""

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

import audioop
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from providers.audio import mulaw
from telephony.twilio.messages import encode_clear, encode_mark, encode_media
from tests.bench.engines import REPLY_S, tone

TURN_FRAMES = 10
"""Frames of sound that begin a turn, and of quiet that end it: 0.2 s."""
_LOUD = 300


@dataclass(frozen=True, slots=True)
class Variant:
    """`lead_s` is how far ahead of playback audio is sent."""

    loads: Callable[[str], dict[str, object]]
    message_ms: int
    lead_s: float


VARIANTS = {"plain": Variant(json.loads, 20, 0.4), "best": Variant(orjson.loads, 200, REPLY_S)}


class Bot:
    """One call."""

    def __init__(self, websocket: WebSocket, reply: list[bytes], variant: Variant) -> None:
        self._websocket = websocket
        self._reply = reply
        self._variant = variant
        self._stream_sid = ""
        self._messages: list[str] = []
        self._loud = self._quiet = 0
        self._talking = False
        self._plays_until = 0.0
        self._sending: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        await self._websocket.accept()
        try:
            while True:
                await self._take(self._variant.loads(await self._websocket.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self._stop_sending()

    async def _take(self, message: dict[str, object]) -> None:
        match message:
            case {"event": "media", "media": {"payload": str(payload)}}:
                await self._hear(audioop.rms(mulaw.decode(b64decode(payload)), 2) > _LOUD)
            case {"event": "start", "streamSid": str(stream_sid)}:
                self._stream_sid = stream_sid
                self._messages = [encode_media(stream_sid, audio) for audio in self._reply]

    async def _hear(self, is_loud: bool) -> None:
        if is_loud:
            self._loud, self._quiet = self._loud + 1, 0
            if not self._talking and self._loud >= TURN_FRAMES:
                self._talking = True
                await self._yield()
            return
        self._quiet += 1
        if self._quiet >= TURN_FRAMES:
            self._loud = 0
            if self._talking:
                self._talking = False
                self._plays_until = asyncio.get_running_loop().time() + REPLY_S
                self._sending = asyncio.create_task(self._answer())

    async def _yield(self) -> None:
        if asyncio.get_running_loop().time() < self._plays_until:
            self._plays_until = 0.0
            self._stop_sending()
            await self._websocket.send_text(encode_clear(self._stream_sid))

    async def _answer(self) -> None:
        pace_s, lead_s = self._variant.message_ms / 1000, self._variant.lead_s
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for number, message in enumerate(self._messages):
            if (early_s := began_at + number * pace_s - lead_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            await self._websocket.send_text(message)
        await self._websocket.send_text(encode_mark(self._stream_sid, "end"))

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()


def application(port: int, variant: Variant) -> Starlette:
    whole = mulaw.encode(b"".join(tone(mulaw.RATE_HZ, REPLY_S, 20)))
    size = mulaw.RATE_HZ * variant.message_ms // 1000
    reply = [whole[start : start + size] for start in range(0, len(whole), size)]

    async def voice(_: Request) -> Response:
        twiml = f'<Response><Connect><Stream url="ws://127.0.0.1:{port}/ws"/></Connect></Response>'
        return Response(twiml, media_type="application/xml")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ready")

    async def stream(websocket: WebSocket) -> None:
        await Bot(websocket, reply, variant).serve()

    return Starlette(
        routes=[
            Route("/twilio/voice", voice, methods=["POST"]),
            Route("/readyz", readyz),
            WebSocketRoute("/ws", stream),
        ]
    )


def main(variant: str, port: int) -> None:
    uvicorn.run(
        application(port, VARIANTS[variant]),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
