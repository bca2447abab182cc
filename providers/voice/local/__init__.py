"""The embedded speech engine, `VOICE_PROVIDER=local`: hears and speaks English with no account and no network."""

from providers.voice.local.provider import LocalVoiceConfig, LocalVoiceProvider

__all__ = ["LocalVoiceConfig", "LocalVoiceProvider"]
