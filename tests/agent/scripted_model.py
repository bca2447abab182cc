"""A chat model that follows a script: words, chunks, waits and failures, and a record of how it was used."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, BaseLanguageModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from agent.minds import Minds

type Step = str | AIMessageChunk | asyncio.Event | Exception
"""Said, streamed, waited for, raised."""


class ScriptedChatModel(BaseChatModel):
    """One list of steps for each request, in turn. `asked` are the requests; `left` counts the streams that ended."""

    script: list[list[Any]]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    tools: list[Any] = Field(default_factory=list)
    left: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        self.tools = list(tools)
        return self.bind()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise AssertionError("a reply streams")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        steps: list[Step] = self.script[len(self.asked)]
        self.asked.append(list(messages))
        try:
            for step in steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    chunk = AIMessageChunk(content=step) if isinstance(step, str) else step
                    yield ChatGenerationChunk(message=chunk)
        finally:
            self.left += 1


def asks(name: str, args: str = "{}", *, id: str | None = "call_1", index: int | None = 0) -> AIMessageChunk:
    """A chunk that asks for a tool, or goes on asking where `name` is empty."""
    return AIMessageChunk(
        content="", tool_call_chunks=[tool_call_chunk(name=name or None, args=args, id=id, index=index)]
    )


def alone(model: BaseLanguageModel[Any], name: str = "") -> Minds:
    """Line-up of one model."""
    return Minds({name or type(model).__name__: model})
