"""AssemblyAI: Universal streaming recognition, streaming speech."""

from providers.voice.assemblyai.provider import AssemblyAIConfig, AssemblyAIVoiceProvider

__all__ = ["AssemblyAIConfig", "AssemblyAIVoiceProvider"]
