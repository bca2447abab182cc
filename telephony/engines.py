"""The engines that the settings name, checked all together and loaded in the background."""

import asyncio
from collections.abc import Callable

from langchain_core.language_models import BaseChatModel

from agent.llm_factory import LLMFactory
from agent.own_tools import business_and_tools
from providers.errors import ConfigurationError, Problem
from providers.settings import settings as provider_settings
from providers.voice.base import BaseVoiceProvider
from providers.voice.factory import VoiceProviderFactory
from telephony.audio.converter import input_spec, output_spec
from telephony.audio.vad import VadHub
from telephony.call.session import Mind
from telephony.records.records import check_recording
from telephony.settings import settings as line_settings


def check_configuration() -> None:
    """Raise one `ConfigurationError` with everything that is wrong with the settings, if anything is."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: line_settings.telephony,
        _check_recording,
        lambda: business_and_tools(provider_settings.llm.BUSINESS_FILE, provider_settings.llm.TOOLS_MODULE),
        mind,
        lambda: output_spec(speaking_engine()),
        lambda: input_spec(hearing_engine()),
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


def mind() -> Mind:
    """The configured language model, the same one for all calls, and the one that steps in for it."""
    names = provider_settings.llm
    fallback = LLMFactory.create_fallback()
    return Mind(
        _chat_model(LLMFactory.create_llm(), "LLM_PROVIDER"),
        names.LLM_PROVIDER,
        None if fallback is None else _chat_model(fallback, "LLM_FALLBACK_PROVIDER"),
        names.LLM_FALLBACK_PROVIDER or "",
    )


def _chat_model(llm: object, variable: str) -> BaseChatModel:
    if not isinstance(llm, BaseChatModel):
        raise ConfigurationError.of(variable, f"{type(llm).__name__} is not a chat model")
    return llm


def hearing_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that hears."""
    return VoiceProviderFactory.create_provider(provider_settings.voice.VOICE_STT_PROVIDER)


def speaking_engine() -> BaseVoiceProvider:
    """A fresh instance of the engine that speaks."""
    return VoiceProviderFactory.create_provider(provider_settings.voice.VOICE_TTS_PROVIDER)


def voices() -> tuple[BaseVoiceProvider, BaseVoiceProvider]:
    """What hears and what speaks in one call: one instance, if one engine does both."""
    hears, speaks = hearing_engine(), speaking_engine()
    return (speaks if type(hears) is type(speaks) else hears), speaks


async def load(detection: VadHub) -> None:
    """Load what all calls share: the voice detector and the engines' models, all at once.

    Raises what the engines raise, in an exception group.
    """
    engines = {type(engine) for engine in (hearing_engine(), speaking_engine())}
    async with asyncio.TaskGroup() as group:
        group.create_task(detection.start())
        for engine in engines:
            group.create_task(engine.prepare(provider_settings.voice))
