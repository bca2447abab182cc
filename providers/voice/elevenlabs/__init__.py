"""ElevenLabs: Scribe recognition, Flash speech."""

from providers.voice.elevenlabs.provider import ElevenLabsConfig, ElevenLabsVoiceProvider

__all__ = ["ElevenLabsConfig", "ElevenLabsVoiceProvider"]
