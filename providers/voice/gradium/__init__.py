"""Gradium: recognition that judges the turn every 80 ms, and speech."""

from providers.voice.gradium.provider import GradiumConfig, GradiumVoiceProvider

__all__ = ["GradiumConfig", "GradiumVoiceProvider"]
