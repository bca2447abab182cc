"""Deepgram: Nova and Flux recognition, Aura speech."""

from providers.voice.deepgram.provider import DeepgramConfig, DeepgramVoiceProvider

__all__ = ["DeepgramConfig", "DeepgramVoiceProvider"]
