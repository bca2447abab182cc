"""The engines' configuration: the only module outside `telephony.settings` that reads the environment."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from providers.errors import ConfigurationError, Problem


class CoreSettings(BaseSettings):
    """Where settings come from: environment variables, then a `.env` file in the working directory."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, case_sensitive=True, extra="ignore", hide_input_in_errors=True
    )


class VoiceSettings(CoreSettings):
    """Which engines hear and speak, and what they need."""

    VOICE_PROVIDER: str = Field(
        default="local",
        description="Engine for both directions, or an import path `module:Class`; or a list of them, split by commas, "
        "each stepping in for those before it",
    )
    VOICE_STT_PROVIDER: str | None = Field(
        default=None, description="Engine that hears, or a list, if another than VOICE_PROVIDER"
    )
    VOICE_TTS_PROVIDER: str | None = Field(
        default=None, description="Engine that speaks, or a list, if another than VOICE_PROVIDER"
    )
    VOICE_ATTEMPT_S: float = Field(
        default=2.0, gt=0, description="How long an engine of a list may keep a caller waiting before the next is asked"
    )

    LOCAL_STT_MODEL: str | None = Field(
        default=None, description="Folder of another ctranslate2 Whisper model for VOICE_PROVIDER=local"
    )
    LOCAL_TTS_VOICE: str = Field(
        default="heart", description="Its voice: a hibari voice present on this machine, or the path of one"
    )

    DEEPGRAM_API_KEY: SecretStr | None = Field(default=None, description="Key for VOICE_PROVIDER=deepgram")
    DEEPGRAM_BASE_URL: str = Field(default="wss://api.deepgram.com", description="Deepgram's servers")
    DEEPGRAM_STT_MODEL: str = Field(
        default="nova-3", description="Deepgram model that hears: a nova or, with turns of its own, a flux"
    )
    DEEPGRAM_TTS_MODEL: str = Field(default="aura-2-thalia-en", description="Deepgram voice that speaks")
    DEEPGRAM_LANGUAGE: str = Field(default="en", description="Language Deepgram hears")
    DEEPGRAM_EAGER_EOT_THRESHOLD: float | None = Field(
        default=None,
        ge=0.3,
        le=0.7,
        description="How sure a flux must be to tell early that a turn may be over; 0.3 to 0.7",
    )

    CARTESIA_API_KEY: SecretStr | None = Field(default=None, description="Key for VOICE_PROVIDER=cartesia")
    CARTESIA_BASE_URL: str = Field(default="wss://api.cartesia.ai", description="Cartesia's servers")
    CARTESIA_VERSION: str = Field(default="2026-03-01", description="Version of Cartesia's interface, a date")
    CARTESIA_STT_MODEL: str = Field(
        default="ink-2",
        description="Cartesia model that hears: an ink-2 finds the caller's turns, an ink-whisper does not",
    )
    CARTESIA_TTS_MODEL: str = Field(default="sonic-3.5", description="Cartesia model that speaks")
    CARTESIA_VOICE_ID: str = Field(
        default="f786b574-daa5-4673-aa0c-cbe3e8534c02", description="Cartesia voice that speaks"
    )
    CARTESIA_LANGUAGE: str = Field(default="en", description="Language Cartesia hears and speaks")

    NVIDIA_API_KEY: SecretStr | None = Field(default=None, description="Key for NVIDIA's hosted models")
    NVIDIA_SPEECH_TARGET: str = Field(
        default="grpc.nvcf.nvidia.com:443", description="Server for VOICE_PROVIDER=nvidia, as host:port"
    )
    NVIDIA_SPEECH_TTS_TARGET: str | None = Field(
        default=None, description="Server that speaks, if another than NVIDIA_SPEECH_TARGET"
    )
    NVIDIA_SPEECH_TLS: bool = Field(default=True, description="Without it neither key nor function ids are sent")
    NVIDIA_SPEECH_STT_FUNCTION_ID: str = Field(
        default="bb0837de-8c7b-481f-9ec8-ef5663e9c1fa",
        description="Hosted function that hears, as build.nvidia.com shows it; NVIDIA changes it now and then",
    )
    NVIDIA_SPEECH_TTS_FUNCTION_ID: str = Field(
        default="877104f7-e885-42b9-8de8-f6e4c6303969", description="Hosted function that speaks, likewise"
    )
    NVIDIA_SPEECH_STT_MODEL: str = Field(default="", description="Model that hears; the server picks one if unset")
    NVIDIA_SPEECH_VOICE: str = Field(default="Magpie-Multilingual.EN-US.Aria", description="Voice that speaks")
    NVIDIA_SPEECH_LANGUAGE: str = Field(default="en-US", description="Language NVIDIA's speech hears and speaks")

    ELEVENLABS_API_KEY: SecretStr | None = Field(default=None, description="Key for VOICE_PROVIDER=elevenlabs")
    ELEVENLABS_BASE_URL: str = Field(
        default="wss://api.elevenlabs.io", description="ElevenLabs' servers; a key belongs to one region"
    )
    ELEVENLABS_STT_MODEL: str = Field(default="scribe_v2_realtime", description="ElevenLabs model that hears")
    ELEVENLABS_TTS_MODEL: str = Field(default="eleven_flash_v2_5", description="ElevenLabs model that speaks")
    ELEVENLABS_VOICE: str = Field(default="21m00Tcm4TlvDq8ikWAM", description="Id of the ElevenLabs voice")
    ELEVENLABS_LANGUAGE: str = Field(default="en", description="Language ElevenLabs hears")
    ELEVENLABS_COMMIT: Literal["manual", "vad"] = Field(
        default="manual", description="Who ends a stretch of speech: manual is our own turn-taking, vad is ElevenLabs'"
    )

    GRADIUM_API_KEY: SecretStr | None = Field(default=None, description="Key for VOICE_PROVIDER=gradium")
    GRADIUM_BASE_URL: str = Field(
        default="wss://api.gradium.ai", description="Gradium's servers; eu. and us. before api keep to a region"
    )
    GRADIUM_STT_MODEL: str = Field(default="default", description="Gradium model that hears")
    GRADIUM_TTS_MODEL: str = Field(default="default", description="Gradium model that speaks")
    GRADIUM_VOICE: str = Field(default="YTpq7expH9539ERJ", description="Id of the Gradium voice")
    GRADIUM_LANGUAGE: str = Field(default="en", description="Language Gradium hears")

    ASSEMBLYAI_API_KEY: SecretStr | None = Field(default=None, description="Key for VOICE_PROVIDER=assemblyai")
    ASSEMBLYAI_STT_URL: str = Field(
        default="wss://streaming.assemblyai.com", description="AssemblyAI's servers that hear"
    )
    ASSEMBLYAI_TTS_URL: str = Field(
        default="wss://tts.us.assemblyai.com", description="AssemblyAI's servers that speak"
    )
    ASSEMBLYAI_STT_MODEL: str = Field(default="universal-streaming-english", description="AssemblyAI model that hears")
    ASSEMBLYAI_TTS_MODEL: str = Field(default="assemblyai-tts-1", description="AssemblyAI model that speaks")
    ASSEMBLYAI_VOICE: str = Field(default="aai-jane", description="Id of the AssemblyAI voice")

    OPENAI_API_KEY: SecretStr | None = Field(
        default=None, description="Key for OpenAI, or for a compatible server that wants one"
    )
    OPENAI_STT_BASE_URL: str = Field(
        default="https://api.openai.com/v1", description="OpenAI or a compatible server, to hear"
    )
    OPENAI_STT_MODEL: str = Field(
        default="whisper-1", description="OpenAI model that hears: gpt-live-transcribe does while the caller speaks"
    )
    OPENAI_STT_REALTIME: bool | None = Field(
        default=None, description="Whether it hears over a WebSocket; if unset, every gpt- model does"
    )
    OPENAI_STT_LANGUAGE: str = Field(default="en", description="Language OpenAI hears")
    OPENAI_TTS_BASE_URL: str = Field(
        default="https://api.openai.com/v1", description="OpenAI or a compatible server, to speak"
    )
    OPENAI_TTS_MODEL: str = Field(default="tts-1", description="OpenAI model that speaks")
    OPENAI_TTS_VOICE: str = Field(default="alloy", description="Its voice")

    SCRIPTED_TRANSCRIPTS: str = Field(
        default="Hello.", description="What VOICE_PROVIDER=scripted hears, lines split by |"
    )


class LLMSettings(CoreSettings):
    """Which language model thinks, and what it needs."""

    LLM_PROVIDER: str = Field(
        default="local",
        description="Language model, or an import path `module:Name`; or a list of them, split by commas, each "
        "stepping in for those before it",
    )
    LLM_FALLBACK_PROVIDER: str | None = Field(
        default=None, description="Language model asked after those of LLM_PROVIDER, by name or import path"
    )
    LLM_TEMPERATURE: float = Field(default=0.7, ge=0, le=2, description="0 is steady, 2 is wild")
    LLM_MAX_TOKENS: int = Field(default=1024, gt=0, description="Longest reply, in tokens")
    BUSINESS_FILE: str | None = Field(
        default=None, description="The business to answer for; the shipped example if unset"
    )
    FRONT_DESK_BOOK: str = Field(
        default="front-desk.jsonl", description="File that bookings and messages are added to, one JSON object a line"
    )
    TOOLS_MODULE: str | None = Field(
        default=None, description="Your own LangChain tools: an import path `package.module`, or a file `tools.py`"
    )

    NVIDIA_API_KEY: SecretStr | None = Field(default=None, description="Key for NVIDIA's hosted models")
    NVIDIA_MODEL: str = Field(default="meta/llama-3.1-8b-instruct", description="Model for LLM_PROVIDER=nvidia")
    NVIDIA_BASE_URL: str = Field(
        default="https://integrate.api.nvidia.com/v1", description="Server for LLM_PROVIDER=nvidia"
    )

    HF_TOKEN: SecretStr | None = Field(default=None, description="Hugging Face token")
    HF_BASE_URL: str = Field(
        default="https://router.huggingface.co/v1", description="Hugging Face's router, or an endpoint of your own"
    )
    HF_MODEL: str | None = Field(default=None, description="Model for LLM_PROVIDER=huggingface, as org/model")

    OPENAI_API_KEY: SecretStr | None = Field(
        default=None, description="Key for OpenAI, or for a compatible server that wants one"
    )
    OPENAI_BASE_URL: str | None = Field(
        default=None, description="OpenAI-compatible server (vLLM, llama.cpp, Ollama, NIM)"
    )
    OPENAI_MODEL: str = Field(default="gpt-6-luna", description="Model for LLM_PROVIDER=openai")

    @field_validator("LLM_PROVIDER")
    @classmethod
    def validate_provider(cls, v: str) -> str:
        valid = ["local", "nvidia", "huggingface", "openai"]
        if not names(v) or any(":" not in name and name not in valid for name in names(v)):
            raise ValueError(f"LLM_PROVIDER must be one of: {valid}, or an import path module:Name")
        return ",".join(names(v))


class Settings:
    """The settings as one object, each group read when it is first asked for."""

    @cached_property
    def voice(self) -> VoiceSettings:
        return load(VoiceSettings)

    @cached_property
    def llm(self) -> LLMSettings:
        return load(LLMSettings)

    def reload(self) -> None:
        """Forget what was read, so that the next access reads the environment again."""
        self.__dict__.clear()
        _variables.cache_clear()


settings = Settings()


def names(value: str) -> list[str]:
    """The engines that a setting lists, in their order; names are not case-sensitive, import paths are."""
    listed = (name.strip() for name in value.split(","))
    return list(dict.fromkeys(name if ":" in name else name.lower() for name in listed if name))


def load[S: CoreSettings](settings_class: type[S]) -> S:
    """Read one group of settings; raises `ConfigurationError` with every bad variable, never with its value."""
    try:
        return settings_class()
    except ValidationError as error:
        raise ConfigurationError(_problems(error)) from None


def config_from_environment[C: BaseModel](config_class: type[C], *prefixes: str) -> C:
    """Fill a config class from variables named `PREFIX_FIELD`, the first prefix that is set winning.

    They are read once, as all settings are, though an engine is made for every call. Raises `ConfigurationError` that
    names every variable that is missing or does not fit its field.
    """
    names = {field: [f"{prefix}_{field.upper()}" for prefix in prefixes] for field in config_class.model_fields}
    found = _variables(tuple(name for group in names.values() for name in group))
    values = {
        field: next(found[name] for name in group if found[name] is not None)
        for field, group in names.items()
        if any(found[name] is not None for name in group)
    }
    try:
        return config_class(**values)
    except ValidationError as error:
        raise ConfigurationError(
            _problems(error, rename=lambda field: " or ".join(names.get(field, [field])))
        ) from None


@lru_cache(maxsize=64)
def _variables(names: tuple[str, ...]) -> dict[str, Any]:
    """Whatever stands in these, None where nothing does."""
    fields: dict[str, Any] = dict.fromkeys(names, (Any, None))
    return create_model("Found", __base__=CoreSettings, **fields)().model_dump()


def _problems(error: ValidationError, rename: Callable[[str], str] = str) -> list[Problem]:
    return [
        Problem(
            rename(str(detail["loc"][0])) if detail["loc"] else "environment",
            detail["msg"].removeprefix("Value error, "),
        )
        for detail in error.errors(include_input=False, include_url=False)
    ]
