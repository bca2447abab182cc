"""What goes over a gRPC call: messages in bytes, and the end of them."""

from typing import Protocol

from google.protobuf.message import DecodeError

from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service

END = "end"
"""The end of what one side sends; messages are bytes, so no message can be taken for it."""


class _Readable[M](Protocol):
    """A class of messages."""

    def FromString(self, data: bytes) -> M: ...  # noqa: N802 - protobuf's name for it


def read[M](service: Service, message_class: _Readable[M], frame: Frame) -> M:
    """A message as what it should be; raises `ProviderException` if it is not."""
    if isinstance(frame, str):
        raise service.garbled("text")
    try:
        return message_class.FromString(frame)
    except DecodeError:
        raise service.garbled("no message of protobuf") from None
