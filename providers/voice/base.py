"""The contract every speech engine meets: connect, speak, recognise, say what it knows of the turn."""

import re
import typing
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel

from providers.settings import VoiceSettings, config_from_environment
from providers.voice.types import TranscriptionResult, VADInfo, VoiceCapabilities, WordTiming


class VoiceProviderConfig(BaseModel):
    """What an engine needs to know. Rates are in Hz and describe the PCM it takes and gives."""

    provider_name: str
    sample_rate_input: int = 24000
    sample_rate_output: int = 48000
    chunk_duration_ms: int = 80


class BaseVoiceProvider(ABC):
    """One engine in one call: an instance is made, connected, used and disconnected per call.

    What is dear to set up and can be shared by calls (models, HTTP pools) belongs to the engine's module, not to the
    instance. Audio in both directions is mono PCM16 little-endian at the config's rates, unless `capabilities` says
    otherwise; chunks may be of any size and need not hold whole samples.
    """

    capabilities: VoiceCapabilities = VoiceCapabilities()
    """What it can do; an engine of which that depends on its configuration sets this in `__init__`."""
    languages: ClassVar[str] = ""
    """What it hears and speaks, in a few words for the operator."""
    voice_setting: ClassVar[str] = ""
    """The setting that names its voice, for a business that brings one; empty if there is nothing to choose."""
    packages: ClassVar[Sequence[str]] = ()
    """What it imports that the project does not need itself."""

    def __init__(self, config: VoiceProviderConfig) -> None:
        self.config = config
        self.hears = self.speaks = True
        """What of it this call uses, so that `connect` need open no more; set by whoever made it."""
        self._connected = False

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        """Build an instance from the settings: the way in for an engine the factory has never heard of.

        This default reads the config class from the annotation of `__init__` and fills each field from the
        environment: `MyProvider` with `provider_name = "myprovider"` finds `api_key` in `MY_PROVIDER_API_KEY` or
        `MYPROVIDER_API_KEY`. Raises `ConfigurationError` that names every missing or bad variable.
        """
        config_class = typing.get_type_hints(cls.__init__).get("config", VoiceProviderConfig)
        return cls(config_from_environment(config_class, *_variable_prefixes(cls.__name__, config_class)))

    @classmethod  # noqa: B027 - most engines have nothing to load
    async def prepare(cls, settings: VoiceSettings) -> None:
        """Load what all calls share, such as models; awaited once at start-up, in the background."""

    @abstractmethod
    async def connect(self) -> None:
        """Get ready to serve; raises `ProviderException` if the engine cannot be had."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Let go of everything held; safe to call twice and after a failed `connect`."""

    @abstractmethod
    def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        """Speak one piece of text, usually a sentence; closing the iterator frees the engine at once."""

    @abstractmethod
    def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        """Recognise one utterance; the end of `audio_stream` is the end of it, and a final result must follow.

        Closing the iterator, or cancelling the task that reads it, abandons the work.
        """

    @abstractmethod
    async def get_vad_info(self) -> VADInfo | None:
        """The engine's view of the caller's turn, or None when it has none."""

    def word_timings(self) -> Sequence[WordTiming]:
        """When each word is spoken of the text that was given to `text_to_speech` last, as far as it is known by now.

        An entry for each word as white space parts them, in order. None by default: then how far the caller has heard
        is estimated.
        """
        return ()

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()


def _variable_prefixes(class_name: str, config_class: type[VoiceProviderConfig]) -> list[str]:
    """Environment prefixes for an engine, likeliest first: `MyProvider` → `MY_PROVIDER`, then its provider_name."""
    stem = class_name.removesuffix("VoiceProvider")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem or class_name).upper()
    declared = config_class.model_fields["provider_name"].default
    names = [words, re.sub(r"\W+", "_", declared).upper()] if isinstance(declared, str) else [words]
    return list(dict.fromkeys(names))
