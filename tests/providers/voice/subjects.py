"""The engines the contract suite is run over, each with the fake it talks to: a new engine adds one line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from providers.voice.base import BaseVoiceProvider
from providers.voice.deepgram import DeepgramConfig, DeepgramVoiceProvider
from providers.voice.openai import OpenAIVoiceConfig, OpenAIVoiceProvider
from tests.fakes import deepgram, openai
from tests.fakes.trouble import Trouble

EVERY = tuple(trouble for trouble in Trouble if trouble is not Trouble.NONE)
BINARY = tuple(trouble for trouble in EVERY if trouble is not Trouble.WRONG_TYPE)
"""Of audio that comes as bare bytes nothing can be of the wrong type."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine and its fake. `secret` is the key it is given; the troubles are what the fake can do wrong."""

    name: str
    fake: Callable[[], Any]
    provider: Callable[[Any], BaseVoiceProvider]
    secret: str
    hearing_troubles: tuple[Trouble, ...] = EVERY
    speech_troubles: tuple[Trouble, ...] = BINARY
    text: str = "Good morning."


def _openai(fake: openai.OpenAIFake) -> BaseVoiceProvider:
    url = f"{fake.http_url}/v1"
    return OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(openai.KEY), stt_base_url=url, tts_base_url=url))


def _openai_realtime(fake: openai.RealtimeFake) -> BaseVoiceProvider:
    return OpenAIVoiceProvider(
        OpenAIVoiceConfig(
            api_key=SecretStr(openai.KEY),
            model="gpt-live-transcribe",
            stt_base_url=f"{fake.url}/v1",
            tts_base_url=f"{fake.http_url}/v1",
        )
    )


SUBJECTS = (
    Subject(
        "deepgram",
        deepgram.DeepgramFake,
        lambda fake: DeepgramVoiceProvider(DeepgramConfig(api_key=SecretStr(deepgram.KEY), base_url=fake.url)),
        deepgram.KEY,
    ),
    Subject("openai", openai.OpenAIFake, _openai, openai.KEY),
    Subject("openai", openai.RealtimeFake, _openai_realtime, openai.KEY),
)
