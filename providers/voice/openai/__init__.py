"""OpenAI: transcription of files and of live calls, and speech; also any server that speaks its protocol."""

from providers.voice.openai.provider import OpenAIVoiceConfig, OpenAIVoiceProvider

__all__ = ["OpenAIVoiceConfig", "OpenAIVoiceProvider"]
