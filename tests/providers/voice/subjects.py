"""The engines the contract suite is run over, each with the fake it talks to: a new engine adds one line."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from providers.voice.assemblyai import AssemblyAIConfig, AssemblyAIVoiceProvider
from providers.voice.base import BaseVoiceProvider
from providers.voice.cartesia import CartesiaConfig, CartesiaVoiceProvider
from providers.voice.deepgram import DeepgramConfig, DeepgramVoiceProvider
from providers.voice.elevenlabs import ElevenLabsConfig, ElevenLabsVoiceProvider
from providers.voice.elevenlabs.scribe import Commit
from providers.voice.gradium import GradiumConfig, GradiumVoiceProvider
from providers.voice.nvidia import NvidiaConfig, NvidiaVoiceProvider
from providers.voice.nvidia.rpc import close_shared_channels
from providers.voice.openai import OpenAIVoiceConfig, OpenAIVoiceProvider
from providers.voice.remote.http import close_shared_client
from tests.fakes import assemblyai, cartesia, deepgram, elevenlabs, gradium, openai, riva
from tests.fakes.trouble import Trouble

EVERY = tuple(trouble for trouble in Trouble if trouble is not Trouble.NONE)
BINARY = tuple(trouble for trouble in EVERY if trouble is not Trouble.WRONG_TYPE)
"""Of audio that comes as bare bytes nothing can be of the wrong type."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine and its fake. `secret` is the key it is given; the troubles are what the fake can do wrong.

    `close_shared` closes what the engine's calls share.
    """

    name: str
    fake: Callable[[], Any]
    provider: Callable[[Any], BaseVoiceProvider]
    secret: str
    hearing_troubles: tuple[Trouble, ...] = EVERY
    speech_troubles: tuple[Trouble, ...] = BINARY
    text: str = "Good morning."
    close_shared: Callable[[], Awaitable[None]] = close_shared_client


def deepgram_with(stt_model: str, tts_model: str) -> Callable[[Any], BaseVoiceProvider]:
    return lambda fake: DeepgramVoiceProvider(
        DeepgramConfig(api_key=SecretStr(deepgram.KEY), base_url=fake.url, stt_model=stt_model, tts_model=tts_model)
    )


def cartesia_with(stt_model: str) -> Callable[[Any], BaseVoiceProvider]:
    return lambda fake: CartesiaVoiceProvider(
        CartesiaConfig(api_key=SecretStr(cartesia.KEY), base_url=fake.url, stt_model=stt_model)
    )


def elevenlabs_with(commit: Commit) -> Callable[[Any], BaseVoiceProvider]:
    return lambda fake: ElevenLabsVoiceProvider(
        ElevenLabsConfig(api_key=SecretStr(elevenlabs.KEY), base_url=fake.url, commit=commit)
    )


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
    Subject("deepgram", deepgram.DeepgramFake, deepgram_with("nova-3", "aura-2-thalia-en"), deepgram.KEY),
    Subject("deepgram", deepgram.DeepgramFake, deepgram_with("flux-general-en", "flux-alexis-en"), deepgram.KEY),
    Subject("cartesia", cartesia.CartesiaFake, cartesia_with("ink-2"), cartesia.KEY),
    Subject("cartesia", cartesia.CartesiaFake, cartesia_with("ink-whisper"), cartesia.KEY),
    Subject(
        "nvidia",
        riva.RivaFake,
        lambda fake: NvidiaVoiceProvider(
            NvidiaConfig(
                api_key=SecretStr(riva.KEY),
                stt_target=fake.target,
                tts_target=fake.target,
                tls=False,
                stt_function_id=riva.STT_FUNCTION,
                tts_function_id=riva.TTS_FUNCTION,
            )
        ),
        riva.KEY,
        close_shared=close_shared_channels,
    ),
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
    Subject("elevenlabs", elevenlabs.ElevenLabsFake, elevenlabs_with(Commit.MANUAL), elevenlabs.KEY),
    Subject("elevenlabs", elevenlabs.ElevenLabsFake, elevenlabs_with(Commit.VAD), elevenlabs.KEY),
    Subject(
        "gradium",
        gradium.GradiumFake,
        lambda fake: GradiumVoiceProvider(GradiumConfig(api_key=SecretStr(gradium.KEY), base_url=fake.url)),
        gradium.KEY,
    ),
    Subject("openai", openai.OpenAIFake, _openai, openai.KEY),
    Subject("openai", openai.RealtimeFake, _openai_realtime, openai.KEY),
)
