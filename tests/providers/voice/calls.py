"""What tests ask of engines: audio of a caller, and what comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from providers.voice.base import BaseVoiceProvider
from providers.voice.types import TranscriptionResult


class Caller:
    """A source of audio that ends when it is told to; what it has to say may grow meanwhile."""

    def __init__(self, *chunks: bytes) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.say(*chunks)

    def say(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self._queue.put_nowait(chunk)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def audio(self) -> AsyncIterator[bytes]:
        while (chunk := await self._queue.get()) is not None:
            yield chunk


class Heard:
    """Results as they come, gathered by a task of its own."""

    def __init__(self, results: AsyncIterator[TranscriptionResult]) -> None:
        self.results: list[TranscriptionResult] = []
        self._came = asyncio.Event()
        self.task = asyncio.create_task(self._gather(results))

    @property
    def words(self) -> str:
        """What stands."""
        return " ".join(result.text for result in self.results if result.is_final and result.text)

    async def until(self, text: str, *, is_final: bool = False) -> None:
        """Wait for a result with this text."""
        while (text, is_final) not in [(result.text, result.is_final) for result in self.results]:
            self._came.clear()
            await self._came.wait()

    async def _gather(self, results: AsyncIterator[TranscriptionResult]) -> None:
        async for result in results:
            self.results.append(result)
            self._came.set()


async def stream_of(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


async def recognised(engine: BaseVoiceProvider, chunks: Sequence[bytes]) -> list[TranscriptionResult]:
    return [result async for result in engine.speech_to_text(stream_of(chunks))]


async def spoken(engine: BaseVoiceProvider, text: str) -> bytes:
    return b"".join([chunk async for chunk in engine.text_to_speech(text)])
