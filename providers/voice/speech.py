"""An engine's speech for one text, written in whichever way the seed document shows, and never waited for too long."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from providers.errors import Fault, TTSError
from providers.voice.base import BaseVoiceProvider

AUDIO_LIMIT_S = 4.0
"""Longest wait for a text's first audio, and between two chunks of it."""


async def audio_chunks(provider: BaseVoiceProvider, text: str) -> AsyncGenerator[bytes]:
    """The engine's audio for one text, each chunk waited for no longer than `AUDIO_LIMIT_S`.

    The seed document shows engines written as async generators and, in one place, as coroutines that return the whole
    audio or an iterator of it; all three are taken. Raises `TTSError` on a stall, and whatever the engine raises.
    """
    try:
        async with asyncio.timeout(AUDIO_LIMIT_S) as limit:
            speech: object = provider.text_to_speech(text)
            if asyncio.iscoroutine(speech):
                speech = await speech
            if isinstance(speech, bytes):
                yield speech
                return
            if not isinstance(speech, AsyncIterator):
                raise TTSError("text_to_speech gave no audio", provider=provider.config.provider_name, operation="tts")
            try:
                async for chunk in speech:
                    limit.reschedule(None)
                    yield chunk
                    limit.reschedule(asyncio.get_running_loop().time() + AUDIO_LIMIT_S)
            finally:
                if isinstance(speech, AsyncGenerator):
                    await speech.aclose()
    except TimeoutError:
        raise TTSError(
            f"no audio for {AUDIO_LIMIT_S:.0f} s",
            provider=provider.config.provider_name,
            operation="tts",
            fault=Fault.TIMEOUT,
        ) from None
