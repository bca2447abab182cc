"""ChatNVIDIA, with failures that can be told apart: on its own it hides what the server said, or that it said it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import aiohttp
from langchain_core.outputs import ChatGenerationChunk
from langchain_nvidia_ai_endpoints import ChatNVIDIA

from providers.errors import Fault, LLMError


class TellingChatNVIDIA(ChatNVIDIA):
    """Refusals are errors that hold status and headers, and a stream without an end is an error, too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._async_client.get_async_session_fn = lambda: _Session(self._async_client.timeout)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        """As the original, which passes over errors in the stream as if the answer ended there."""
        has_ended = False
        stream = cast(AsyncGenerator[ChatGenerationChunk], super()._astream(*args, **kwargs))
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                has_ended = has_ended or bool(chunk.message.response_metadata.get("finish_reason"))
                yield chunk
        if not has_ended:
            raise LLMError("the answer broke off", provider="nvidia", operation="reply", fault=Fault.PROTOCOL)


class _Session:
    """What ChatNVIDIA uses of a session, one for each request; closing it closes the answer, which it leaves open."""

    def __init__(self, silence_s: float) -> None:
        limits = aiohttp.ClientTimeout(connect=silence_s, sock_connect=silence_s, sock_read=silence_s)
        self._session = aiohttp.ClientSession(timeout=limits, raise_for_status=True)
        self._answer: aiohttp.ClientResponse | None = None

    async def post(self, url: str, **request: Any) -> aiohttp.ClientResponse:
        self._answer = await self._session.post(url, **request)
        return self._answer

    async def get(self, url: str, **request: Any) -> aiohttp.ClientResponse:
        self._answer = await self._session.get(url, **request)
        return self._answer

    async def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        await self._session.close()
