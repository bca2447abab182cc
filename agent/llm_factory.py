"""Language models by name: the way from the settings to a LangChain model."""

import importlib
import logging
from dataclasses import replace
from typing import Any, ClassVar

import langsmith
from langchain_core.language_models import BaseLanguageModel
from pydantic import SecretStr

from providers.errors import ConfigurationError, Problem
from providers.settings import LLMSettings, names, settings

logger = logging.getLogger(__name__)

_OPENAI_URL = "https://api.openai.com/v1"
_NVIDIA_URL = "https://integrate.api.nvidia.com/v1"
_KEYLESS = SecretStr("unused")  # the client insists on a key even where the server does not
_SILENCE_S = 60.0  # of a server; replies have closer limits of their own


class LLMFactory:
    """Makes the language model that the settings name."""

    _cached: ClassVar[tuple[LLMSettings, BaseLanguageModel[Any]] | None] = None

    @classmethod
    def create_llm(cls, use_cache: bool = True) -> BaseLanguageModel[Any]:
        """The first model that `LLM_PROVIDER` names: the one made last if no setting has changed since, else a new one.

        Imports the vendor's package, and asks NVIDIA's server about a model it does not know: call this at start-up, in
        a thread. Raises `ConfigurationError` (a `ValueError`) that names the variable to set or the package to add.
        """
        if use_cache and cls._cached is not None and cls._cached[0] == settings.llm:
            return cls._cached[1]
        llm = cls._create(next(iter(names(settings.llm.LLM_PROVIDER)), ""))
        if use_cache:
            cls._cached = (settings.llm.model_copy(), llm)
        return llm

    @classmethod
    def create_all(cls) -> dict[str, BaseLanguageModel[Any]]:
        """The models by name, in the order they are asked: those of `LLM_PROVIDER`, then of `LLM_FALLBACK_PROVIDER`.

        Otherwise as `create_llm`; the error holds what is wrong with all of them.
        """
        first, *others = names(settings.llm.LLM_PROVIDER)
        models: dict[str, BaseLanguageModel[Any]] = {}
        problems: list[Problem] = []
        named = dict.fromkeys((first, *others), "LLM_PROVIDER")
        for name in names(settings.llm.LLM_FALLBACK_PROVIDER or ""):
            named.setdefault(name, "LLM_FALLBACK_PROVIDER")
        for name, variable in named.items():
            try:
                models[name] = cls.create_llm() if name == first else cls._create(name)
            except ConfigurationError as error:
                # What was wrong with a path is said of the variable that holds it.
                problems += [
                    replace(found, variable=variable) if found.variable == "LLM_PROVIDER" else found
                    for found in error.problems
                ]
        if problems:
            raise ConfigurationError(problems)
        return models

    @classmethod
    def _create(cls, provider: str) -> BaseLanguageModel[Any]:
        langsmith.configure(enabled=False)  # whatever its variables say: it would send the callers' words elsewhere
        llm: BaseLanguageModel[Any] | None = None

        if ":" in provider:
            logger.info("Initializing LLM: %s", provider)
            llm = _imported(provider)

        if provider == "local":
            logger.info("Initializing the embedded front desk")
            llm = _front_desk()

        if provider == "nvidia":
            logger.info("Initializing NVIDIA LLM: %s", settings.llm.NVIDIA_MODEL)
            llm = _nvidia()

        if provider == "huggingface":
            logger.info("Initializing Hugging Face LLM: %s", settings.llm.HF_MODEL)
            llm = _hugging_face()

        if provider == "openai":
            logger.info("Initializing OpenAI LLM: %s", settings.llm.OPENAI_MODEL)
            llm = _openai()

        if llm is None:
            raise ConfigurationError.of("LLM_PROVIDER", f"Unknown LLM provider: {provider}")
        return llm

    @classmethod
    def reset_cache(cls) -> None:
        """Forget the model made last."""
        cls._cached = None


def _front_desk() -> BaseLanguageModel[Any]:
    from agent.business import load_business
    from agent.frontdesk.model import FrontDeskModel

    return FrontDeskModel(business=load_business(settings.llm.BUSINESS_FILE))


def _nvidia() -> BaseLanguageModel[Any]:
    from agent.chat_nvidia import TellingChatNVIDIA

    key = settings.llm.NVIDIA_API_KEY
    if key is None and settings.llm.NVIDIA_BASE_URL.rstrip("/") == _NVIDIA_URL:
        raise ConfigurationError.of("NVIDIA_API_KEY", "is required for NVIDIA's hosted models")
    return TellingChatNVIDIA(
        model=settings.llm.NVIDIA_MODEL,
        api_key=key.get_secret_value() if key else None,
        base_url=settings.llm.NVIDIA_BASE_URL,
        temperature=settings.llm.LLM_TEMPERATURE,
        max_completion_tokens=settings.llm.LLM_MAX_TOKENS,
        timeout=_SILENCE_S,
        usage_telemetry_enabled=False,
    )


def _hugging_face() -> BaseLanguageModel[Any]:
    """Through the router's OpenAI-compatible API: Hugging Face's own client blocks the event loop on its first use."""
    if settings.llm.HF_TOKEN is None:
        raise ConfigurationError.of("HF_TOKEN", "is required for LLM_PROVIDER=huggingface")
    if settings.llm.HF_MODEL is None:
        raise ConfigurationError.of("HF_MODEL", "is required for LLM_PROVIDER=huggingface, as org/model")
    return _openai_compatible(settings.llm.HF_MODEL, settings.llm.HF_TOKEN, settings.llm.HF_BASE_URL)


def _openai() -> BaseLanguageModel[Any]:
    key, base_url = settings.llm.OPENAI_API_KEY, settings.llm.OPENAI_BASE_URL or _OPENAI_URL
    if key is None and base_url.rstrip("/") == _OPENAI_URL:
        raise ConfigurationError.of("OPENAI_API_KEY", "is required unless OPENAI_BASE_URL names another server")
    return _openai_compatible(settings.llm.OPENAI_MODEL, key or _KEYLESS, base_url)


def _openai_compatible(model: str, key: SecretStr, base_url: str) -> BaseLanguageModel[Any]:
    try:
        from langchain_openai import ChatOpenAI
    except ImportError as error:
        raise ConfigurationError.of("LLM_PROVIDER", "this model needs: pip install 'offhook[openai]'") from error
    logging.getLogger("openai").setLevel(logging.INFO)  # at DEBUG it logs whole conversations
    # Servers other than OpenAI's know the number of tokens only by its older name.
    limit = "max_completion_tokens" if base_url.rstrip("/") == _OPENAI_URL else "max_tokens"
    return ChatOpenAI(
        model=model,
        api_key=key,
        base_url=base_url,
        temperature=settings.llm.LLM_TEMPERATURE,
        extra_body={limit: settings.llm.LLM_MAX_TOKENS},
        stream_usage=False,
        max_retries=0,  # the client would wait in silence for as long as the server tells it to
        timeout=_SILENCE_S,
    )


def _imported(path: str) -> BaseLanguageModel[Any]:
    """The model at `package.module:Name`: itself, or what calling it without arguments returns."""
    module_name, _, name = path.partition(":")
    try:
        found: object = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError.of("LLM_PROVIDER", f"cannot import {path}: {error}") from error
    if callable(found) and not isinstance(found, BaseLanguageModel):
        found = found()
    if not isinstance(found, BaseLanguageModel):
        raise ConfigurationError.of("LLM_PROVIDER", f"{path} is not a LangChain language model, nor does it make one")
    return found
