"""The engines that the settings name, checked all together and loaded in the background."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

from langchain_core.language_models import BaseChatModel

from agent.business import load_business
from agent.llm_factory import LLMFactory
from agent.minds import Minds
from agent.own_tools import business_and_tools
from agent.spoken import speakable
from providers.audio.converter import LINE, Converter, input_spec, output_spec
from providers.errors import ConfigurationError, Problem, TTSError
from providers.settings import names
from providers.settings import settings as provider_settings
from providers.voice.base import BaseVoiceProvider
from providers.voice.factory import VoiceProviderFactory
from providers.voice.failover import FailoverVoiceProvider
from providers.voice.speech import audio_chunks
from telephony.audio.vad import VadHub
from telephony.call.speaker import Clip
from telephony.call.voices import Voices
from telephony.records.records import check_recording
from telephony.settings import settings as line_settings

CLIP_LIMIT_S = 30.0


def check_configuration() -> None:
    """Raise one `ConfigurationError` with everything that is wrong with the settings, if anything is.

    The voice that the business brings is one of the settings from here on.
    """
    checks: tuple[Callable[[], object], ...] = (
        lambda: line_settings.telephony,
        _check_recording,
        lambda: business_and_tools(provider_settings.llm.BUSINESS_FILE, provider_settings.llm.TOOLS_MODULE),
        lambda: use_voice(load_business(provider_settings.llm.BUSINESS_FILE).voice),
        minds,
        lambda: [output_spec(engine) for engine in alone(speaking_engine())],
        lambda: [input_spec(engine) for engine in alone(hearing_engine())],
    )
    problems: dict[Problem, None] = {}
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigurationError(problems)


def _check_recording() -> None:
    business, _ = business_and_tools(provider_settings.llm.BUSINESS_FILE, provider_settings.llm.TOOLS_MODULE)
    check_recording(line_settings.telephony, business.notice)


def minds() -> Minds:
    """The configured language models, the same for all calls."""
    models = LLMFactory.create_all()
    for name, llm in models.items():
        if not isinstance(llm, BaseChatModel):
            variable = "LLM_PROVIDER" if name in names(provider_settings.llm.LLM_PROVIDER) else "LLM_FALLBACK_PROVIDER"
            raise ConfigurationError.of(variable, f"{type(llm).__name__} is not a chat model")
    return Minds(models)


def hearing_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that hears."""
    return VoiceProviderFactory.create_provider(_hearing())


def speaking_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that speaks."""
    return VoiceProviderFactory.create_provider(_speaking())


def use_voice(voice: str | None) -> None:
    """Have the first engine that speaks use the voice that the business brings, whatever its own setting says.

    Raises `ConfigurationError` for an engine that has no voice to choose.
    """
    if voice is None:
        return
    engine = next(iter(alone(speaking_engine())))
    if not engine.voice_setting:
        name = engine.config.provider_name
        raise ConfigurationError.of("BUSINESS_FILE", f"voice: {name} has no voice to choose, so leave it out")
    setattr(provider_settings.voice, engine.voice_setting, voice)


def _hearing() -> str:
    return provider_settings.voice.VOICE_STT_PROVIDER or provider_settings.voice.VOICE_PROVIDER


def _speaking() -> str:
    return provider_settings.voice.VOICE_TTS_PROVIDER or provider_settings.voice.VOICE_PROVIDER


def voices() -> Voices:
    """What hears and what speaks in one call: one instance, if one engine does both."""
    speaks = speaking_engine()
    if names(_hearing()) == names(_speaking()):
        return Voices(speaks, speaks)
    hears = hearing_engine()
    hears.speaks = speaks.hears = False
    return Voices(hears, speaks)


async def load(detection: VadHub) -> None:
    """Load what all calls share: the voice detector and the engines' models, all at once.

    Raises what the engines raise, in an exception group.
    """
    kinds = {type(engine) for both in (hearing_engine(), speaking_engine()) for engine in alone(both)}
    async with asyncio.TaskGroup() as group:
        group.create_task(detection.start())
        for kind in kinds:
            group.create_task(kind.prepare(provider_settings.voice))


def alone(engine: BaseVoiceProvider) -> Sequence[BaseVoiceProvider]:
    """The engines that one is made of: itself, if it is no list."""
    return engine.engines if isinstance(engine, FailoverVoiceProvider) else (engine,)


async def clip(engine: BaseVoiceProvider, sentence: str) -> Clip:
    """The sentence as this engine speaks it, which was not connected and is not afterwards; raises what it raises."""
    engine.hears = False
    converter = Converter(output_spec(engine), LINE)
    try:
        async with (
            asyncio.timeout(CLIP_LIMIT_S),
            engine,
            aclosing(audio_chunks(engine, speakable(sentence))) as chunks,
        ):
            spoken = [converter.convert(chunk) async for chunk in chunks]
            timings = tuple(engine.word_timings())
    finally:
        await engine.disconnect()
    if not spoken:
        raise TTSError("the engine gave no audio", provider=engine.config.provider_name, operation="tts")
    return Clip(b"".join([*spoken, converter.flush()]), timings)
