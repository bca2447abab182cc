"""One reply of the model: the conversation in, sentences and orders to the call out, cancellable at any point."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, BaseLanguageModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agent.failures import llm_error
from agent.minds import Mind, Minds
from agent.sentences import SentenceSplitter, ThoughtFilter
from agent.tool_calls import Call, Calls, asking_message, have_effects, run_calls, to_run
from agent.tools import CallControl, ControlRequested
from providers.errors import Fault, LLMError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """`characters` bounds one answer of the model, arguments of tools included, and each result of a tool.

    A model that is silent for `first_token_s` is given up for the next one, or if it is the only one asked again, once.
    """

    first_token_s: float = 4.0
    next_token_s: float = 4.0
    tool_s: float = 5.0
    tool_rounds: int = 4
    characters: int = 4000


@dataclass(slots=True)
class Tally:
    """What a reply has cost so far; whoever passes it in may read it at any time, also when the reply was closed.

    A `token` is a piece of the model's stream that held words, thoughts or parts of tool calls, as most servers send.
    """

    requests: int = 0
    tokens: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class FirstToken:
    """The model has begun to speak, or to ask for a tool; once in a reply."""


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A model failed before its first token, and `provider` is asked now: the next model, or the same one.

    Nobody else is told of `why`, so whoever reads it logs it.
    """

    provider: str
    why: LLMError


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to say, as the model wrote it: `agent.spoken.speakable` makes it fit for a voice."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolsStarted:
    """These tools are run from now on, and may take their time; they are done when the next `ToolRound` comes."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolRound:
    """Tools were run, or a control was ordered that the talk outlives. `History.tool_round` takes this."""

    ai_message: AIMessage
    tool_messages: tuple[ToolMessage, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is complete; always the last event of one that neither failed nor was closed."""


type ReplyEvent = FirstToken | AskedAgain | Sentence | ControlRequested | ToolsStarted | ToolRound | Finished


async def reply(
    minds: Minds,
    messages: Sequence[BaseMessage],
    tools: Sequence[BaseTool] = (),
    limits: ReplyLimits = ReplyLimits(),
    *,
    confirmed: asyncio.Event | None = None,
    tally: Tally | None = None,
) -> AsyncGenerator[ReplyEvent]:
    """Ask a model to answer `messages`; what it wants of `tools` is run, and it is asked again with the results.

    Yields events as they come, so that the first sentence can be spoken while the second is written. A control asked
    for together with other tools is put off until the model has seen how those went. When a model fails before its
    first token the next of `minds` is asked, and for the rest of the reply; one that has no other beside it is asked
    once more, if that may help.

    Until `confirmed` is set the reply is a speculation: words come, tools that are safe are run, and before all others
    it waits, for as long as its reader cares to. None is a reply that was meant from the beginning.

    Closing the generator, or cancelling the task that reads it, closes the model's connection at once; a tool that was
    running is cancelled, but what it had handed to a thread is finished there. Raises `LLMError`, also for an answer
    without a word in it; sentences that came before stand.
    """
    asked = _Asked(minds.ready(), tools)
    named = {tool.name: tool for tool in tools}
    conversation = list(messages)
    tally = Tally() if tally is None else tally
    begun = False
    for _ in range(limits.tool_rounds + 1):
        answer = _Answer(tally)
        async with aclosing(_ask(asked, conversation, answer, limits)) as events:
            async for event in events:
                if not (begun and isinstance(event, FirstToken)):
                    begun = begun or isinstance(event, FirstToken)
                    yield event
        calls = answer.calls.finish()
        if confirmed and have_effects(calls, named):
            await confirmed.wait()
        if started := to_run(calls, named):
            yield ToolsStarted(started)
        outcome = await run_calls(calls, named, limits.tool_s, limits.characters) if calls else None
        if isinstance(outcome, ControlRequested):
            yield outcome
            for round_ in _outlived(answer, calls[0], named):
                yield round_
        if not isinstance(outcome, list):
            yield Finished()
            return
        asking = asking_message(answer.text.strip(), calls)
        yield ToolRound(asking, tuple(outcome))
        conversation += [asking, *outcome]
    raise LLMError("the model went on asking for tools", provider=asked.mind.name, operation="reply")


class _Asked:
    """The model that is asked, and those that stand by. Raises `LLMError` if there is none that may be asked."""

    def __init__(self, minds: Sequence[Mind], tools: Sequence[BaseTool]) -> None:
        if not minds:
            raise LLMError("every model has told us to wait", operation="reply", fault=Fault.RATE_LIMIT)
        self._waiting = deque(minds if len(minds) > 1 else [*minds, *minds])
        self._tools = tools
        self._take_next()

    def _take_next(self) -> None:
        self.mind = self._waiting.popleft()
        self.model = _with_tools(self.mind.engine, self._tools)

    def give_way(self, failure: LLMError, limits: ReplyLimits) -> float | None:
        """Go on to the model to ask after this failure; returns how long to wait before, or None if there is none."""
        if not self._waiting:
            return None
        wait_s = 0.0
        if self._waiting[0] is self.mind:
            wait_s = failure.retry_after_s or 0.0
            if not failure.retryable or wait_s > limits.first_token_s:
                return None
        self._take_next()
        return wait_s


def _with_tools(llm: BaseLanguageModel[Any], tools: Sequence[BaseTool]) -> Runnable[Any, Any]:
    if not tools or not isinstance(llm, BaseChatModel):
        return llm
    try:
        return llm.bind_tools(tools)
    except NotImplementedError:  # a model that can only talk is still worth talking to
        return llm


def _outlived(answer: "_Answer", call: Call, tools: Mapping[str, BaseTool]) -> list[ToolRound]:
    """What the conversation holds of a control after which it goes on; the words of the answer are told by the call."""
    control = tools[call.name]
    if not (isinstance(control, CallControl) and control.result):
        return []
    told = ToolMessage(control.result, tool_call_id=call.id, name=call.name)
    return [ToolRound(asking_message(answer.text.strip(), [call]), (told,))]


class _Answer:
    """One answer of the model, while it comes in; its size in characters counts what is words or calls of tools."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.begin()

    def begin(self) -> None:
        """Be empty, for a request that is about to be made."""
        self.text = ""
        self.calls = Calls()
        self.size = 0
        self._thoughts = ThoughtFilter()
        self._sentences = SentenceSplitter()

    def feed(self, chunk: str | BaseMessage) -> list[str]:
        """Take a chunk (plain text, if the model is no chat model); returns the sentences that are now complete."""
        called = self.calls.feed(chunk) if isinstance(chunk, AIMessage) else 0
        text = chunk if isinstance(chunk, str) else str(chunk.text)
        self.size += called
        self.tally.tokens += bool(called or text)
        self.tally.characters += called + len(text)
        return self._say(self._thoughts.feed(text))

    def finish(self) -> list[str]:
        """The answer is complete: returns the sentences that were left."""
        return self._say(self._thoughts.finish()) + self._sentences.finish()

    def _say(self, text: str) -> list[str]:
        self.text += text
        if self.text.strip():
            self.size += len(text)
        return self._sentences.feed(text)


async def _ask(
    asked: _Asked, conversation: list[BaseMessage], answer: _Answer, limits: ReplyLimits
) -> AsyncGenerator[FirstToken | Sentence | AskedAgain]:
    """Fill `answer` from the model asked, or from the next one if that fails without a token."""
    while True:
        answer.begin()
        try:
            with asked.mind.attempt():
                async with aclosing(_listen(asked, conversation, answer, limits)) as events:
                    async for event in events:
                        yield event
                if not answer.calls.finish() and not answer.text.strip():
                    silent = "the model said nothing"
                    raise LLMError(silent, provider=asked.mind.name, operation="reply", retryable=True)
            return
        except LLMError as error:
            wait_s = None if answer.size else asked.give_way(error, limits)
            if wait_s is None:
                raise
            failure = error
        yield AskedAgain(asked.mind.name, failure)
        await asyncio.sleep(wait_s)


async def _listen(
    asked: _Asked, conversation: list[BaseMessage], answer: _Answer, limits: ReplyLimits
) -> AsyncGenerator[FirstToken | Sentence]:
    """Fill `answer` from the model's stream, and yield what can be said already.

    Only words and fragments of tool calls are progress. A model that thinks aloud, or a server that sends nothing but
    comments, uses up the time to the first token: it is silence to the caller.
    """
    clock = asyncio.get_running_loop().time
    patience_s = limits.first_token_s
    answer.tally.requests += 1
    try:
        async with aclosing(cast(AsyncGenerator[str | BaseMessage], asked.model.astream(conversation))) as chunks:
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
        raise llm_error(error, asked.mind.name) from error
    if answer.size > limits.characters:
        logger.warning("an answer of the model passed %d characters and was cut off", limits.characters)
        answer.calls = Calls()
        return
    for sentence in answer.finish():
        yield Sentence(sentence)
