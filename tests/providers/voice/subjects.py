"""The engines the contract suite is run over, each with the fake it talks to: a new engine adds one line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from providers.voice.base import BaseVoiceProvider
from providers.voice.deepgram import DeepgramConfig, DeepgramVoiceProvider
from tests.fakes import deepgram
from tests.fakes.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine and its fake. `secret` is the key it is given; `troubles` what the fake can do wrong."""

    name: str
    fake: Callable[[], Any]
    provider: Callable[[Any], BaseVoiceProvider]
    secret: str
    troubles: tuple[Trouble, ...] = tuple(Trouble)[1:]
    text: str = "Good morning."


SUBJECTS = (
    Subject(
        "deepgram",
        deepgram.DeepgramFake,
        lambda fake: DeepgramVoiceProvider(DeepgramConfig(api_key=SecretStr(deepgram.KEY), base_url=fake.url)),
        deepgram.KEY,
    ),
)
