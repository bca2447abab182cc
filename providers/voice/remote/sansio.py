"""What a streaming engine's wire format has to say, without a socket: two protocols that the shells beside run.

Both live as long as one connection: a new one is made for every connection. Neither knows time, sockets or threads.
`receive` raises `ProviderException` for what the service reports as failed and for what cannot be read, and nothing
else, whatever comes.
"""

from collections.abc import Sequence
from typing import Protocol

from providers.voice.types import TranscriptionResult, VADInfo, WordTiming

type Frame = str | bytes
"""One WebSocket message, text or binary."""


class Wire(Protocol):
    """What recognisers and synthesisers have in common."""

    @property
    def is_ready(self) -> bool:
        """Whether the service has taken `opening`; until then it is asked for nothing. True if it never says so."""

    def opening(self) -> list[Frame]:
        """The first messages of the connection."""

    def receive(self, frame: Frame) -> Sequence[object]:
        """Take a message of the service, and return what it brings."""

    def keep_alive(self) -> list[Frame]:
        """What to send when nothing has been sent for the service's idle limit; empty if pings do."""


class Recogniser(Wire, Protocol):
    """One connection that recognises utterances, one after another. Times in results count from its first audio."""

    def begin(self) -> None:
        """Another utterance starts: what still comes of an earlier one is not of it."""

    def audio(self, chunk: bytes) -> list[Frame]:
        """Send this audio, in messages of the size the service wants; a rest may be held back."""

    def finish(self) -> list[Frame]:
        """The utterance is over: send what was held back, and ask for all that is still to come."""

    def receive(self, frame: Frame) -> list[TranscriptionResult]:
        """Take a message of the service."""

    @property
    def is_finished(self) -> bool:
        """After `finish`: whether all has come."""

    @property
    def audio_s(self) -> float:
        """How much audio the service has been sent over this connection."""

    @property
    def vad(self) -> VADInfo | None:
        """The service's newest opinion on the caller's turn."""


class Synthesiser(Wire, Protocol):
    """One connection that speaks texts, one after another."""

    def speak(self, text: str) -> list[Frame]:
        """Speak this text, whole, and at once: another may not follow for a while."""

    def receive(self, frame: Frame) -> list[bytes]:
        """Take a message of the service; returns audio of the text spoken last, and none of one that was dropped."""

    @property
    def is_finished(self) -> bool:
        """Whether all audio of the text has come."""

    def drop(self) -> list[Frame] | None:
        """The text is no longer wanted: what frees the service at once, or None if only closing the connection does."""

    @property
    def timings(self) -> Sequence[WordTiming]:
        """When the words of the text are said, as far as is known, from its first audio on."""
