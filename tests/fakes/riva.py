"""A fake Riva behind a fake NVCF: streaming recognition and synthesis over gRPC, on one port of loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from tests.fakes.protobuf import fields, message
from tests.fakes.trouble import RETRY_AFTER_S, Trouble

KEY = "nvapi-secret-key"
STT_FUNCTION = "11111111-aaaa-4bbb-8ccc-000000000001"
TTS_FUNCTION = "11111111-aaaa-4bbb-8ccc-000000000002"
REQUEST_ID = "r-1"
AUDIO_PER_CHARACTER = 960
"""Bytes of PCM at 8 kHz: 60 ms."""
LINEAR_PCM = 1

_RETRY_INFO = message(_1="type.googleapis.com/google.rpc.RetryInfo", _2=message(_1=message(_1=RETRY_AFTER_S)))
_REFUSALS: dict[Trouble, tuple[grpc.StatusCode, bytes]] = {
    Trouble.REFUSES_KEY: (grpc.StatusCode.UNAUTHENTICATED, b""),
    Trouble.RATE_LIMITED: (grpc.StatusCode.RESOURCE_EXHAUSTED, b""),
    Trouble.RATE_LIMITED_UNTIL: (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        message(_1=8, _2="too many requests", _3=[_RETRY_INFO]),
    ),
    Trouble.UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, b""),
}
_WRONG_TYPES = {"StreamingRecognize": message(_1="seventeen"), "SynthesizeOnline": message(_1=17)}
"""Text instead of a message, a number instead of audio."""


@dataclass(slots=True)
class Called:
    """One call: its method and metadata, and the messages that came over it, in order."""

    method: str
    metadata: dict[str, Any]
    frames: list[bytes] = field(default_factory=list)
    is_open: bool = True

    @property
    def audio(self) -> bytes:
        """All that was sent to be recognised, joined."""
        return b"".join(bytes_of(frame, 2) for frame in self.frames)


class RivaFake:
    """Recognises `heard` word by word as audio comes, and synthesises 60 ms a character.

    With `tells_finals=False` it never calls a result final, as some hosted models do. A fault of what it is sent goes
    to `complaints`, which a test asserts to be empty; `trouble` counts for the messages that come after it was set.
    """

    heard = "I would like a table for two."

    def __init__(self, *, port: int = 0, tells_finals: bool = True) -> None:
        self.trouble = Trouble.NONE
        self.port = port
        self.tells_finals = tells_finals
        self.drops_idle_calls = False
        """The next message of a call finds that the model has let go of it; once."""
        self.connections: list[Called] = []
        self.complaints: list[str] = []
        self.release = asyncio.Event()
        """A `SLOW` fake answers once this is set."""
        self._changed = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Calls, for the connection below them outlives them."""
        return sum(call.is_open for call in self.connections)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what the fake has seen."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server()
        services = {
            "nvidia.riva.asr.RivaSpeechRecognition": {"StreamingRecognize": self._recognise},
            "nvidia.riva.tts.RivaSpeechSynthesis": {"SynthesizeOnline": self._synthesise},
        }
        self._server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    service,
                    {
                        name: grpc.stream_stream_rpc_method_handler(self._served(f"/{service}/{name}", method))
                        for name, method in methods.items()
                    },
                )
                for service, methods in services.items()
            ]
        )
        self.port = self._server.add_insecure_port(self.target)
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop(grace_s=5.0)

    async def stop(self, grace_s: float | None = None) -> None:
        """Stop serving, and break the calls that are not over by then."""
        assert self._server is not None
        await self._server.stop(grace_s)

    def _served(
        self, path: str, method: Callable[[Called, AsyncIterator[bytes], Any], AsyncIterator[bytes]]
    ) -> Callable[[AsyncIterator[bytes], Any], AsyncIterator[bytes]]:
        """The method with what all of them have in common: the gateway's checks, notes, and troubles."""

        async def serve(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            called = Called(path, dict(context.invocation_metadata()))
            self.connections.append(called)
            try:
                await self._admit(called, context)
                async for answer in method(called, self._noted(called, requests), context):
                    if self.trouble is Trouble.STALL:
                        await asyncio.Event().wait()
                    yield await self._troubled(called, answer, context)
            finally:
                called.is_open = False
                self._changed.set()

        return serve

    async def _noted(self, called: Called, requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for request in requests:
            called.frames.append(request)
            self._changed.set()
            yield request

    async def _admit(self, called: Called, context: Any) -> None:
        context.set_trailing_metadata((("nvcf-reqid", REQUEST_ID),))
        if self.trouble in _REFUSALS:
            code, details = _REFUSALS[self.trouble]
            trailers = (("grpc-status-details-bin", details),) if details else ()
            await context.abort(code, "as you wish", (("nvcf-reqid", REQUEST_ID), *trailers))
        if called.metadata.get("authorization") != f"Bearer {KEY}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such key")
        function = STT_FUNCTION if "StreamingRecognize" in called.method else TTS_FUNCTION
        if called.metadata.get("function-id") != function:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such function")

    async def _troubled(self, called: Called, answer: bytes, context: Any) -> bytes:
        match self.trouble:
            case Trouble.SLOW:
                await self.release.wait()
            case Trouble.DROP:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            case Trouble.MALFORMED:
                return b"{no protobuf"
            case Trouble.WRONG_TYPE:
                return _WRONG_TYPES[called.method.rpartition("/")[2]]
        return answer

    # --- recognition -------------------------------------------------------------------------------------------

    async def _recognise(self, called: Called, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        self._check_config(fields(await anext(requests)))
        sizes: list[int] = []
        async for request in requests:
            if self.drops_idle_calls:
                self.drops_idle_calls = False
                details = "inference request for sequence 17 must specify the START flag on the first request"
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, details)
            found = fields(request)
            self._check(set(found) == {2}, f"after the configuration, fields {set(found)}")
            sizes.append(len(bytes_of(request, 2)))
            self._check(0 < sizes[-1] <= 2560 and not sizes[-1] % 2, f"a message of {sizes[-1]} bytes")
            words = self.heard.split()[: len(sizes)]
            yield message(_1=_guess(" ".join(words[:-1]), " " + words[-1], sum(sizes) / 16000))
        self._check(all(size >= 1280 for size in sizes[:-1]), "a message of less than 80 ms in the middle")
        if self.tells_finals:
            yield message(_1=_result(self.heard + " ", sum(sizes) / 16000, is_final=True))
        else:
            yield message(_1=_guess(self.heard, "", sum(sizes) / 16000))

    def _check_config(self, first: dict[int, Any]) -> None:
        self._check(set(first) == {1}, f"a first message of fields {set(first)}")
        streaming: dict[int, Any] = fields(first[1][0])
        config = fields(streaming[1][0])
        self._check(streaming.get(2) == [1], "no interim results asked for")
        self._check(config.get(1) == [LINEAR_PCM] and config.get(2) == [8000], f"configuration {config}")
        self._check(config.get(3) == [b"en-US"] and config.get(7) == [1], f"configuration {config}")

    # --- synthesis ---------------------------------------------------------------------------------------------

    async def _synthesise(self, called: Called, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        at_ms = 0
        async for request in requests:
            found = fields(request)
            text = bytes_of(request, 1).decode()
            self._check(0 < len(text) <= 200, "a text of a wrong length")
            self._check(found.get(3) == [LINEAR_PCM] and found.get(4) == [8000], "another audio format")
            self._check(found.get(2) == [b"en-US"] and bool(found.get(5)), "no language or no voice")
            for word in text.split():
                timing = message(_1=word, _2=at_ms, _3=at_ms + 60 * len(word))
                at_ms += 60 * len(word)
                yield message(_1=b"\x00\x10" * (AUDIO_PER_CHARACTER // 2 * len(word)), _2=message(_9=[timing]))

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.complaints.append(complaint)


def bytes_of(request: bytes, number: int) -> bytes:
    """The bytes of one field, empty if it is not there."""
    value = fields(request).get(number, [b""])[0]
    assert isinstance(value, bytes)
    return value


def _result(text: str, processed_s: float, *, is_final: bool = False, stability: float = 0.0) -> bytes:
    return message(_1=message(_1=text, _2=0.9), _2=is_final, _3=stability, _5=1, _6=processed_s)


def _guess(stable: str, tail: str, processed_s: float) -> list[bytes]:
    """A beginning that will stay and a tail that may not, as two results."""
    return [_result(stable, processed_s, stability=0.9), _result(tail, processed_s, stability=0.1)]
