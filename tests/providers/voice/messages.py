"""JSON messages of a service, read by a wire format."""

from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from providers.voice.remote.sansio import Frame


class Receives(Protocol):
    def receive(self, frame: Frame) -> Sequence[object]: ...


def read(wire: Receives, *messages: dict[str, Any]) -> list[Any]:
    """What these messages bring, one after another."""
    return [item for message in messages for item in wire.receive(orjson.dumps(message).decode())]
