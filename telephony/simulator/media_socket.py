"""Twilio's WebSocket client: carries one line over one socket, 20 ms at a time, until somebody ends it."""

import asyncio
import ssl
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from telephony.simulator.addresses import HANDSHAKE_FAILED, MALFORMED_URL
from telephony.simulator.carrier import FRAME_S, Heard, Line
from telephony.simulator.events import Lateness
from telephony.simulator.twiml import Fault
from telephony.twilio.signature import sign

CONNECT_TIMED_OUT = 31901
CONNECT_REFUSED = 31902
BROKEN_PIPE = 31903
TLS_FAILED = 31910
SERVER_CLOSED = 31921
PROTOCOL_ERROR = 31924

_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 2.0
_MAX_MESSAGE = 4 * 1024 * 1024  # Twilio documents no limit; this is six minutes of audio
_OUTBOX = 1000  # messages: twenty seconds in which the server does not read
_LATE_S = 0.01


@dataclass(frozen=True, slots=True)
class LineEnd:
    """How a stream ended: `by` is caller, server or carrier. `fault` is set unless the ending was in order."""

    by: str
    reason: str
    close_code: int | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """What the caller does in one tick: a frame, perhaps a key, perhaps putting the phone down."""

    audio: bytes
    digit: str = ""
    hang_up: str = ""


class LineUser(Protocol):
    """Whoever is on the near side of the line. None of this may wait."""

    def tick(self, heard: Heard, more_to_come: bool, now: float) -> Tick:
        """20 ms have gone by, in which `heard` was played."""
        ...

    def received(self, line: Line, was_idle: bool, now: float) -> None:
        """The server has sent a message, which the line has taken."""
        ...

    def interruption(self) -> str | None:
        """Why the carrier must end the stream now, if it must."""
        ...


async def open_socket(url: str, auth_token: str) -> ClientConnection | Fault:
    """Connect and shake hands as Twilio does, or say in its terms why not. Cancelling closes the socket."""
    try:
        return await connect(
            url,
            additional_headers={"x-twilio-signature": sign(url, auth_token)},
            user_agent_header="Twilio.TmeWs/1.0",
            compression=None,
            proxy=None,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=_MAX_MESSAGE,
        )
    except InvalidURI:
        return Fault(MALFORMED_URL, "the stream URL cannot be read")
    except InvalidHandshake as error:
        return Fault(HANDSHAKE_FAILED, f"handshake failed: {error}")
    except TimeoutError:
        return Fault(CONNECT_TIMED_OUT, "no answer from the stream server")
    except ConnectionRefusedError:
        return Fault(CONNECT_REFUSED, "the stream server refused the connection")
    except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError) as error:
        # a server without TLS resets the connection rather than answer a handshake it cannot read
        return Fault(TLS_FAILED if url.startswith("wss:") else BROKEN_PIPE, type(error).__name__)
    except (OSError, EOFError) as error:
        return Fault(CONNECT_TIMED_OUT, f"the stream server cannot be reached ({type(error).__name__})")


class MediaSocket:
    """Runs one stream. Three tasks own it: one reads, one writes, and the one that called keeps time."""

    def __init__(self, socket: ClientConnection, line: Line, user: LineUser) -> None:
        self._socket = socket
        self._line = line
        self._user = user
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue(_OUTBOX)
        self._stalled = False
        self._frames = 0
        self._late_s: list[float] = [0.0, 0.0]  # in total, and at worst
        self._late_frames = 0

    @property
    def lateness(self) -> Lateness:
        total_s, worst_s = self._late_s
        mean_ms = total_s / max(1, self._frames) * 1000
        return Lateness(self._frames, mean_ms, worst_s * 1000, self._late_frames)

    async def run(self) -> LineEnd:
        """Stream until the caller, the server or the carrier ends it; the socket is closed afterwards.

        Cancelling closes the socket without a `stop`, as a carrier that dies would.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read())
                writer = tasks.create_task(self._write())
                for text in self._line.open():
                    self._send(text)
                end = await self._keep_time(reader)
                if end.by != "server":
                    await self._say_goodbye(writer)
                writer.cancel()
                if not self._stalled:
                    await self._socket.close()
                reader.cancel()
        finally:
            self._socket.transport.abort()
        return end

    async def _keep_time(self, reader: asyncio.Task[None]) -> LineEnd:
        """A frame every 20 ms by absolute deadlines: what is late is made up for, so that it does not add up."""
        started_at = monotonic()
        while True:
            self._frames += 1
            deadline_at = started_at + self._frames * FRAME_S
            await asyncio.sleep(deadline_at - monotonic())
            if reader.done():
                return self._closed_by_server()
            now = monotonic()
            self._note_lateness(now - deadline_at)
            for echo in self._line.tick(now):
                self._send(echo)
            if reason := self._user.interruption():
                return LineEnd("carrier", reason)
            tick = self._user.tick(self._line.take_heard(), self._line.buffered_bytes > 0, now)
            self._send(self._line.frame(tick.audio))
            if tick.digit:
                self._send(self._line.press(tick.digit))
            if tick.hang_up:
                return LineEnd("caller", tick.hang_up)
            if self._stalled:
                fault = Fault(BROKEN_PIPE, "the stream server has stopped reading")
                return LineEnd("carrier", "the stream broke", fault=fault)

    def _note_lateness(self, late_s: float) -> None:
        self._late_s = [self._late_s[0] + late_s, max(self._late_s[1], late_s)]
        self._late_frames += late_s > _LATE_S

    def _closed_by_server(self) -> LineEnd:
        code = self._socket.close_code
        sent = self._socket.protocol.close_sent
        if sent is not None and sent.code in (1002, 1007, 1009):
            fault = Fault(PROTOCOL_ERROR, f"WebSocket protocol violated ({sent.code})")
        elif code == 1006:
            fault = Fault(BROKEN_PIPE, "the socket was dropped")
        elif code != 1000:
            fault = Fault(SERVER_CLOSED, f"the server closed the socket with {code}")
        else:
            return LineEnd("server", "the server closed the socket", code)
        return LineEnd("server", "the stream broke", code, fault)

    async def _say_goodbye(self, writer: asyncio.Task[None]) -> None:
        """`stop`, once all that waits has gone out; a server that does not read is not waited for."""
        if self._stalled or self._outbox.qsize() > _OUTBOX - 2:
            return
        self._outbox.put_nowait(self._line.stop())
        self._outbox.put_nowait(None)
        await asyncio.wait((writer,), timeout=_CLOSE_TIMEOUT_S)

    def _send(self, text: str) -> None:
        try:
            self._outbox.put_nowait(text)
        except asyncio.QueueFull:
            self._stalled = True

    async def _write(self) -> None:
        while (text := await self._outbox.get()) is not None:
            try:
                await self._socket.send(text)
            except ConnectionClosed:
                return

    async def _read(self) -> None:
        while True:
            try:
                message = await self._socket.recv()
            except ConnectionClosed:
                return
            now = monotonic()
            was_idle = self._line.buffered_bytes == 0
            for echo in self._line.receive(message, now):
                self._send(echo)
            self._user.received(self._line, was_idle, now)
