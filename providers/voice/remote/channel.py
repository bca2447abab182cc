"""A connection to a service that outlives what is asked of it: opened once, kept alive, opened again when it broke."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from providers.errors import Fault, ProviderException
from providers.voice.remote.pace import Pace
from providers.voice.remote.sansio import Frame, Wire
from providers.voice.remote.service import Service

logger = logging.getLogger(__name__)

OPEN_LIMIT_S = 4.0
"""Longest an upgrade may take, what the service says first included."""
CLOSE_LIMIT_S = 1.0
SEND_LIMIT_S = 5.0
LARGEST_MESSAGE = 16 * 1024 * 1024
"""One message of synthesised speech in base64 can pass the library's own limit of 1 MiB."""


class Connection(Protocol):
    """What messages go over, in order. Sending and receiving raise `ProviderException`, whatever fails."""

    @property
    def is_open(self) -> bool:
        """Whether more can be asked of it, as far as is known."""

    async def send(self, frame: Frame) -> None:
        """Send a message, however long that takes."""

    async def receive(self) -> Frame:
        """The next message, however long that takes; cancelling loses none, or ends the connection."""

    async def close(self) -> None:
        """Close it, whatever state it is in; takes no longer than `CLOSE_LIMIT_S`."""


class Endpoint(Protocol):
    """Where a service is to be found."""

    async def open(self, service: Service) -> Connection:
        """Open a connection, however long that takes; raises `ProviderException`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a WebSocket is opened. The headers hold the key, so they are not shown."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    farewell: Sequence[Frame] = ()
    """What the service wants to be told when a connection is let go."""

    async def open(self, service: Service) -> Connection:
        """Open the socket."""
        try:
            socket = await connect(
                self.url,
                additional_headers=self.headers,
                compression=None,
                max_size=LARGEST_MESSAGE,
                open_timeout=None,  # limited by the channel, with all that comes after it
                close_timeout=CLOSE_LIMIT_S,
                proxy=None,
            )
        except InvalidStatus as error:
            answer = error.response
            body = bytes(answer.body or b"")
            raise service.refused(answer.status_code, answer.headers, body, time.time()) from None
        except InvalidURI:
            raise service.error(Fault.BAD_REQUEST, "the address is no ws:// or wss:// URL") from None
        except InvalidHandshake as error:
            raise service.garbled(f"no WebSocket handshake ({type(error).__name__})") from None
        except OSError as error:
            raise service.error(Fault.UNAVAILABLE, f"cannot be reached ({type(error).__name__})") from None
        return _Socket(service, socket, self.farewell)


class _Socket:
    """An open WebSocket."""

    def __init__(self, service: Service, socket: ClientConnection, farewell: Sequence[Frame]) -> None:
        self._service = service
        self._socket = socket
        self._farewell = farewell

    @property
    def is_open(self) -> bool:
        return self._socket.close_code is None

    async def send(self, frame: Frame) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise self._closed(error) from None

    async def receive(self) -> Frame:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise self._closed(error) from None

    async def close(self) -> None:
        """Say goodbye if the other side listens, and close in any case."""
        draining = asyncio.create_task(self._drain(), name="engine socket")
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                with suppress(ConnectionClosed):
                    for frame in self._farewell:
                        await self._socket.send(frame)
                await self._socket.close()
        except (TimeoutError, OSError):
            self._socket.transport.abort()
        finally:
            await asyncio.wait([draining])

    async def _drain(self) -> None:
        """Throw away what still comes: behind a full queue the service's own goodbye would not be read."""
        with suppress(ConnectionClosed):
            while True:
                await self._socket.recv()

    def _closed(self, error: ConnectionClosed) -> ProviderException:
        return self._service.closed(error.rcvd.code if error.rcvd is not None else 1006)


class Channel[W: Wire]:
    """One call's connection to one service, and the wire format on it.

    `keep_alive_s`: after so long without a message of ours the service is told that we are still there; `max_age_s`:
    the service ends connections that are older, so an older one is not used again; `closes_when_done`: the service may
    tell that an utterance is done by closing; `pace`: how fast it takes audio, as fast as it comes if not given.
    Belongs to one event loop, and to one user at a time. Whatever fails raises `ProviderException`.
    """

    def __init__(
        self,
        service: Service,
        address: Callable[[], Endpoint],
        wire: Callable[[], W],
        *,
        keep_alive_s: float | None = None,
        max_age_s: float = 3000.0,
        closes_when_done: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.service = service
        self.closes_when_done = closes_when_done
        self._address = address
        self._make_wire = wire
        self._keep_alive_s = keep_alive_s
        self._max_age_s = max_age_s
        self._pace = pace
        self._connection: Connection | None = None
        self._wire: W | None = None
        self._opened_at = 0.0
        self._sent_at = 0.0
        self._keeping: asyncio.Task[None] | None = None
        self._posted: list[Frame] = []
        self._opening = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None
        self._aside: set[asyncio.Task[None]] = set()

    @property
    def wire(self) -> W | None:
        """The wire format's state on the open connection."""
        return self._wire

    async def open(self) -> W:
        """Open the connection, unless it is; cancelling leaves it closed."""
        async with self._opening:
            return await self._open()

    async def _open(self) -> W:
        clock = asyncio.get_running_loop().time
        if self._connection is not None and self._wire is not None:
            if self._connection.is_open and clock() - self._opened_at < self._max_age_s:
                return self._wire
            self.abandon()
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                self._wire = await self._opened()
        except TimeoutError:
            self.abandon()
            raise self.service.silent(OPEN_LIMIT_S) from None
        except BaseException:
            self.abandon()
            raise
        self._opened_at = self._sent_at = clock()
        if self._keep_alive_s is not None:
            self._keeping = asyncio.create_task(self._keep_alive(self._keep_alive_s), name="keep alive")
        return self._wire

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send these messages, in order."""
        connection = self._connection
        if connection is None:
            raise self.service.closed(1006)
        frames, self._posted = [*self._posted, *frames], []
        if not frames:
            return
        self._sent_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                for frame in frames:
                    await connection.send(frame)
        except TimeoutError:
            raise self.service.silent(SEND_LIMIT_S) from None

    async def keep_pace(self, audio_s: float) -> None:
        """Wait until the service takes so much more audio; cancelling counts it as sent."""
        if self._pace is not None:
            await asyncio.sleep(self._pace.wait_s(audio_s, asyncio.get_running_loop().time()))

    async def receive(self) -> Frame:
        """The next message, however long that takes; cancelling loses none, or ends the connection."""
        if self._connection is None:
            raise self.service.closed(1006)
        return await self._connection.receive()

    def abandon(self) -> None:
        """Let the connection go now; it is closed behind our back, and the next `open` makes another."""
        connection, self._connection, self._wire = self._connection, None, None
        self._posted.clear()
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        if connection is not None:
            self._do_aside(connection.close())

    def renew(self) -> None:
        """Let the connection go now, and open another without being waited for, so that it is there when needed."""
        self.abandon()
        self._renewal = self._do_aside(self._renew())

    def post(self, frames: Sequence[Frame]) -> None:
        """Send these messages before any other, without being waited for; a connection that fails is let go."""
        self._posted += frames
        self._do_aside(self._post())

    async def close(self) -> None:
        """Close the connection for good; safe to call twice. Returns when nothing is left, within a second or so."""
        if self._renewal is not None:
            self._renewal.cancel()
        self.abandon()
        if self._aside:
            await asyncio.wait(self._aside)

    async def _opened(self) -> W:
        wire = self._make_wire()
        self._connection = await self._address().open(self.service)
        await self.send(wire.opening())
        while not wire.is_ready:
            wire.receive(await self.receive())
        return wire

    async def _keep_alive(self, every_s: float) -> None:
        """Tell the service that we are there whenever we have been silent for so long."""
        clock = asyncio.get_running_loop().time
        while self._wire is not None:
            await asyncio.sleep(max(0.0, self._sent_at + every_s - clock()))
            if clock() - self._sent_at >= every_s:
                try:
                    await self.send(self._wire.keep_alive())
                except ProviderException as error:
                    logger.debug("a connection that waited is gone: %s", error)
                    return

    def _do_aside(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do what nobody waits for but `close`."""
        task = asyncio.create_task(work, name="engine connection")
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    async def _renew(self) -> None:
        with suppress(ProviderException):  # whoever needs the connection will try again, and hear why not
            await self.open()

    async def _post(self) -> None:
        try:
            await self.send(())
        except ProviderException:
            self.abandon()
