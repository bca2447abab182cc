"""The plainest vendor there can be: a wire format of words, and a server whose conversation a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from providers.errors import Fault
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult, VADInfo, WordTiming
from tests.fakes.sockets import Opened, SocketFake

HEARING = Service(provider="plain", operation="stt", setting="PLAIN_API_KEY", code_faults={"no-money": Fault.QUOTA})
SPEAKING = Service(provider="plain", operation="tts", setting="PLAIN_API_KEY")
BYTES_PER_S = 8000


class PlainEars:
    """Messages: `ready`, `interim START STOP TEXT`, `final START STOP TEXT`, `done`, `fail CODE`."""

    vad: VADInfo | None = None

    def __init__(self, *, waits: bool = False) -> None:
        self.is_ready = not waits
        self.is_finished = False
        self._sent = 0

    @property
    def audio_s(self) -> float:
        return self._sent / BYTES_PER_S

    def opening(self) -> list[Frame]:
        return ["hello"]

    def begin(self) -> None:
        self.is_finished = False

    def audio(self, chunk: bytes) -> list[Frame]:
        self._sent += len(chunk)
        return [chunk]

    def finish(self) -> list[Frame]:
        return ["finish"]

    def keep_alive(self) -> list[Frame]:
        return ["here"]

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        match str(frame).split(" ", 3):
            case ["ready"]:
                self.is_ready = True
            case ["done"]:
                self.is_finished = True
            case ["fail", code]:
                raise HEARING.failed(code)
            case [("interim" | "final") as kind, start, stop, text]:
                return [TranscriptionResult(text, float(start), float(stop), kind == "final")]
            case _:
                raise HEARING.garbled("no such word")
        return []


class PlainVoice:
    """Audio is binary and ends with `done`. `drops`: whether a text can be dropped without closing."""

    is_ready = True
    timings: Sequence[WordTiming] = (WordTiming("yes", 0.0, 0.1),)

    def __init__(self, *, drops: bool = True) -> None:
        self.is_finished = True
        self._drops = drops

    def opening(self) -> list[Frame]:
        return []

    def keep_alive(self) -> list[Frame]:
        return []

    def speak(self, text: str) -> list[Frame]:
        self.is_finished = False
        return [f"speak {text}"]

    def drop(self) -> list[Frame] | None:
        self.is_finished = True
        return ["drop"] if self._drops else None

    def receive(self, frame: Frame) -> list[bytes]:
        if isinstance(frame, bytes):
            return [] if self.is_finished else [frame]
        self.is_finished = True
        return []


type Conversation = Callable[["PlainServer", Opened, ServerConnection], Awaitable[None]]


class PlainServer(SocketFake):
    """Serves each connection with the next of the conversations, and the last one again and again."""

    def __init__(self, *conversations: Conversation, refusal: Response | None = None) -> None:
        super().__init__()
        self._conversations = list(conversations) or [listen]
        self._refusal = refusal

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        talk = self._conversations[min(len(self.connections), len(self._conversations)) - 1]
        await talk(self, opened, connection)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        return self._refusal or super()._answer(connection, request)


async def listen(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    """Take what comes."""
    async for _ in server.frames(opened, connection):
        pass


async def until(frames: AsyncIterator[str | bytes], wanted: str) -> None:
    """Read up to this message."""
    async for frame in frames:
        if frame == wanted:
            return


def ears(server: PlainServer, *, waits: bool = False, **options: float | bool) -> Channel[PlainEars]:
    return Channel(HEARING, lambda: Address(server.url), lambda: PlainEars(waits=waits), **options)  # type: ignore[arg-type]


def voice(server: PlainServer, *, drops: bool = True) -> Channel[PlainVoice]:
    return Channel(SPEAKING, lambda: Address(server.url), lambda: PlainVoice(drops=drops))
