"""OpenAI's transcription of files and its speech as pure messages: what is posted, and what the answer says.

https://platform.openai.com/docs/api-reference/audio
"""

import io
import textwrap
import wave
from collections.abc import Mapping

from pydantic import BaseModel

from providers.voice.remote.service import Service

SHORTEST_AUDIO_S = 0.1
"""Less than this is refused."""
LONGEST_TEXT = 4096
"""Characters in one request for speech."""


class _Transcript(BaseModel):
    text: str


def wav(pcm16: bytes, rate_hz: int) -> bytes:
    """A WAV file of mono PCM16; half a sample at the end is left out."""
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate_hz)
        audio.writeframes(pcm16[: len(pcm16) // 2 * 2])
    return file.getvalue()


def form(model: str, language: str) -> Mapping[str, str]:
    """The fields that go with a file to `/audio/transcriptions`."""
    return {"model": model, "language": language, "response_format": "json"}


def transcript(service: Service, body: bytes) -> str:
    """The words in an answer of `/audio/transcriptions`; raises `ProviderException` if it is none."""
    return service.read(_Transcript, service.decoded(body)).text.strip()


def speech(model: str, voice: str, text: str) -> list[Mapping[str, str]]:
    """What is posted to `/audio/speech`, one after another, to have a text spoken as PCM16 at 24 kHz."""
    return [
        {"model": model, "voice": voice, "input": piece, "response_format": "pcm"}
        for piece in textwrap.wrap(text, LONGEST_TEXT)
    ]
