"""One accepted media stream as the call sees it: typed messages in, audio and marks out, a socket underneath."""

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect

from providers.errors import OffhookError
from telephony.twilio.bucket import Bucket
from telephony.twilio.stream import Fault, FaultKind, MediaStream, Received

logger = logging.getLogger(__name__)

OUTBOX = 512
"""Messages that may wait to be sent; a call puts out far fewer, so that more means that the socket is stuck."""
SEND_LIMIT_S = 5.0
"""Longest a single message may take to be sent."""
CLOSE_LIMIT_S = 1.0
MESSAGES_PER_S = 200.0
"""Twilio sends 50 frames a second and an echo for each mark."""
MESSAGES_AT_ONCE = 2000
"""What may have gathered while the network, or this process, stood still: 40 s of a call."""


class LineBroken(OffhookError):  # noqa: N818 - says what happened
    """The socket takes no more messages: the caller's network, or Twilio, is gone without a word."""


class MediaLine:
    """Reads and writes one socket. Sending never waits: `write`, run as a task beside the reading, sends in order."""

    def __init__(self, websocket: WebSocket, stream: MediaStream) -> None:
        self._websocket = websocket
        self._stream = stream
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)
        self._rate = Bucket(MESSAGES_PER_S, MESSAGES_AT_ONCE)
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

    async def receive(self) -> list[Received] | None:
        """What the next message brings, which may be nothing; None once the stream is over or the socket closed.

        Faults go to the log, each kind once. Cancelling loses no message.
        """
        if self._stream.is_over:
            return None
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if self._rate.overflows(self._clock()):
            self._log(self._stream.flooded())
            return []
        text: str | None = message.get("text")
        received: list[Received] = []
        for item in self._stream.receive(message["bytes"] if text is None else text):
            if isinstance(item, Fault):
                self._log(item)
            else:
                received.append(item)
        return received

    async def write(self) -> None:
        """Send what is put out until cancelled; raises `LineBroken` when the socket takes no more."""
        try:
            while True:
                text = await self._outbox.get()
                async with asyncio.timeout(SEND_LIMIT_S):
                    await self._websocket.send_text(text)
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
        """Put a message out. With a full outbox it is dropped: `write` is stuck and about to break the line."""
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
