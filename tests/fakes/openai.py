"""A fake OpenAI: transcription of files and speech over HTTP, and transcription of live audio over a socket."""

import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.fake import Opened
from tests.fakes.requests import Reply, RequestFake
from tests.fakes.sockets import SocketFake

KEY = "sk-secret-key"
AUDIO_PER_CHARACTER = 2880
"""Bytes of PCM16 at 24 kHz: 60 ms."""
CHUNK_BYTES = 977
"""What the network makes of it: half samples, too."""
REQUEST_ID = {"x-request-id": "req_1"}


class OpenAIFake(RequestFake):
    """Recognises `heard` in every file, and speaks each character for 60 ms."""

    def allowed(self, asked: Opened) -> bool:
        return asked.headers.get("Authorization") == f"Bearer {KEY}"

    def refusal_body(self, status: int) -> bytes:
        code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
        return json.dumps({"error": {"message": "as you wish", "type": "t", "param": None, "code": code}}).encode()

    async def respond(self, asked: Opened, body: bytes) -> Reply:
        match (asked.method, asked.path):
            case ("GET", "/v1/models"):
                return Reply(b'{"object":"list","data":[]}')
            case ("POST", "/v1/audio/transcriptions"):
                self._check_upload(asked, body)
                return Reply(_transcript(self.heard), headers=REQUEST_ID, brings=True)
            case ("POST", "/v1/audio/speech"):
                wanted = json.loads(body)
                self.check(wanted.keys() == {"model", "voice", "input", "response_format"}, f"fields {wanted.keys()}")
                self.check(wanted["response_format"] == "pcm", "speech in another format")
                self.check(0 < len(wanted["input"]) <= 4096, "a text of a wrong length")
                return Reply(_speech(wanted["input"]), "audio/pcm", headers=REQUEST_ID, brings=True)
        self.complaints.append(f"no such request: {asked.method} {asked.path}")
        return Reply(b"{}", status=404)

    def _check_upload(self, asked: Opened, body: bytes) -> None:
        fields = _form(asked.headers["Content-Type"], body)
        self.check(fields.keys() == {"model", "language", "response_format", "file"}, f"fields {fields.keys()}")
        self.check((fields["file"].get_filename() or "").endswith(".wav"), "a file without an extension that tells")
        with wave.open(io.BytesIO(fields["file"].get_content())) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            self.check(form == (1, 2, 16000), f"a WAV of {form}")
            self.check(file.getnframes() >= 1600, "less than 0.1 s of audio")


class RealtimeFake(OpenAIFake, SocketFake):
    """Hears over a socket as well: a word with each message of audio, and `heard` once that is committed.

    That is how the models without turns do it; asked to find turns it tells where the caller began, and the rest when
    `end_turn` is called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.session = _Session()
        """That of the connection opened last."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {KEY}"

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        self.check((opened.path, opened.query) == ("/v1/realtime", {"intent": ["transcription"]}), f"{opened}")
        self.session, self._connection = _Session(), connection
        await self._tell(connection, "session.created", session={"type": "transcription", "id": "sess_1"})
        async for frame in self.frames(opened, connection):
            event = json.loads(frame)
            match event["type"]:
                case "session.update":
                    await self._update(connection, event["session"])
                case "input_audio_buffer.append":
                    await self._append(connection, base64.b64decode(event["audio"], validate=True))
                case "input_audio_buffer.commit":
                    await self._commit(connection)
                case other:
                    self.complaints.append(f"unknown event {other}")

    async def _update(self, connection: ServerConnection, session: dict[str, object]) -> None:
        audio = session["audio"]
        assert isinstance(audio, dict)
        heard = audio["input"]
        live = any(word in heard["transcription"]["model"] for word in ("live", "realtime"))
        self.check(session["type"] == "transcription", "a session of another type")
        self.check(heard["format"] == {"type": "audio/pcmu"}, "another format of audio")
        self.check(not (live and heard["turn_detection"]), "a live model does not find turns")
        self.session.finds_turns = bool(heard["turn_detection"])
        self.session.is_ready = True
        await self._tell(connection, "session.updated", session=session)

    async def _append(self, connection: ServerConnection, audio: bytes) -> None:
        session = self.session
        self.check(session.is_ready, "audio before the session is set up, taken as PCM at 24 kHz")
        self.check(len(audio) > 0, "an append without audio")
        session.audio += audio
        if session.finds_turns:
            if session.uncommitted == len(audio):
                await self._tell(
                    connection,
                    "input_audio_buffer.speech_started",
                    item_id=session.item_id,
                    audio_start_ms=(len(session.audio) - len(audio)) // 8,
                )
            return
        words = self.heard.split()
        if session.told < len(words):
            delta = " " * bool(session.told) + words[session.told]
            session.told += 1
            await self._transcribe(connection, "delta", delta=delta)

    async def expire(self) -> None:
        """End the session, as happens after an hour at the latest."""
        problem = {"type": "invalid_request_error", "code": "session_expired", "message": "no"}
        await self._tell(self._connection, "error", error=problem)
        await self._connection.close(1001)

    async def end_turn(self) -> None:
        """Say that the caller has finished, and what was said."""
        connection = self._connection
        stop_ms = len(self.session.audio) // 8
        stopped = "input_audio_buffer.speech_stopped"
        await self._tell(connection, stopped, item_id=self.session.item_id, audio_end_ms=stop_ms)
        await self._commit(connection)

    async def _commit(self, connection: ServerConnection) -> None:
        session = self.session
        if session.uncommitted < 800:
            problem = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "no"}
            await self._tell(connection, "error", error=problem)
            return
        session.committed = len(session.audio)
        await self._tell(connection, "input_audio_buffer.committed", item_id=session.item_id, previous_item_id=None)
        await self._tell(connection, "conversation.item.added", item={"id": session.item_id})
        if session.finds_turns:
            await self._transcribe(connection, "delta", delta=self.heard)
        await self._transcribe(connection, "completed", transcript=self.heard, usage={"type": "tokens"})
        session.items, session.told = session.items + 1, 0

    async def _transcribe(self, connection: ServerConnection, what: str, **fields: object) -> None:
        event = {"type": f"conversation.item.input_audio_transcription.{what}", "item_id": self.session.item_id}
        await self.send(connection, json.dumps(event | {"content_index": 0} | fields), brings=True)

    async def _tell(self, connection: ServerConnection, type_: str, **fields: object) -> None:
        await self.send(connection, json.dumps({"type": type_, "event_id": "event_1"} | fields))


class _Session:
    """The state of one connection."""

    def __init__(self) -> None:
        self.is_ready = False
        self.finds_turns = False
        self.audio = bytearray()
        self.committed = 0
        self.items = 1
        self.told = 0

    @property
    def item_id(self) -> str:
        return f"item_{self.items}"

    @property
    def uncommitted(self) -> int:
        return len(self.audio) - self.committed


def _transcript(text: str) -> bytes:
    return json.dumps({"text": text, "usage": {"type": "duration", "seconds": 1}}).encode()


async def _speech(text: str) -> AsyncIterator[bytes]:
    audio = b"\x00\x10" * (AUDIO_PER_CHARACTER // 2 * len(text))
    for start in range(0, len(audio), CHUNK_BYTES):
        yield audio[start : start + CHUNK_BYTES]


def _form(content_type: str, body: bytes) -> dict[str, MIMEPart]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(head + body)
    return {str(part.get_param("name", header="content-disposition")): part for part in message.iter_parts()}
