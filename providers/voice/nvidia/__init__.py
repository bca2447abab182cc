"""NVIDIA's speech services, Riva and NIM: hosted functions, or a server of one's own."""

from providers.errors import ConfigurationError

try:
    from providers.voice.nvidia.provider import NvidiaConfig, NvidiaVoiceProvider
except ModuleNotFoundError as error:
    raise ConfigurationError.of(
        "VOICE_PROVIDER", f"nvidia needs {error.name}: pip install 'offhook[nvidia]'"
    ) from error

__all__ = ["NvidiaConfig", "NvidiaVoiceProvider"]
