"""gRPC calls as connections of a channel: one HTTP/2 connection to a server for all calls of the process."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import grpc
import grpc.aio

from providers.errors import Fault, ProviderException
from providers.voice.nvidia.frames import END
from providers.voice.nvidia.status import failure
from providers.voice.remote.channel import Connection
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service

RETELLING_LIMIT_S = 2.0
"""Longest a server may take to refuse us once more."""
_OPTIONS = (
    ("grpc.keepalive_time_ms", 20_000),  # more often than that, and a server may take it for abuse
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),  # the library's own two minutes are longer than a caller waits
    ("grpc.enable_http_proxy", 0),
)

_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, bool], grpc.aio.Channel]] = WeakKeyDictionary()


def shared_channel(target: str, is_tls: bool) -> grpc.aio.Channel:
    """This event loop's connection to a server, made when it is first asked for; `close_shared_channels` ends it."""
    channels = _shared.setdefault(asyncio.get_running_loop(), {})
    if (target, is_tls) not in channels:
        channels[target, is_tls] = (
            grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(), options=_OPTIONS)
            if is_tls
            else grpc.aio.insecure_channel(target, options=_OPTIONS)
        )
    return channels[target, is_tls]


async def close_shared_channels() -> None:
    """Close this event loop's connections; the next call makes others."""
    for channel in _shared.pop(asyncio.get_running_loop(), {}).values():
        await channel.close()


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a server, with messages streaming both ways. The metadata hold the key, so they are not shown.

    `setting` names the variable that holds the target; a call that has taken longer than `deadline_s` is ended.
    """

    target: str
    is_tls: bool
    path: str
    deadline_s: float
    setting: str
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def open(self, service: Service) -> Connection:
        """Connect to the server, unless that was done; the call itself begins with the first message of ours."""
        channel = shared_channel(self.target, self.is_tls)
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                raise service.error(Fault.UNAVAILABLE, "cannot be reached", setting=self.setting)
            await channel.wait_for_state_change(state)
        start = channel.stream_stream(self.path)
        return _Call(service, partial(start, metadata=tuple(self.metadata.items())), self.deadline_s)


class _Call:
    """One call of a method, over when both sides have ended."""

    def __init__(self, service: Service, start: Callable[..., Any], deadline_s: float) -> None:
        self._service = service
        self._start = start
        self._deadline_s = deadline_s
        self._call: Any = None  # grpc.aio.StreamStreamCall, which has no types
        self._begun = asyncio.Event()
        self._first: Frame = b""
        self._unwritten = False
        self._over = False

    @property
    def is_open(self) -> bool:
        return not self._over and (self._call is None or not self._call.done())

    async def send(self, frame: Frame) -> None:
        """Send a message; `END` ends our side. Cancelling ends the call."""
        if self._call is None:
            self._first = frame
            self._call = self._start(timeout=self._deadline_s)
            self._begun.set()
        try:
            await (self._call.done_writing() if frame == END else self._call.write(frame))
        except asyncio.InvalidStateError:  # it is over already
            raise await self._failure(self._call) from None
        except grpc.aio.AioRpcError as error:
            self._unwritten = error.code() is grpc.StatusCode.INTERNAL
            raise await (self._retold() if self._unwritten else self._failure(self._call)) from None

    async def receive(self) -> Frame:
        """The next message, in the end `END`, after which nothing comes. Cancelling ends the call."""
        await self._begun.wait()
        if not self._over:
            try:
                message: object = await self._call.read()
            except grpc.aio.AioRpcError:
                if not self._unwritten:
                    raise await self._failure(self._call) from None
            else:
                if isinstance(message, bytes):
                    return message
                self._over = True
                return END
        nothing: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        return await nothing  # if there was a failure, whoever sends is told

    async def close(self) -> None:
        if self._call is not None:
            self._call.cancel()

    async def _retold(self) -> ProviderException:
        """Why the server refuses us: the library forgets it if a message of ours is on its way at that moment.

        A second call, which ends after its first message, hears it again.
        """
        call = self._start(timeout=RETELLING_LIMIT_S)
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.write(self._first)
            await call.done_writing()
            while isinstance(await call.read(), bytes):
                pass
        return await self._failure(call)

    async def _failure(self, call: Any) -> ProviderException:
        """Why a call is over; what it ended with is known by now."""
        code: grpc.StatusCode = await call.code()
        headers = [*await call.initial_metadata(), *await call.trailing_metadata()]
        return failure(self._service, code.name, await call.details() or "", dict(headers))
