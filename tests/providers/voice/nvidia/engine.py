"""An engine whose servers are a fake, and a caller to speak to it."""

import asyncio
from collections.abc import AsyncIterator

from pydantic import SecretStr

from providers.voice.base import BaseVoiceProvider
from providers.voice.nvidia import NvidiaConfig, NvidiaVoiceProvider
from providers.voice.types import TranscriptionResult
from tests.fakes import riva

FRAME = b"\x00\x10" * 160


def engine_of(
    fake: riva.RivaFake, *, key: str = riva.KEY, stt_function: str = riva.STT_FUNCTION
) -> NvidiaVoiceProvider:
    return NvidiaVoiceProvider(
        NvidiaConfig(
            api_key=SecretStr(key),
            stt_target=fake.target,
            tts_target=fake.target,
            tls=False,
            stt_function_id=stt_function,
            tts_function_id=riva.TTS_FUNCTION,
        )
    )


async def caller(seconds: float, wait: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """So much of a caller, who then waits before the end."""
    for _ in range(round(50 * seconds)):
        yield FRAME
        await asyncio.sleep(0)
    if wait is not None:
        await wait.wait()


async def recognised(engine: BaseVoiceProvider, audio: AsyncIterator[bytes]) -> list[TranscriptionResult]:
    return [result async for result in engine.speech_to_text(audio)]


def words(results: list[TranscriptionResult]) -> str:
    return " ".join(result.text for result in results if result.is_final)
