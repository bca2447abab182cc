"""A fake AssemblyAI: streaming v3 and streaming speech, on one port."""

import asyncio
import json
from base64 import b64encode

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.sockets import Opened, SocketFake
from tests.fakes.trouble import RETRY_AFTER_S, Trouble

KEY = "aai-secret-key"
AUDIO_PER_CHARACTER = 480
"""Bytes of μ-law: 60 ms."""
PACE = 20.0
"""This fake's real time passes faster, for the tests' sake."""
TOLERANCE_S = 1.0
"""Audio that may be ahead of real time: one message of the longest."""

REFUSALS: dict[Trouble, dict[str, object]] = {
    Trouble.REFUSES_KEY: {"error_code": 1008, "error_type": "unauthorized", "retryable": False},
    Trouble.RATE_LIMITED: {"error_code": 1008, "error_type": "rate_limited", "retryable": True},
    Trouble.RATE_LIMITED_UNTIL: {
        "error_code": 1008,
        "error_type": "rate_limited",
        "retryable": True,
        "retry_after_seconds": RETRY_AFTER_S,
    },
    Trouble.UNAVAILABLE: {"error_code": 1011, "error_type": "at_capacity", "retryable": True},
}
"""What a speaking session says, once it is open, to what it does not want."""


class AssemblyAIFake(SocketFake):
    """Recognises `heard` word by word as audio comes, and ends the turn when it is forced to, twice."""

    is_silent = False
    """Whether there is nothing to hear."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization") == KEY

    def refuses_upgrade(self, request: Request) -> bool:
        return request.path.startswith("/v3/ws") and self.trouble is not Trouble.REFUSES_KEY

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        match opened.path:
            case "/v3/ws" if self.trouble is Trouble.REFUSES_KEY:
                await connection.close(1008, "Unauthorized Connection")
            case "/v3/ws":
                await self._listen(opened, connection)
            case "/v1/ws" if refusal := REFUSALS.get(self.trouble):
                await connection.send(json.dumps({"type": "Error", "error": "as you wish", **refusal}))
                await connection.close(int(str(refusal["error_code"])))
            case "/v1/ws":
                await self._speak(opened, connection)
            case _:
                self.complaints.append(f"no such path: {opened.path}")

    # --- listen ------------------------------------------------------------------------------------------------

    async def _listen(self, opened: Opened, connection: ServerConnection) -> None:
        expected = {"encoding": ["pcm_mulaw"], "sample_rate": ["8000"]}
        self._check(expected.items() <= opened.query.items(), f"query {opened.query}")
        await self._say(connection, type="Begin", id="s-1", expires_at=1_800_000_000)
        clock = asyncio.get_running_loop().time
        opened_at, total_s, order, words, origin_s = clock(), 0.0, 0, 0, 0.0
        async for frame in self.frames(opened, connection):
            if isinstance(frame, bytes):
                size_s = len(frame) / 8000
                total_s += size_s
                is_welcome = 0.05 <= size_s <= 1.0 and total_s <= PACE * (clock() - opened_at) + TOLERANCE_S
                self._check(is_welcome, f"{size_s} s of audio at once, {total_s} s in all")
                words = min(words + 1, len(self.heard.split())) if not self.is_silent else 0
                if words:
                    await self.turn(connection, order, words, origin_s)
                continue
            match json.loads(frame)["type"]:
                case "ForceEndpoint" if words:
                    await self.end_turn(connection, order, origin_s)
                    order, words, origin_s = order + 1, 0, total_s
                case "ForceEndpoint":
                    await self._heartbeat(connection, total_s)
                case "Terminate":
                    await self._say(connection, type="Termination", audio_duration_seconds=round(total_s))
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def turn(self, connection: ServerConnection, order: int, count: int, origin_s: float) -> None:
        """Tell so many words; the newest may still change, and is not in the transcript."""
        words = self.heard.split()[:count]
        await self._turn(connection, order, words, " ".join(words[:-1]), origin_s)

    async def end_turn(self, connection: ServerConnection, order: int, origin_s: float) -> None:
        """Say that the caller has finished, and say it again with the text formatted."""
        words = self.heard.split()
        await self._turn(connection, order, words, self.heard, origin_s, end_of_turn=True)
        formatted = {"end_of_turn": True, "turn_is_formatted": True}
        await self._turn(connection, order, self.heard.title().split(), self.heard.title(), origin_s, **formatted)

    async def _turn(
        self,
        connection: ServerConnection,
        order: int,
        words: list[str],
        transcript: str,
        origin_s: float,
        **flags: bool,
    ) -> None:
        start_ms = round(origin_s * 1000)
        message = {
            "type": "Turn",
            "turn_order": order,
            "turn_is_formatted": False,
            "end_of_turn": False,
            "transcript": transcript,
            "end_of_turn_confidence": 0.5,
            "words": [
                {
                    "start": start_ms + 20 * number,
                    "end": start_ms + 20 * number + 20,
                    "text": word,
                    "confidence": 0.9,
                    "word_is_final": number < len(words) - 1,
                }
                for number, word in enumerate(words)
            ],
        }
        await self._say(connection, brings=True, **message | flags)

    async def _heartbeat(self, connection: ServerConnection, total_s: float) -> None:
        await self._say(
            connection,
            type="Heartbeat",
            total_audio_received_ms=round(total_s * 1000),
            total_duration_ms=round(total_s * 1000),
            realtime_factor=1.0,
            max_speech_probability=0.1,
        )

    # --- speak -------------------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        expected = {"encoding": ["pcm_mulaw"], "sample_rate": ["8000"]}
        self._check(expected.items() <= opened.query.items(), f"query {opened.query}")
        await self._say(connection, type="Begin", id="s-2", expires_at=1_800_000_000, configuration={})
        text, request = "", 0
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            match message["type"]:
                case "Generate":
                    self._check(0 < len(message["text"]) <= 2000, "a text of a wrong length")
                    text += message["text"]
                case "Flush":
                    for _ in text:
                        audio = b64encode(b"\x55" * AUDIO_PER_CHARACTER).decode()
                        await self._say(connection, type="Audio", flush_id=request, audio=audio, brings=True)
                    await self._say(connection, type="FlushDone", flush_id=request, audio_duration_ms=60 * len(text))
                    text, request = "", request + 1
                case "Cancel":
                    await self._say(connection, type="Cancelled", audio_duration_seconds=0.1)
                    text, request = "", request + 1
                case "KeepAlive":
                    pass
                case "Terminate":
                    await self._say(connection, type="Termination", session_duration_seconds=1)
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def _say(self, connection: ServerConnection, *, brings: bool = False, **message: object) -> None:
        await self.send(connection, json.dumps(message), brings=brings)

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)
