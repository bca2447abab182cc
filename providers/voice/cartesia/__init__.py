"""Cartesia: Ink recognition, Sonic speech."""

from providers.voice.cartesia.provider import CartesiaConfig, CartesiaVoiceProvider

__all__ = ["CartesiaConfig", "CartesiaVoiceProvider"]
