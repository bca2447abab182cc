"""Speech engines by name: the registry, and the way from a setting to an instance."""

import importlib
from importlib.metadata import entry_points
from typing import Any, ClassVar

from providers.errors import ConfigurationError
from providers.settings import names, settings
from providers.voice.base import BaseVoiceProvider

SHIPPED = {
    "cartesia": "providers.voice.cartesia:CartesiaVoiceProvider",
    "assemblyai": "providers.voice.assemblyai:AssemblyAIVoiceProvider",
    "deepgram": "providers.voice.deepgram:DeepgramVoiceProvider",
    "elevenlabs": "providers.voice.elevenlabs:ElevenLabsVoiceProvider",
    "gradium": "providers.voice.gradium:GradiumVoiceProvider",
    "local": "providers.voice.local:LocalVoiceProvider",
    "nvidia": "providers.voice.nvidia:NvidiaVoiceProvider",
    "openai": "providers.voice.openai:OpenAIVoiceProvider",
    "scripted": "providers.voice.scripted:ScriptedVoiceProvider",
}
"""The engines that come with Offhook, imported when they are asked for."""
ENTRY_POINTS = "offhook.voice"
"""The group of entry points under which installed packages name engines of their own."""


class VoiceProviderFactory:
    """Makes the engine that a setting names."""

    _registry: ClassVar[dict[str, type[BaseVoiceProvider]]] = {}

    @classmethod
    def register(cls, provider_name: str, provider_class: type[BaseVoiceProvider]) -> None:
        """Make an engine known by a name; names are not case-sensitive, and the last registration counts."""
        cls._registry[provider_name.lower()] = provider_class

    @classmethod
    def create_provider(cls, provider_name: str | None = None) -> BaseVoiceProvider:
        """Make an engine, not yet connected: the named one, or the one `VOICE_PROVIDER` names.

        A name with a colon is an import path, `package.module:Class`; of names split by commas one engine is made that
        goes on with the next when one fails. Raises `ConfigurationError` (a `ValueError`) for an unknown name and for
        settings that do not do.
        """
        provider_name = provider_name or settings.voice.VOICE_PROVIDER
        listed = names(provider_name)
        if len(listed) > 1:
            from providers.voice.failover import FailoverVoiceProvider

            engines = {name: cls.create_provider(name) for name in listed}
            return FailoverVoiceProvider(engines, settings.voice.VOICE_ATTEMPT_S)
        provider_name = "".join(listed)
        if ":" in provider_name:
            return _imported(provider_name).from_settings(settings.voice)
        cls.provider_class(provider_name)

        return cls._registry[provider_name].from_settings(settings.voice)

    @classmethod
    def provider_class(cls, provider_name: str) -> type[BaseVoiceProvider]:
        """The class behind one name or import path, imported but not made; raises `ConfigurationError`."""
        if ":" in provider_name:
            return _imported(provider_name)
        provider_name = provider_name.lower()
        if provider_name not in cls._registry:
            path = _known().get(provider_name)
            if path is None:
                raise ConfigurationError.of(
                    "VOICE_PROVIDER",
                    f"Unknown voice provider: {provider_name} (known: {', '.join(cls.known())}, "
                    "or an import path module:Class)",
                )
            cls.register(provider_name, _imported(path))
        return cls._registry[provider_name]

    @classmethod
    def known(cls) -> list[str]:
        """The names of all engines: registered, shipped, and of installed packages."""
        return sorted({*cls._registry, *_known()})


def _known() -> dict[str, str]:
    """Import paths of engines by name: ours, and those of installed packages."""
    return {point.name.lower(): point.value for point in entry_points(group=ENTRY_POINTS)} | SHIPPED


def _imported(path: str) -> type[BaseVoiceProvider]:
    module_name, _, class_name = path.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError.of("VOICE_PROVIDER", f"cannot import {path}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, BaseVoiceProvider)):
        raise ConfigurationError.of("VOICE_PROVIDER", f"{path} is not a BaseVoiceProvider")
    return found
