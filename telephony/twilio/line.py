"""One accepted media stream as the call sees it: typed messages in, audio and marks out, a socket underneath."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from providers.errors import OffhookError
from telephony.twilio.bucket import Bucket
from telephony.twilio.messages import Start
from telephony.twilio.stream import Fault, FaultKind, MediaStream, Received

logger = logging.getLogger(__name__)

DIRECT = "offhook.direct"
"""The ASGI extension of a server that needs no task between its socket and us.

`divert` is told who takes messages; `send` sends one at once, or returns False, and then it has to go the usual way.
"""
type Take = Callable[[str | bytes | None], None]
"""Takes a socket's messages, and None once there are no more."""

OUTBOX = 512
"""Messages that may wait to be sent; a call puts out far fewer, so that more means that the socket is stuck."""
SEND_LIMIT_S = 5.0
"""Longest a single message may take to be sent."""
CLOSE_LIMIT_S = 1.0
MESSAGES_PER_S = 200.0
"""Twilio sends 50 frames a second and an echo for each mark."""
MESSAGES_AT_ONCE = 2000
"""What may have gathered while the network, or this process, stood still: 40 s of a call."""
COUNTED_AT_ONCE = 50
"""They are held against the clock so many at a time, once a second."""


class LineBroken(OffhookError):  # noqa: N818 - says what happened
    """The socket takes no more messages: the caller's network, or Twilio, is gone without a word."""


class MediaLine:
    """Reads and writes one socket. Sending never waits: `write`, run as a task beside the reading, sends in order.

    Where the server has a quicker way, what can be sent at once is, and `take` is called by the socket itself.
    """

    def __init__(self, websocket: WebSocket, stream: MediaStream) -> None:
        self._websocket = websocket
        self._stream = stream
        self._quicker = websocket.scope.get("extensions", {}).get(DIRECT)
        self._is_sending = False
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)
        self._rate = Bucket(MESSAGES_PER_S, MESSAGES_AT_ONCE)
        self._uncounted = 0
        self._clock = asyncio.get_running_loop().time
        self._logged: set[FaultKind] = set()

    def media(self, payload: bytes) -> None:
        """Play bare μ-law audio after all that was sent before."""
        self._send(self._stream.media(payload))

    def mark(self, name: str) -> None:
        """Ask for an echo when playback gets here."""
        self._send(self._stream.mark(name))

    def clear(self) -> None:
        """Drop what has not been played, here and at the carrier."""
        while not self._outbox.empty():
            self._outbox.get_nowait()
        self._send(self._stream.clear())

    async def started(self) -> Start | None:
        """Wait for the stream's start; None if the socket closes or the stream fails before."""
        came: list[Received] = []  # nothing else comes through before it
        while not (came or self._stream.is_over) and (data := await self._next()) is not None:
            self._hand_on(data, came.append)
        return next((item for item in came if isinstance(item, Start)), None)

    async def read(self, take: Callable[[Received], None]) -> None:
        """Give `take` what comes, until the stream is over or the socket closed; faults go to the log, each kind once.

        It is called in this task's context, whoever calls it, and what it raises is raised here. Cancelling loses what
        comes afterwards.
        """
        if self._quicker is not None:
            await self._read_directly(self._quicker["divert"], take)
            return
        while not self._stream.is_over and (data := await self._next()) is not None:
            self._hand_on(data, take)

    async def _read_directly(self, divert: Callable[[Take | None], None], take: Callable[[Received], None]) -> None:
        over = asyncio.get_running_loop().create_future()

        def arrived(data: str | bytes | None) -> None:
            if over.done():
                return
            try:
                if data is not None:
                    self._hand_on(data, take)
            except Exception as error:
                over.set_exception(error)
            else:
                if data is None or self._stream.is_over:
                    over.set_result(None)

        run: Callable[..., None] = copy_context().run
        divert(partial(run, arrived))
        try:
            await over
        finally:
            divert(None)

    async def _next(self) -> str | bytes | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        data: str | bytes = message["bytes"] if text is None else text
        return data

    def _hand_on(self, data: str | bytes, take: Callable[[Received], None]) -> None:
        """Give `take` what a message brings, which may be nothing, but for its faults."""
        self._uncounted += 1
        if self._uncounted == COUNTED_AT_ONCE:
            self._uncounted = 0
            if self._rate.overflows(self._clock(), COUNTED_AT_ONCE):
                self._log(self._stream.flooded())
                return
        for item in self._stream.receive(data):
            if type(item) is Fault:
                self._log(item)
            else:
                take(item)

    async def write(self) -> None:
        """Send what is put out until cancelled; raises `LineBroken` when the socket takes no more."""
        try:
            while True:
                text = await self._outbox.get()
                self._is_sending = True
                async with asyncio.timeout(SEND_LIMIT_S):
                    await self._websocket.send_text(text)
                self._is_sending = False
        except (OSError, RuntimeError, WebSocketDisconnect) as error:  # a timeout is an OSError
            raise LineBroken(f"the socket takes no more messages ({type(error).__name__})") from error

    async def close(self, code: int = 1000) -> None:
        """Close the socket from our side, if it is open; what has not been sent is dropped. It takes 1 s at most."""
        while not self._outbox.empty():
            self._outbox.get_nowait()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._websocket.close(code)
        except (OSError, RuntimeError, WebSocketDisconnect):
            logger.debug("the media socket is closed already")

    def _send(self, text: str) -> None:
        """Put a message out, unless the stream is over: the socket may be closed already, and nobody listens.

        With a full outbox it is dropped: `write` is stuck and about to break the line.
        """
        if self._stream.is_over:
            return
        is_next = self._quicker is not None and not self._is_sending and self._outbox.empty()
        if is_next and self._quicker["send"](text):
            return
        try:
            self._outbox.put_nowait(text)
        except asyncio.QueueFull:
            logger.debug("outbox full, message dropped")

    def _log(self, fault: Fault) -> None:
        if fault.is_fatal:
            logger.warning("the media stream cannot go on: %s (%s)", fault.detail, fault.kind)
        elif fault.kind not in self._logged:
            logger.warning(
                "bad message on the media stream: %s (%s); more of this kind are not logged", fault.detail, fault.kind
            )
        self._logged.add(fault.kind)
