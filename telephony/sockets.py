"""Uvicorn's WebSocket, but for one habit that telephony pays for fifty times a second."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

AHEAD = 32
"""Messages that may wait for the application before the socket is not read any more: two thirds of a second."""


class MediaSocketProtocol(WebSocketsSansIOProtocol):
    """Stops reading when messages pile up, rather than after each of them.

    To stop reading and begin again costs two calls of the system a message, a fifth of what a call costs in all.
    """

    def send_receive_event_to_app(self) -> None:
        """Put a message out for the application; uvicorn's own pauses the socket unless it takes it to be paused."""
        if self.read_paused or self.queue.qsize() >= AHEAD:
            super().send_receive_event_to_app()
            return
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = False
