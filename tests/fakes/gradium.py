"""A fake Gradium: speech to text with its steps, and text to speech, on one port."""

import asyncio
import json
from base64 import b64decode, b64encode
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.sockets import Opened, SocketFake

KEY = "gd_secret_key"
AUDIO_PER_CHARACTER = 640
"""Bytes of μ-law: 80 ms."""
STEP_S = 0.08


class GradiumFake(SocketFake):
    """Recognises `heard` one word a step, and the rest when it is flushed, after which it thinks the turn over."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("x-api-key") == KEY

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        match opened.path:
            case "/api/speech/asr":
                await self._listen(opened, connection)
            case "/api/speech/tts":
                await self._speak(opened, connection)
            case _:
                self.complaints.append(f"no such path: {opened.path}")

    async def fail(self, connection: ServerConnection, code: int) -> None:
        """Say what is wrong, and close: 1008 is a key, a setup or a session that is over."""
        await connection.send(json.dumps({"type": "error", "message": "as you wish", "code": code}))
        await connection.close(code)

    # --- speech to text ----------------------------------------------------------------------------------------

    async def _listen(self, opened: Opened, connection: ServerConnection) -> None:
        total_s, steps, words, utterance_s = 0.0, 0, 0, 0.0
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            if len(opened.frames) == 1:
                await self._setup(connection, message, "input_format")
                continue
            match message["type"]:
                case "audio":
                    total_s += len(b64decode(message["audio"])) / 8000
                    if words < len(self.heard.split()) - 1:
                        await self._word(connection, words, utterance_s)
                        words += 1
                    steps += 1
                    await self.step(connection, steps, total_s, over=0.1)
                case "flush":
                    for number in range(words, len(self.heard.split())):
                        await self._word(connection, number, utterance_s)
                    await self.step(connection, steps + 1, total_s, over=0.9)
                    await self._say(connection, type="flushed", flush_id=message["flush_id"])
                    words, utterance_s = 0, total_s
                case "end_of_stream":
                    await self._say(connection, type="end_of_stream")
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def _word(self, connection: ServerConnection, number: int, origin_s: float) -> None:
        start_s = round(origin_s + number * 0.01, 2)
        word = self.heard.split()[number]
        await self._say(connection, type="text", text=word, start_s=start_s, stream_id=0, brings=True)
        await self._say(connection, type="end_text", stop_s=start_s + 0.01, stream_id=0)

    async def step(self, connection: ServerConnection, number: int, total_s: float, over: float) -> None:
        """Say how likely it is that the caller has finished."""
        views = [{"horizon_s": horizon, "inactivity_prob": over} for horizon in (0.5, 1.0, 2.0, 3.0)]
        step: dict[str, Any] = {
            "step_idx": number,
            "step_duration_s": STEP_S,
            "total_duration_s": total_s,
            "vad": views,
        }
        await self._say(connection, type="step", **step)

    # --- text to speech ----------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        texts: dict[str, str] = {}
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            request = message["client_req_id"]
            match message["type"]:
                case "setup":
                    self._check(message["close_ws_on_eos"] is False, "a socket for one text only")
                    self._check(request not in texts, f"a second setup for {request}")
                    texts[request] = ""
                    await self._setup(connection, message, "output_format", client_req_id=request)
                case "text":
                    texts[request] += message["text"]
                case "end_of_stream":
                    await self._spoken(connection, texts.pop(request), request)
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def _spoken(self, connection: ServerConnection, text: str, request: str) -> None:
        for number, character in enumerate(text):
            start_s = number * 0.08
            audio = b64encode(b"\x55" * AUDIO_PER_CHARACTER).decode()
            times: dict[str, Any] = {"start_s": start_s, "stop_s": start_s + 0.08, "client_req_id": request}
            await self._say(connection, type="audio", audio=audio, stream_id=0, **times, brings=True)
            if character != " ":
                await self._say(connection, type="text", text=character, **times)
            await asyncio.sleep(0)
        await self._say(connection, type="end_of_stream", client_req_id=request)

    async def _setup(
        self, connection: ServerConnection, message: dict[str, object], audio_format: str, **fields: Any
    ) -> None:
        self._check(message["type"] == "setup", f"a first message {message['type']}")
        self._check(message[audio_format] == "ulaw_8000", f"setup {message}")
        await self._say(connection, type="ready", request_id="r-1", sample_rate=24000, frame_size=1920, **fields)

    async def _say(self, connection: ServerConnection, *, brings: bool = False, **message: Any) -> None:
        await self.send(connection, json.dumps(message), brings=brings)

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)
