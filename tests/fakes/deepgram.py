"""A fake Deepgram: listen v1 and speak v1, on one port."""

import json

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.sockets import Opened, SocketFake

KEY = "dg-secret-key"
AUDIO_PER_CHARACTER = 480
"""Bytes of μ-law: 60 ms."""


class DeepgramFake(SocketFake):
    """Recognises `heard` word by word as audio comes, and ends the turn when it is told to finalize."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Token {KEY}"

    def refusal_body(self, status: int) -> bytes:
        code = {401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS"}.get(status, "INTERNAL")
        return json.dumps({"err_code": code, "err_msg": "as you wish", "request_id": "r-1"}).encode()

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        match opened.path:
            case "/v1/listen":
                await self._listen(opened, connection)
            case "/v1/speak":
                await self._speak(opened, connection)
            case _:
                self.complaints.append(f"no such path: {opened.path}")

    # --- listen ------------------------------------------------------------------------------------------------

    async def _listen(self, opened: Opened, connection: ServerConnection) -> None:
        expected = {"encoding": ["mulaw"], "sample_rate": ["8000"], "interim_results": ["true"]}
        self._check(expected.items() <= opened.query.items(), f"query {opened.query}")
        utterance = _Utterance()
        async for frame in self.frames(opened, connection):
            if isinstance(frame, bytes):
                self._check(len(frame) > 0, "an empty audio message, which closes the connection")
                utterance.stop_s += len(frame) / 8000
                utterance.words += 1
                heard = " ".join(self.heard.split()[: utterance.words])
                await self.send(connection, utterance.results(heard), brings=True)
                continue
            match json.loads(frame)["type"]:
                case "Finalize":
                    if utterance.words:
                        told = utterance.results(self.heard, is_final=True, speech_final=True, from_finalize=True)
                        await self.send(connection, told, brings=True)
                    utterance = _Utterance(utterance.stop_s, utterance.stop_s)
                case "KeepAlive":
                    pass
                case "CloseStream":
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def end_turn(self, connection: ServerConnection) -> None:
        """Say that the caller has finished."""
        await self.send(connection, json.dumps({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.0}))

    # --- speak -------------------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        self._check(opened.query.get("encoding") == ["mulaw"], f"query {opened.query}")
        text, flushed, cleared = "", 0, 0
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            match message["type"]:
                case "Speak":
                    self._check(0 < len(message["text"]) <= 2000, "a text of a wrong length")
                    text += message["text"]
                case "Flush":
                    for _ in text:
                        await self.send(connection, b"\x55" * AUDIO_PER_CHARACTER, brings=True)
                    await self.send(connection, json.dumps({"type": "Flushed", "sequence_id": flushed}))
                    text, flushed = "", flushed + 1
                case "Clear":
                    await self.send(connection, json.dumps({"type": "Cleared", "sequence_id": cleared}))
                    cleared += 1
                case "Close":
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)


class _Utterance:
    def __init__(self, start_s: float = 0.0, stop_s: float = 0.0) -> None:
        self.start_s = start_s
        self.stop_s = stop_s
        self.words = 0

    def results(self, transcript: str, **flags: bool) -> str:
        return json.dumps(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": self.start_s,
                "duration": self.stop_s - self.start_s,
                "is_final": False,
                "speech_final": False,
                "from_finalize": False,
                "channel": {"alternatives": [{"transcript": transcript, "confidence": 0.98, "words": []}]},
                "metadata": {"request_id": "r-1"},
            }
            | flags
        )
