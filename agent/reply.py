"""One reply of the model: the conversation in, sentences and orders to the call out, cancellable at any point."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, BaseLanguageModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agent.failures import llm_error
from agent.sentences import SentenceSplitter, ThoughtFilter
from agent.tool_calls import Calls, asking_message, run_calls
from agent.tools import ControlRequested
from providers.errors import LLMError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """`characters` bounds one answer of the model, arguments of tools included, and each result of a tool."""

    first_token_s: float = 8.0
    next_token_s: float = 4.0
    tool_s: float = 5.0
    tool_rounds: int = 4
    characters: int = 4000


@dataclass(frozen=True, slots=True)
class FirstToken:
    """The model has begun to speak, or to ask for a tool; once in a reply."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to say, as the model wrote it: `agent.spoken.speakable` makes it fit for a voice."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRound:
    """Tools were run; `History.tool_round` takes this, and the reply goes on."""

    ai_message: AIMessage
    tool_messages: tuple[ToolMessage, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is complete; always the last event of one that neither failed nor was closed."""


type ReplyEvent = FirstToken | Sentence | ControlRequested | ToolRound | Finished


async def reply(
    llm: BaseLanguageModel[Any],
    messages: Sequence[BaseMessage],
    tools: Sequence[BaseTool] = (),
    limits: ReplyLimits = ReplyLimits(),
    provider: str = "",
) -> AsyncGenerator[ReplyEvent]:
    """Ask `llm` to answer `messages`; what it wants of `tools` is run, and it is asked again with the results.

    Yields events as they come, so that the first sentence can be spoken while the second is written. A control asked
    for together with other tools is put off until the model has seen how those went. Closing the generator, or
    cancelling the task that reads it, closes the model's connection at once; a tool that was running is cancelled,
    but what it had handed to a thread is finished there. Raises `LLMError`, also for an answer without a word in it;
    sentences that came before stand.
    """
    provider = provider or type(llm).__name__
    model = _with_tools(llm, tools)
    named = {tool.name: tool for tool in tools}
    conversation = list(messages)
    begun = False
    for _ in range(limits.tool_rounds + 1):
        answer = _Answer()
        async with aclosing(_listen(model, conversation, answer, limits, provider)) as events:
            async for event in events:
                if not (begun and isinstance(event, FirstToken)):
                    begun = True
                    yield event
        calls = answer.calls.finish()
        if not calls and not answer.text.strip():
            raise LLMError("the model said nothing", provider=provider, operation="reply", retryable=True)
        outcome = await run_calls(calls, named, limits.tool_s, limits.characters) if calls else None
        if not isinstance(outcome, list):
            if outcome:
                yield outcome
            yield Finished()
            return
        asking = asking_message(answer.text.strip(), calls)
        yield ToolRound(asking, tuple(outcome))
        conversation += [asking, *outcome]
    raise LLMError("the model went on asking for tools", provider=provider, operation="reply")


def _with_tools(llm: BaseLanguageModel[Any], tools: Sequence[BaseTool]) -> Runnable[Any, Any]:
    if not tools or not isinstance(llm, BaseChatModel):
        return llm
    try:
        return llm.bind_tools(tools)
    except NotImplementedError:  # a model that can only talk is still worth talking to
        return llm


class _Answer:
    """One answer of the model, while it comes in."""

    def __init__(self) -> None:
        self.text = ""
        self.calls = Calls()
        self.size = 0
        self._thoughts = ThoughtFilter()
        self._sentences = SentenceSplitter()

    def feed(self, chunk: str | BaseMessage) -> list[str]:
        """Take a chunk (plain text, if the model is no chat model); returns the sentences that are now complete."""
        if isinstance(chunk, AIMessage):
            self.size += self.calls.feed(chunk)
        return self._say(self._thoughts.feed(chunk if isinstance(chunk, str) else str(chunk.text)))

    def finish(self) -> list[str]:
        """The answer is complete: returns the sentences that were left."""
        return self._say(self._thoughts.finish()) + self._sentences.finish()

    def _say(self, text: str) -> list[str]:
        self.text += text
        if self.text.strip():
            self.size += len(text)
        return self._sentences.feed(text)


async def _listen(
    model: Runnable[Any, Any], conversation: list[BaseMessage], answer: _Answer, limits: ReplyLimits, provider: str
) -> AsyncGenerator[FirstToken | Sentence]:
    """Fill `answer` from the model's stream, and yield what can be said already.

    Only words and fragments of tool calls are progress. A model that thinks aloud, or a server that sends nothing but
    comments, uses up the time to the first token: it is silence to the caller.
    """
    clock = asyncio.get_running_loop().time
    patience_s = limits.first_token_s
    try:
        async with aclosing(cast(AsyncGenerator[str | BaseMessage], model.astream(conversation))) as chunks:
            while answer.size <= limits.characters:
                size, waiting_since = answer.size, clock()
                async with asyncio.timeout(patience_s):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                patience_s -= clock() - waiting_since
                sentences = answer.feed(chunk)
                if answer.size > size:
                    patience_s = limits.next_token_s
                    if size == 0:
                        yield FirstToken()
                for sentence in sentences:
                    yield Sentence(sentence)
    except LLMError:
        raise
    except Exception as error:
        raise llm_error(error, provider) from error
    if answer.size > limits.characters:
        logger.warning("an answer of the model passed %d characters and was cut off", limits.characters)
        answer.calls = Calls()
        return
    for sentence in answer.finish():
        yield Sentence(sentence)
