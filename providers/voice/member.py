"""One engine among those that stand in for one another in a call: connected once, in the line's format, our words."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from providers.audio.converter import LINE, Converter, input_spec, output_spec
from providers.errors import Fault, ProviderException
from providers.once import Once
from providers.voice.base import BaseVoiceProvider
from providers.voice.remainder import Pace
from providers.voice.speech import audio_chunks
from providers.voice.types import TranscriptionResult

PIECE_BYTES = 48_000
"""Audio converted at a time: about 0.3 ms of the event loop."""
_SILENCE = b"\xff" * 4000  # half a second


class Member:
    """An engine of one call, connected when it is first needed. `pace` is how fast it speaks."""

    def __init__(self, engine: BaseVoiceProvider) -> None:
        self.engine = engine
        self.pace = Pace()
        self._connecting = Once(engine.connect, "connect an engine")

    def warm(self) -> None:
        """Begin to connect, unless that is under way or done."""
        self._connecting.begin()

    async def ready(self) -> None:
        """Wait until it is connected; raises what the engine raises. Cancelling leaves it connecting."""
        await self._connecting.done()

    async def close(self) -> None:
        """Disconnect; safe to call twice, and while it connects."""
        await self._connecting.give_up()
        await self.engine.disconnect()

    async def hear(self, ulaw: AsyncIterator[bytes]) -> AsyncGenerator[TranscriptionResult]:
        """What the engine makes of an utterance as the line carries it."""
        await self.ready()
        results = self.engine.speech_to_text(self._for_engine(ulaw))
        try:
            async for result in results:
                yield result
        finally:
            if isinstance(results, AsyncGenerator):
                await results.aclose()

    async def speak(self, text: str) -> AsyncGenerator[bytes]:
        """The engine's speech as the line carries it."""
        await self.ready()
        converter = Converter(output_spec(self.engine), LINE)
        async with aclosing(audio_chunks(self.engine, text)) as chunks:
            async for chunk in chunks:
                for start in range(0, len(chunk), PIECE_BYTES):
                    if piece := converter.convert(chunk[start : start + PIECE_BYTES]):
                        yield piece
        if tail := converter.flush():
            yield tail

    async def probe_ear(self) -> None:
        """Let it recognise a little silence, to see whether it can."""
        async with aclosing(self.hear(_silence())) as results:
            async for _ in results:
                pass

    async def probe_voice(self) -> None:
        """Let it begin to speak, to see whether it can."""
        async with aclosing(self.speak("Hello.")) as pieces:
            await anext(pieces)

    async def _for_engine(self, ulaw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        converter = Converter(LINE, input_spec(self.engine))
        async for piece in ulaw:
            yield converter.convert(piece)
        if tail := converter.flush():
            yield tail


@contextmanager
def in_our_words(kind: type[ProviderException], name: str, operation: str) -> Iterator[None]:
    """Whatever an engine raises, or raises because it was too slow, as one of our errors that names it."""
    try:
        yield
    except ProviderException:
        raise
    except TimeoutError:
        raise kind("no answer in time", provider=name, operation=operation, fault=Fault.TIMEOUT) from None
    except Exception as error:
        raise kind(f"failed in its own code ({type(error).__name__})", provider=name, operation=operation) from error


async def _silence() -> AsyncIterator[bytes]:
    yield _SILENCE
