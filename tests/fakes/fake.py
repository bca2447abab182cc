"""What every fake engine keeps, whatever it is spoken to over: what it was sent, and how it is to misbehave."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.fakes.trouble import Trouble


@dataclass(slots=True)
class Opened:
    """A connection that was opened, or a request: how it began, and the messages that came with it, in order."""

    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    frames: list[str | bytes] = field(default_factory=list)
    is_open: bool = True
    method: str = "GET"

    @property
    def audio(self) -> bytes:
        """All binary messages, joined."""
        return b"".join(frame for frame in self.frames if isinstance(frame, bytes))


class Fake:
    """One fake engine, served while it is entered; `trouble` counts for what happens from then on.

    `heard` is what its recogniser makes of every utterance. What it is sent that breaks the vendor's rules goes to
    `complaints`, which a test asserts to be empty.
    """

    heard = "I would like a table for two."

    def __init__(self, trouble: Trouble = Trouble.NONE) -> None:
        self.trouble = trouble
        self.connections: list[Opened] = []
        self.complaints: list[str] = []
        self.release = asyncio.Event()
        """A `SLOW` fake answers once this is set."""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""

    @property
    def open_connections(self) -> int:
        return sum(connection.is_open for connection in self.connections)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what the fake has seen."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    def changed(self) -> None:
        """Something has been seen."""
        self._changed.set()

    def check(self, is_right: bool, complaint: str) -> None:
        """Complain unless what was sent is right."""
        if not is_right:
            self.complaints.append(complaint)

    def refusal_body(self, status: int) -> bytes:
        """What the vendor says when it refuses a request."""
        return b"{}"
