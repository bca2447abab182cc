"""A fake ElevenLabs: Scribe realtime and multi-context speech, on one port."""

import json
from base64 import b64decode, b64encode

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.sockets import Opened, SocketFake

KEY = "xi-secret-key"
AUDIO_PER_CHARACTER = 480
"""Bytes of μ-law: 60 ms."""
LEAST_TO_COMMIT_S = 0.3
MOST_CONTEXTS = 5


class ElevenLabsFake(SocketFake):
    """Recognises `heard` word by word as audio comes, and commits it when it is told to."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("xi-api-key") == KEY

    def refusal_body(self, status: int) -> bytes:
        name = {401: "invalid_api_key", 429: "too_many_concurrent_requests"}.get(status, "internal")
        return json.dumps({"detail": {"status": name, "message": "as you wish"}}).encode()

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        if opened.path == "/v1/speech-to-text/realtime":
            await self._scribe(opened, connection)
        elif opened.path.startswith("/v1/text-to-speech/") and opened.path.endswith("/multi-stream-input"):
            await self._speak(opened, connection)
        else:
            self.complaints.append(f"no such path: {opened.path}")

    # --- Scribe ------------------------------------------------------------------------------------------------

    async def _scribe(self, opened: Opened, connection: ServerConnection) -> None:
        self._check(opened.query.get("audio_format") == ["ulaw_8000"], f"query {opened.query}")
        self._check(opened.query.get("commit_strategy") in (["manual"], ["vad"]), f"query {opened.query}")
        await self._say(connection, message_type="session_started", session_id="s-1", config={})
        uncommitted_s, words = 0.0, 0
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            self._check(message["message_type"] == "input_audio_chunk", f"unknown message {message['message_type']}")
            self._check(message["sample_rate"] == 8000, "a wrong rate")
            size_s = len(b64decode(message["audio_base_64"])) / 8000
            self._check(size_s <= 1.0 and (message["commit"] or size_s >= 0.1), f"a message of {size_s} s")
            uncommitted_s += size_s
            if not message["commit"]:
                words += 1
                heard = " ".join(self.heard.split()[:words])
                await self._say(connection, message_type="partial_transcript", text=heard, brings=True)
            elif uncommitted_s < LEAST_TO_COMMIT_S:
                await self._say(connection, message_type="commit_throttled", error="only a little uncommitted audio")
            else:
                await self.commit(connection)
                uncommitted_s, words = 0.0, 0

    async def commit(self, connection: ServerConnection) -> None:
        """Make final what was said; the service's own voice detection does so too."""
        await self._say(connection, message_type="committed_transcript", text=self.heard, brings=True)

    # --- speech ------------------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        self._check(opened.query.get("output_format") == ["ulaw_8000"], f"query {opened.query}")
        texts: dict[str, str] = {}
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            if message.get("close_socket"):
                return
            context = message["context_id"]
            if message.get("close_context"):
                if texts.pop(context, None) is not None:
                    await self._say(connection, isFinal=True, contextId=context)
                continue
            if context not in texts:
                self._check(message["text"] == " ", "a context that does not open with a space")
                texts[context] = ""
                if len(texts) > MOST_CONTEXTS:
                    await self._say(connection, message="Too many", error="max_active_conversations", code=1008)
                    await connection.close(1008)
                    return
                continue
            self._check(message["text"].endswith(" "), "a text that does not end with a space")
            texts[context] += message["text"].strip()
            if message.get("flush"):
                for character in texts[context]:
                    await self._audio(connection, context, character)

    async def _audio(self, connection: ServerConnection, context: str, character: str) -> None:
        times = {"chars": [character], "charStartTimesMs": [0], "charDurationsMs": [60]}
        await self._say(
            connection,
            audio=b64encode(b"\x55" * AUDIO_PER_CHARACTER).decode(),
            isFinal=None,
            alignment=times,
            normalizedAlignment=times,
            contextId=context,
            brings=True,
        )

    async def _say(self, connection: ServerConnection, *, brings: bool = False, **message: object) -> None:
        await self.send(connection, json.dumps(message), brings=brings)

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)
