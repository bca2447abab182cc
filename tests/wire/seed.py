"""What somebody who has only the owner's document writes: a voice provider, a language model, their tests.

The texts are the document's own, its paths read as ours (`src/models/voice/` as `providers/voice/`, `src/agent/` as
`agent/`, `src/core/settings.py` as `providers/settings.py`). The document leaves the vendors' packages to the reader:
here they are small ones that talk to nobody.
"""

MY_PROVIDER = """
from typing import AsyncIterator, Optional

from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.types import TranscriptionResult, VADInfo

from myprovider_sdk import MyProviderClient


class MyProviderConfig(VoiceProviderConfig):
    provider_name: str = "myprovider"
    api_key: str
    # Add provider-specific settings


class MyProvider(BaseVoiceProvider):
    def __init__(self, config: MyProviderConfig):
        super().__init__(config)
        self.config: MyProviderConfig = config
        self.client = None
    
    async def connect(self) -> None:
        # Initialize provider client
        self.client = MyProviderClient(api_key=self.config.api_key)
        self._connected = True
    
    async def disconnect(self) -> None:
        # Cleanup resources
        if self.client:
            await self.client.close()
        self._connected = False
    
    async def text_to_speech(
        self, text: str, stream: bool = True
    ) -> AsyncIterator[bytes]:
        # Generate speech audio
        async for chunk in self.client.tts(text):
            yield chunk
    
    async def speech_to_text(
        self, audio_stream: AsyncIterator[bytes]
    ) -> AsyncIterator[TranscriptionResult]:
        # Transcribe audio
        async for result in self.client.stt(audio_stream):
            yield TranscriptionResult(
                text=result.text,
                start_s=result.start_time,
                is_final=result.is_final,
            )
    
    async def get_vad_info(self) -> Optional[VADInfo]:
        # Return VAD info if available
        return None
"""  # noqa: W293 - the document's own

MY_PROVIDER_SDK = '''
from collections import namedtuple
from itertools import cycle

Result = namedtuple("Result", "text start_time is_final")


class MyProviderClient:
    """Takes PCM16 at 24 kHz and gives it at 48 kHz, which is what the contract says where a config says nothing."""

    def __init__(self, api_key):
        if api_key != "mp_secret":
            raise PermissionError("wrong key")
        self._lines = cycle(["How much is the large mushroom pizza?", "Thank you, goodbye."])

    async def close(self):
        pass

    async def tts(self, text):
        for word in text.split():  # 0.1 s of a buzz each, in chunks that do not hold whole samples
            yield (b"\\x00\\x10" * 240 + b"\\x00\\xf0" * 240) * 10 + b"\\x00"
            yield b"\\x00"

    async def stt(self, audio_stream):
        heard = 0
        async for chunk in audio_stream:
            heard += len(chunk)
        line = next(self._lines)
        yield Result(line.split()[0], 0.0, False)
        yield Result(line if heard > 24000 else "", 0.0, True)
'''

MY_PROVIDER_TEST = """
import pytest
from unittest.mock import AsyncMock

from providers.voice.myprovider import MyProvider, MyProviderConfig


@pytest.fixture
def my_provider():
    config = MyProviderConfig(api_key="test-key")
    return MyProvider(config)


@pytest.mark.asyncio
async def test_connect(my_provider):
    await my_provider.connect()
    assert my_provider.is_connected


@pytest.mark.asyncio
async def test_tts(my_provider):
    await my_provider.connect()
    
    chunks = []
    async for chunk in my_provider.text_to_speech("Hello"):
        chunks.append(chunk)
    
    assert len(chunks) > 0
""".replace("test-key", "mp_secret")  # noqa: W293 - the document's own

REGISTRATION = """
from providers.voice.myprovider import MyProvider, MyProviderConfig

VoiceProviderFactory.register("myprovider", MyProvider)
"""

VOICE_SETTINGS = """
    # MyProvider settings
    MY_PROVIDER_API_KEY: str = Field(default="")
    MY_PROVIDER_SETTING: str = Field(default="default")
"""

FACTORY_BRANCH = """
        if provider_name == "myprovider":
            config = MyProviderConfig(
                api_key=settings.voice.MY_PROVIDER_API_KEY,
                # Map other settings...
            )
            return cls._registry[provider_name](config)
"""

LLM_PACKAGE = """
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage


class MyProviderLLM(GenericFakeChatModel):
    def __init__(self, model, api_key, temperature, max_tokens):
        if not api_key:
            raise PermissionError("no key")
        super().__init__(messages=iter(lambda: AIMessage(f"I am {model}."), None))
"""

LLM_IMPORT = "from langchain_myprovider import MyProviderLLM\n"

LLM_BRANCH = """
        if provider == "myprovider":
            logger.info(f"Initializing MyProvider LLM: {settings.llm.MY_PROVIDER_MODEL}")
            llm = MyProviderLLM(
                model=settings.llm.MY_PROVIDER_MODEL,
                api_key=settings.llm.MY_PROVIDER_API_KEY,
                temperature=settings.llm.LLM_TEMPERATURE,
                max_tokens=settings.llm.LLM_MAX_TOKENS,
            )
"""

LLM_SETTINGS = """
    # MyProvider LLM settings
    MY_PROVIDER_API_KEY: Optional[str] = Field(default=None)
    MY_PROVIDER_MODEL: Optional[str] = Field(default="default-model")
    
    @field_validator("LLM_PROVIDER")
    @classmethod
    def validate_provider(cls, v: str) -> str:
        valid = ["nvidia", "huggingface", "myprovider"]
        if v.lower() not in valid:
            raise ValueError(f"LLM_PROVIDER must be one of: {valid}")
        return v.lower()
"""  # noqa: W293 - the document's own

LLM_TEST = """
from unittest.mock import patch

from agent.llm_factory import LLMFactory


def test_myprovider_llm():
    with patch("agent.llm_factory.settings") as mock_settings:
        mock_settings.llm.LLM_PROVIDER = "myprovider"
        mock_settings.llm.MY_PROVIDER_MODEL = "test-model"
        mock_settings.llm.MY_PROVIDER_API_KEY = "test-key"
        
        llm = LLMFactory.create_llm(use_cache=False)
        assert llm is not None
"""  # noqa: W293 - the document's own
