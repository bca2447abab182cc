"""Replies of the vendors' own clients, from a server of ours: streaming, tools, hanging up and every way to fail."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, tool

from agent.llm_factory import LLMFactory
from agent.minds import Minds
from agent.reply import Finished, FirstToken, ReplyEvent, Sentence, ToolRound, ToolsStarted, reply
from providers.errors import LLMError
from tests.agent.conftest import Configure
from tests.agent.model_server import Answer, ModelServer, asks, ends, says

MESSAGES: list[BaseMessage] = [SystemMessage("You are brief."), HumanMessage("Hello?")]
PROVIDERS = ["openai", "nvidia"]
KEY = "key-for-tests"


@tool
async def lookup(word: str) -> str:
    """Look a word up."""
    return f"{word} is a word"


type Connect = Callable[[str, str], BaseLanguageModel[Any]]


@pytest.fixture
async def connect(configure: Configure) -> AsyncIterator[Connect]:
    """Makes the model of a provider, with a server's URL."""
    made: list[BaseLanguageModel[Any]] = []

    def make(provider: str, url: str) -> BaseLanguageModel[Any]:
        name = provider.upper()
        configure(LLM_PROVIDER=provider, **{f"{name}_API_KEY": KEY, f"{name}_BASE_URL": url, f"{name}_MODEL": "m"})
        made.append(LLMFactory.create_llm())
        return made[-1]

    yield make
    for llm in made:  # ChatNVIDIA keeps the last response, and lets go of its connection only when it is collected
        response = getattr(getattr(llm, "_async_client", None), "last_response", None)
        if response is not None:
            response.close()


async def all_events(llm: BaseLanguageModel[Any], provider: str, *tools: BaseTool) -> list[ReplyEvent]:
    return [event async for event in reply(Minds({provider: llm}), MESSAGES, tools)]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_reply_is_streamed(connect: Connect, provider: str) -> None:
    gate = asyncio.Event()
    async with ModelServer(Answer([says("Hi"), says(" there. "), gate, says("Yes?"), ends()])) as server:
        async with aclosing(reply(Minds({provider: connect(provider, server.url)}), MESSAGES)) as events:
            assert await anext(events) == FirstToken()
            assert await anext(events) == Sentence("Hi there.")
            gate.set()
            assert [event async for event in events] == [Sentence("Yes?"), Finished()]
        (request,) = server.requests
        assert (request["model"], request["stream"], request["max_tokens"]) == ("m", True, 1024)
        assert [message["role"] for message in request["messages"]] == ["system", "user"]
        assert server.keys == [f"bearer {KEY}"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_second_round_brings_the_tool_call_and_its_result(connect: Connect, provider: str) -> None:
    first = Answer([asks("lookup", '{"word": "cat"}'), ends("tool_calls")])
    async with ModelServer(first, Answer([says("It is."), ends()])) as server:
        events = await all_events(connect(provider, server.url), provider, lookup)
        assert [type(event) for event in events] == [FirstToken, ToolsStarted, ToolRound, Sentence, Finished]
        assert server.requests[0]["tools"][0]["function"]["name"] == "lookup"
        asked, answered = server.requests[1]["messages"][2:]
        assert asked["role"] == "assistant"
        assert asked["tool_calls"][0]["id"] == "call_7"
        assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"word": "cat"}
        assert (answered["role"], answered["tool_call_id"], answered["content"]) == ("tool", "call_7", "cat is a word")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_closing_a_reply_hangs_up_on_the_server(connect: Connect, provider: str) -> None:
    async with ModelServer(Answer([says("One. "), asyncio.Event()])) as server:
        events = reply(Minds({provider: connect(provider, server.url)}), MESSAGES)
        assert await anext(events) == FirstToken()
        await events.aclose()
        async with asyncio.timeout(5):
            await server.hung_up.wait()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_cancelling_a_reply_hangs_up_on_the_server(connect: Connect, provider: str) -> None:
    async with ModelServer(Answer([asyncio.Event()])) as server:
        reading = asyncio.create_task(all_events(connect(provider, server.url), provider))
        while not server.requests:  # noqa: ASYNC110 - the server runs in this loop and has no event for it
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        async with asyncio.timeout(5):
            await server.hung_up.wait()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("status", "retryable", "setting"),
    [(401, False, "{}_API_KEY"), (404, False, "{}_MODEL"), (429, True, ""), (503, True, ""), (400, False, "")],
)
async def test_a_refusal_says_whose_fault_it_is(
    connect: Connect, provider: str, status: int, retryable: bool, setting: str
) -> None:
    body = {"error": {"message": f"about {KEY} and Hello?", "type": "t", "code": "c"}}
    async with ModelServer(*[Answer(status=status, body=body)] * (1 + retryable)) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect(provider, server.url), provider)
    error = caught.value
    assert (error.status, error.retryable, error.setting) == (status, retryable, setting.format(provider.upper()))
    assert error.provider == provider
    assert KEY not in str(error)
    assert "Hello" not in str(error)


async def test_an_empty_account_is_not_worth_asking_again(connect: Connect) -> None:
    body = {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}
    async with ModelServer(Answer(status=429, body=body)) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect("openai", server.url), "openai")
    assert (caught.value.retryable, caught.value.setting) == (False, "OPENAI_API_KEY")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_cut_line_is_an_error_after_what_was_said(connect: Connect, provider: str) -> None:
    async with ModelServer(Answer([says("One. "), says("Two"), None])) as server:
        events = reply(Minds({provider: connect(provider, server.url)}), MESSAGES)
        said = [await anext(events), await anext(events)]
        with pytest.raises(LLMError) as caught:
            await anext(events)
    assert said == [FirstToken(), Sentence("One.")]
    assert (caught.value.status, caught.value.retryable) == (None, True)


async def test_an_error_in_the_stream_is_an_error(connect: Connect) -> None:
    async with ModelServer(Answer([says("One. "), {"error": {"message": "overloaded", "code": 503}}])) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect("openai", server.url), "openai")
    assert caught.value.retryable


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_server_that_is_not_there_is_an_error(connect: Connect, provider: str) -> None:
    async with ModelServer() as server:
        url = server.url
    with pytest.raises(LLMError) as caught:
        await all_events(connect(provider, url), provider)
    assert (caught.value.status, caught.value.retryable) == (None, True)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_neither_keys_nor_words_are_logged(
    connect: Connect, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ModelServer(Answer([says("Secret answer."), ends()])) as server:
        await all_events(connect(provider, server.url), provider)
    assert caplog.records
    for words in (KEY, "Hello?", "You are brief", "Secret answer"):
        assert words not in caplog.text
