"""A fake Deepgram: listen v1 and v2, speak v1 and v2, on one port."""

import json
from collections.abc import Mapping

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from tests.fakes.idle import IdleWatch
from tests.fakes.sockets import Opened, SocketFake
from tests.fakes.trouble import Trouble

KEY = "dg-secret-key"
AUDIO_PER_CHARACTER = 480
"""Bytes of μ-law: 60 ms."""
LONGEST_TEXT = 2000


class DeepgramFake(SocketFake):
    """Recognises `heard` word by word as audio comes, and ends the turn when it is told to.

    `answers_finalize`: whether Nova answers `Finalize`, as it need not do. `idle` is its watchdog on listening.
    """

    answers_finalize = True

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        super().__init__(trouble)
        self.idle = IdleWatch(10.0, 1011, "NET-0001")
        self.listening: list[ServerConnection] = []
        """The sockets that hear, newest last."""

    def authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Token {KEY}"

    def refusal_body(self, status: int) -> bytes:
        code = {401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS"}.get(status, "INTERNAL")
        return json.dumps({"err_code": code, "err_msg": "as you wish", "request_id": "r-1"}).encode()

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        self._expect(opened, encoding="mulaw", sample_rate="8000")
        match opened.path:
            case "/v1/listen":
                self._expect(opened, interim_results="true")
                await self._listen(opened, connection)
            case "/v2/listen":
                self._check(opened.query["model"][0].startswith("flux-"), "a model that v2 does not know")
                self._check("interim_results" not in opened.query, "a parameter that v2 does not know")
                await self._listen_to_turns(opened, connection)
            case "/v1/speak":
                await self._speak(opened, connection)
            case "/v2/speak":
                await self._speak_in_turns(opened, connection)
            case _:
                self.complaints.append(f"no such path: {opened.path}")

    # --- listen v1 ---------------------------------------------------------------------------------------------

    async def _listen(self, opened: Opened, connection: ServerConnection) -> None:
        self.listening.append(connection)
        self.idle.heard(connection)
        utterance = _Utterance()
        async for frame in self.frames(opened, connection):
            self.idle.heard(connection)
            if isinstance(frame, bytes):
                self._check(len(frame) > 0, "an empty audio message, which closes the connection")
                utterance.hear(frame)
                await self.send(connection, utterance.results(utterance.words_of(self.heard)), brings=True)
                continue
            match json.loads(frame)["type"]:
                case "Finalize":
                    if utterance.messages and self.answers_finalize:
                        told = utterance.results(self.heard, is_final=True, speech_final=True, from_finalize=True)
                        await self.send(connection, told, brings=True)
                    utterance = _Utterance(utterance.stop_s, utterance.stop_s)
                case "KeepAlive":
                    pass
                case "CloseStream":
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    async def tell(self, message: Mapping[str, object]) -> None:
        """Send this over the newest socket that hears."""
        await self.listening[-1].send(json.dumps(message))

    # --- listen v2 ---------------------------------------------------------------------------------------------

    async def _listen_to_turns(self, opened: Opened, connection: ServerConnection) -> None:
        self.listening.append(connection)
        turn = _FluxTurn()
        await self.send(connection, turn.message({"type": "Connected"}))
        async for frame in self.frames(opened, connection):
            if isinstance(frame, bytes):
                self._check(len(frame) > 0, "an empty audio message")
                is_first = not turn.messages
                turn.hear(frame)
                if turn.words_of(self.heard):
                    event = "StartOfTurn" if is_first else "Update"
                    await self.send(connection, turn.info(event, turn.words_of(self.heard)), brings=True)
                elif turn.heard_messages % 3 == 0:
                    await self.send(connection, turn.info("Update", ""))
                continue
            match json.loads(frame)["type"]:
                case "ForceEndTurn":
                    if turn.messages:  # otherwise it is ignored
                        await self.send(connection, turn.info("EndOfTurn", self.heard, "manual"), brings=True)
                        turn.end()
                case "CloseStream":
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    # --- speak -------------------------------------------------------------------------------------------------

    async def _speak(self, opened: Opened, connection: ServerConnection) -> None:
        text, flushed, cleared = "", 0, 0
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            match message["type"]:
                case "Speak":
                    self._check(0 < len(message["text"]) <= LONGEST_TEXT, "a text of a wrong length")
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

    async def _speak_in_turns(self, opened: Opened, connection: ServerConnection) -> None:
        text, number = "", 0
        await self.send(connection, json.dumps({"type": "Connected", "request_id": "r-1", "model_name": "flux"}))
        async for frame in self.frames(opened, connection):
            message = json.loads(frame)
            match message["type"]:
                case "Speak":
                    text += message["text"]
                case "Flush":
                    number += 1
                    speech = {"speech_id": f"dg_sp_{number:012x}"}
                    await self.send(connection, json.dumps({"type": "SpeechStarted", **speech}))
                    for _ in text:
                        await self.send(connection, b"\x55" * AUDIO_PER_CHARACTER, brings=True)
                    await self.send(connection, json.dumps({"type": "SpeechMetadata", **speech}))
                    text = ""
                case "Interrupt":
                    # This fake makes all audio at once, so that nothing is left to interrupt.
                    await self.send(connection, json.dumps({"type": "Warning", "code": "NO_ACTIVE_SPEECH"}))
                case "Close":
                    return
                case other:
                    self.complaints.append(f"unknown message {other}")

    def _expect(self, opened: Opened, **query: str) -> None:
        for name, value in query.items():
            self._check(opened.query.get(name) == [value], f"{name} is {opened.query.get(name)}")

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)


class _Utterance:
    """What listen v1 has heard since it was last told to finalize: a word a message."""

    def __init__(self, start_s: float = 0.0, stop_s: float = 0.0) -> None:
        self.start_s = start_s
        self.stop_s = stop_s
        self.messages = 0

    def hear(self, audio: bytes) -> None:
        self.stop_s += len(audio) / 8000
        self.messages += 1

    def words_of(self, heard: str) -> str:
        return " ".join(heard.split()[: self.messages])

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


class _FluxTurn:
    """Where listen v2 is: a turn has the words of its messages that are not silence."""

    def __init__(self) -> None:
        self.messages = 0
        self.heard_messages = 0
        self._index = 0
        self._heard_s = 0.0
        self._sequence_id = -1

    def hear(self, audio: bytes) -> None:
        self._heard_s += len(audio) / 8000
        self.heard_messages += 1
        self.messages += audio.count(0xFF) < len(audio)

    def words_of(self, heard: str) -> str:
        return " ".join(heard.split()[: self.messages])

    def end(self) -> None:
        self.messages = 0
        self._index += 1

    def info(self, event: str, transcript: str, trigger: str | None = None) -> str:
        words = [{"word": word, "confidence": 0.9} for word in transcript.split()]
        return self.message(
            {
                "type": "TurnInfo",
                "event": event,
                "turn_index": self._index,
                "audio_window_start": 0.0,
                "audio_window_end": self._heard_s,
                "transcript": transcript,
                "words": words,
                "end_of_turn_confidence": 0.1,
                "trigger": trigger,
            }
        )

    def message(self, fields: Mapping[str, object]) -> str:
        self._sequence_id += 1
        return json.dumps({"request_id": "r-1", "sequence_id": self._sequence_id, **fields})
