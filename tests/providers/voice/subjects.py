"""The engines the contract suite is run over, each with the fake it talks to: a new engine adds one line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from providers.voice.assemblyai import AssemblyAIConfig, AssemblyAIVoiceProvider
from providers.voice.base import BaseVoiceProvider
from providers.voice.deepgram import DeepgramConfig, DeepgramVoiceProvider
from providers.voice.elevenlabs import ElevenLabsConfig, ElevenLabsVoiceProvider
from providers.voice.elevenlabs.scribe import Commit
from providers.voice.gradium import GradiumConfig, GradiumVoiceProvider
from tests.fakes import assemblyai, deepgram, elevenlabs, gradium
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


def elevenlabs_with(commit: Commit) -> Callable[[Any], BaseVoiceProvider]:
    return lambda fake: ElevenLabsVoiceProvider(
        ElevenLabsConfig(api_key=SecretStr(elevenlabs.KEY), base_url=fake.url, commit=commit)
    )


SUBJECTS = (
    Subject(
        "assemblyai",
        assemblyai.AssemblyAIFake,
        lambda fake: AssemblyAIVoiceProvider(
            AssemblyAIConfig(
                api_key=SecretStr(assemblyai.KEY), stt_url=fake.url, tts_url=fake.url, pace=assemblyai.PACE
            )
        ),
        assemblyai.KEY,
    ),
    Subject(
        "deepgram",
        deepgram.DeepgramFake,
        lambda fake: DeepgramVoiceProvider(DeepgramConfig(api_key=SecretStr(deepgram.KEY), base_url=fake.url)),
        deepgram.KEY,
    ),
    Subject("elevenlabs", elevenlabs.ElevenLabsFake, elevenlabs_with(Commit.MANUAL), elevenlabs.KEY),
    Subject("elevenlabs", elevenlabs.ElevenLabsFake, elevenlabs_with(Commit.VAD), elevenlabs.KEY),
    Subject(
        "gradium",
        gradium.GradiumFake,
        lambda fake: GradiumVoiceProvider(GradiumConfig(api_key=SecretStr(gradium.KEY), base_url=fake.url)),
        gradium.KEY,
    ),
)
