"""The embedded language model: a LangChain chat model that answers from a business file, without a network."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.business import Business
from agent.frontdesk.conversation import began_at, caller_number, due
from agent.frontdesk.desk import Desk
from agent.frontdesk.intents import VOCABULARY
from agent.frontdesk.lexicon import Lexicon
from agent.frontdesk.state import Reply
from providers.errors import ConfigurationError

_ARGUMENTS = {
    "hang_up": {"reason"},
    "transfer_call": {"destination"},
    "take_booking": {"what", "name", "party_size", "date", "time"},
    "take_message": {"name", "message", "callback_number"},
}
"""The tools it knows how to use, and what it can tell them."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FrontDeskModel(BaseChatModel):
    """Runs the front desk of one business: English only, and nothing is said that the business file does not hold.

    It keeps no state: every reply is worked out from the whole history, so that it goes on after an interruption, or
    in another process. `now` gives the time with its zone; a date in the system message goes before it. Raises
    `ConfigurationError` for a business that speaks another language.
    """

    business: Business
    now: Callable[[], datetime]

    def __init__(self, business: Business, now: Callable[[], datetime] = _utc_now, **kwargs: Any) -> None:
        if not business.language.startswith("en"):
            raise ConfigurationError.of(
                "LLM_PROVIDER", f"the embedded model speaks English only, not {business.language}"
            )
        fields: dict[str, Any] = {"business": business, "now": now, **kwargs}
        super().__init__(**fields)
        _ = self._lexicon  # built at start-up rather than in the first call

    @property
    def _llm_type(self) -> str:
        return "frontdesk"

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(self.business, VOCABULARY)

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let it use tools: those it knows by name and arguments; others are never called."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Word by word; the tool call comes after the words. Safe to close or cancel anywhere."""
        for chunk in self._chunks(messages, kwargs.get("tools", ())):
            yield chunk
            await asyncio.sleep(0)  # nothing else here waits, and other calls want their turn

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first, *rest = (chunk.message for chunk in self._chunks(messages, kwargs.get("tools", ())))
        whole = sum(rest, first)
        message = AIMessage(content=whole.content, tool_calls=getattr(whole, "tool_calls", []))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _chunks(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]
    ) -> Iterator[ChatGenerationChunk]:
        known = _usable(tools)
        now = began_at(messages, self.now().astimezone(self.business.zone))
        desk = Desk(self.business, self._lexicon, now, frozenset(known), caller_number(messages))
        for message in _messages(due(messages, desk), known, f"call_{len(messages)}"):
            yield ChatGenerationChunk(message=message)


def _messages(reply: Reply, tools: Mapping[str, frozenset[str]], call_id: str) -> Iterator[AIMessageChunk]:
    for word in re.findall(r"\S+\s*", reply.text) or ([] if reply.call else [""]):
        yield AIMessageChunk(content=word)
    if reply.call is not None:
        args = {name: value for name, value in reply.call.args.items() if name in tools[reply.call.name]}
        head = tool_call_chunk(name=reply.call.name, args="", id=call_id, index=0)
        yield AIMessageChunk(content="", tool_call_chunks=[head])
        for fragment in re.findall(r"[^,]+,?", json.dumps(args, ensure_ascii=False)):
            yield AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args=fragment, index=0)])
    yield AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls" if reply.call else "stop"})


def _usable(tools: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """The bound tools that we know and can give all they require, each with the arguments it takes."""
    found = {}
    for tool in tools:
        name, schema = tool["function"]["name"], tool["function"].get("parameters", {})
        if name in _ARGUMENTS and _ARGUMENTS[name] >= set(schema.get("required", ())):
            found[name] = frozenset(schema.get("properties", ()))
    return found
