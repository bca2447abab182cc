"""A fake Cartesia: recognition with and without turns, and speech in contexts, on one port."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.idle import IdleWatch
from tests.fakes.sockets import Opened, SocketFake
from tests.fakes.trouble import Trouble

KEY = "sk_car_secret"
VERSION = "2026-03-01"
AUDIO_PER_CHARACTER = 480
"""Bytes of μ-law: 60 ms."""
WORD_S = 0.25


class CartesiaFake(SocketFake):
    """Recognises `heard` word by word as audio comes, and has its last words when it is told to finalize or close.

    `ends_turn`: whether a turn that is cut short by `close` gets its end, or only its last update. `idle` is its
    watchdog, on all sockets.
    """

    ends_turn = True

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        super().__init__(trouble)
        self.idle = IdleWatch(300.0, 1000, "idle")
        self.sockets: list[ServerConnection] = []
        """Newest last."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {KEY}"

    def refusal_body(self, status: int) -> bytes:
        code = {401: "unauthorized", 429: "concurrency_limited"}.get(status, "internal")
        return json.dumps({"error_code": code, "title": "No", "message": "as you wish", "request_id": "r-1"}).encode()

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        self._check(opened.headers.get("Cartesia-Version") == VERSION, "no version")
        self.sockets.append(connection)
        self.idle.heard(connection)
        match opened.path:
            case "/stt/turns/websocket":
                self._expect(opened, model="ink-2", encoding="pcm_mulaw", sample_rate="8000")
                await self._listen_to_turns(opened, connection)
            case "/stt/websocket":
                self._expect(opened, encoding="pcm_mulaw", sample_rate="8000", language="en")
                await self._listen(opened, connection)
            case "/tts/websocket":
                await self._speak(opened, connection)
            case _:
                self.complaints.append(f"no such path: {opened.path}")

    async def tell(self, message: Mapping[str, object]) -> None:
        """Send this over the newest socket."""
        await self.sockets[-1].send(json.dumps(message))

    # --- recognition -------------------------------------------------------------------------------------------

    async def _listen_to_turns(self, opened: Opened, connection: ServerConnection) -> None:
        words = 0
        await self.send(connection, _event("connected"))
        async for frame in self.frames(opened, connection):
            self.idle.heard(connection)
            if isinstance(frame, bytes):
                self._check(len(frame) > 0, "an empty audio message")
                if not words:
                    await self.send(connection, _event("turn.start"))
                words += 1
                heard = " ".join(self.heard.split()[:words])
                await self.send(connection, _event("turn.update", transcript=heard), brings=True)
                continue
            self._check(json.loads(frame) == {"type": "close"}, "a command that turns do not know")
            if words:
                last = "turn.end" if self.ends_turn else "turn.update"
                await self.send(connection, _event(last, transcript=self.heard), brings=True)
            if self.trouble is not Trouble.STALL:
                return

    async def _listen(self, opened: Opened, connection: ServerConnection) -> None:
        words = self.heard.split()
        told = heard = 0
        async for frame in self.frames(opened, connection):
            self.idle.heard(connection)
            if isinstance(frame, bytes):
                self._check(len(frame) > 0, "an empty audio message")
                heard = min(heard + 1, len(words) - 1)
                is_final = heard - told == 2
                await self.send(connection, _piece(words, told, heard, is_final=is_final), brings=True)
                told = heard if is_final else told
                continue
            self._check(frame == "finalize", f"an unknown command {frame}")
            await self.send(connection, _piece(words, told, len(words), is_final=True), brings=True)
            await self.send(connection, _event("flush_done"))
            told = heard = 0

    # --- speech ------------------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        used: set[str] = set()
        cancelled: list[str] = []
        async for frame in self.frames(opened, connection):
            self.idle.heard(connection)
            message: dict[str, Any] = json.loads(frame)
            context = message["context_id"]
            if message.get("cancel"):
                self._check(context in used, "cancels a context that never was")
                cancelled.append(context)
                continue
            self._check(context not in used, "a context is used again after its end")
            used.add(context)
            self._check(message["continue"] is False, "a context that is left open")
            self._check(message["voice"]["mode"] == "id", "no voice")
            wanted = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
            self._check(message["output_format"] == wanted, f"format {message['output_format']}")
            await self._generate(connection, message, cancelled)

    async def _generate(self, connection: ServerConnection, request: dict[str, Any], cancelled: list[str]) -> None:
        """Speak a text. What was on its way for a cancelled one still comes, in between."""
        context, text = request["context_id"], request["transcript"]
        if request.get("add_timestamps"):
            words = text.split()
            times = {
                "words": words,
                "start": [place * WORD_S for place in range(len(words))],
                "end": [place * WORD_S + 0.2 for place in range(len(words))],
            }
            await self.send(connection, _of(context, "timestamps", word_timestamps=times))
        for _ in text:
            if cancelled:
                late = cancelled.pop()
                await self.send(connection, _chunk(late))
                await self.send(connection, _of(late, "done", done=True))
            await self.send(connection, _chunk(context), brings=True)
        await self.send(connection, _of(context, "done", done=True))

    def _expect(self, opened: Opened, **query: str) -> None:
        for name, value in query.items():
            self._check(opened.query.get(name) == [value], f"{name} is {opened.query.get(name)}")

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)


def _event(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "request_id": "r-1", **fields})


def _piece(words: list[str], start: int, stop: int, *, is_final: bool) -> str:
    """Words as a delta, with the space that parts them from those before."""
    text = "".join(f"{' ' if place else ''}{words[place]}" for place in range(start, stop))
    return _event("transcript", text=text, is_final=is_final)


def _of(context: str, kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "context_id": context, "done": False, "status_code": 206, **fields})


def _chunk(context: str) -> str:
    data = base64.b64encode(b"\x55" * AUDIO_PER_CHARACTER).decode()
    return _of(context, "chunk", data=data, step_time=1.0)
