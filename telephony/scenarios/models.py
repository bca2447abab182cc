"""The language models of invented time: a scripted one, and the embedded one listened in on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from agent.business import Business
from agent.frontdesk.model import FrontDeskModel
from providers.errors import LLMError
from telephony.scenarios.bot import CallTool, Fail, Piece, Reply, Stall, Words

_NAME = "scripted"


class NotedFrontDesk(FrontDeskModel):
    """The embedded model, telling `asked` what it is asked."""

    asked: Callable[[str], None]

    def __init__(self, business: Business, now: Callable[[], datetime], asked: Callable[[str], None]) -> None:
        super().__init__(business, now, asked=asked)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked(_last_words(messages))
        async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
            yield chunk


class ScriptedModel(BaseChatModel):
    """Answers each turn of the conversation with the next reply, or with the one that is meant for such words.

    A turn is what the history says it is: asked again about the same one, in a second attempt or after it was asked
    too soon, it gives the same reply. After a tool the reply goes on behind it. `asked` is told what it is asked,
    `lacking` what it has no reply for.
    """

    replies: tuple[Reply, ...]
    asked: Callable[[str], None]
    lacking: Callable[[str], None]
    _turns: dict[tuple[str, ...], int] = PrivateAttr(default_factory=dict)
    _attempts: dict[tuple[int, int], int] = PrivateAttr(default_factory=dict)
    _calls: int = PrivateAttr(default=0)

    @property
    def _llm_type(self) -> str:
        return _NAME

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise LLMError("the scripted model only streams", provider=_NAME, operation="reply")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        words = _last_words(messages)
        self.asked(words)
        number = self._entry(messages, words)
        asked_before = _last_human(messages)
        part = sum(isinstance(message, AIMessage) and bool(message.tool_calls) for message in messages[asked_before:])
        parts = _parts(self.replies[number].reply) if number is not None else []
        if number is None or part >= len(parts):
            self.lacking(words)
            raise LLMError("the script has no reply for this", provider=_NAME, operation="reply")
        attempt = self._attempts[number, part] = self._attempts.get((number, part), 0) + 1
        for piece in parts[part]:
            async for chunk in self._perform(piece, attempt):
                yield ChatGenerationChunk(message=chunk)

    async def _perform(self, piece: Piece, attempt: int) -> AsyncIterator[AIMessageChunk]:
        match piece:
            case Words(say=text):
                for word in text.split():
                    yield AIMessageChunk(content=word + " ")
            case Stall(stall=seconds, times=times):
                if attempt <= times:
                    await asyncio.sleep(seconds)
            case Fail(fail=True, times=times):
                if attempt <= times:
                    raise LLMError("the script breaks the line", provider=_NAME, operation="reply", retryable=True)
            case CallTool(tool=name):
                self._calls += 1
                call_id = f"call_{self._calls}"
                yield AIMessageChunk(content="", tool_calls=[{"name": name, "args": piece.args, "id": call_id}])

    def _entry(self, messages: list[BaseMessage], words: str) -> int | None:
        for number, reply in enumerate(self.replies):
            if reply.to is not None and reply.to.found_in(words):
                return number
        before = tuple(str(message.content) for message in messages[: _last_human(messages)])
        turn = self._turns.setdefault(before, len(self._turns))
        in_order = [number for number, reply in enumerate(self.replies) if reply.to is None]
        return in_order[turn] if turn < len(in_order) else None


def _parts(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """A reply cut behind each run of tool calls: what comes after one is written when its result is known."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        if parts[-1] and isinstance(parts[-1][-1], CallTool) and not isinstance(piece, CallTool):
            parts.append([])
        parts[-1].append(piece)
    return parts


def _last_human(messages: Sequence[BaseMessage]) -> int:
    return max((place for place, message in enumerate(messages) if isinstance(message, HumanMessage)), default=0)


def _last_words(messages: Sequence[BaseMessage]) -> str:
    return str(messages[_last_human(messages)].content)
