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
from langchain_openai.chat_models._client_utils import _cached_async_httpx_client

from agent.llm_factory import LLMFactory
from agent.minds import Minds
from agent.reply import Finished, FirstToken, ReplyEvent, ReplyLimits, Sentence, ToolRound, ToolsStarted, reply
from providers.errors import Fault, LLMError
from tests.agent.conftest import Configure
from tests.fakes.chat import COMMENT, Answer, ModelServer, Piece, asks, ends, fails, says

MESSAGES: list[BaseMessage] = [SystemMessage("You are brief."), HumanMessage("Hello?")]
PROVIDERS = ["openai", "nvidia", "huggingface"]
KEY = "key-for-tests"
KEYS = {"openai": "OPENAI_API_KEY", "nvidia": "NVIDIA_API_KEY", "huggingface": "HF_TOKEN"}
PREFIXES = {"openai": "OPENAI", "nvidia": "NVIDIA", "huggingface": "HF"}


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
        name = PREFIXES[provider]
        configure(LLM_PROVIDER=provider, **{KEYS[provider]: KEY, f"{name}_BASE_URL": url, f"{name}_MODEL": "m"})
        made.append(LLMFactory.create_llm())
        return made[-1]

    yield make
    for llm in made:
        if (client := getattr(llm, "root_async_client", None)) is not None:
            await client.close()
    _cached_async_httpx_client.cache_clear()  # it would hand a closed client out to a server on the same port


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
        assert server.keys == [f"Bearer {KEY}"]


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
    ("status", "fault", "setting"),
    [
        (400, Fault.BAD_REQUEST, ""),
        (401, Fault.AUTHENTICATION, "key"),
        (402, Fault.QUOTA, "key"),
        (404, Fault.BAD_REQUEST, "model"),
        (429, Fault.RATE_LIMIT, ""),
        (500, Fault.UNAVAILABLE, ""),
        (503, Fault.UNAVAILABLE, ""),
    ],
)
@pytest.mark.parametrize(
    "body", [{"error": {"message": f"{KEY} Hello?", "type": "t", "code": "c"}}, f"<b>{KEY} Hello?"]
)
async def test_a_refusal_says_whose_fault_it_is(
    connect: Connect, provider: str, status: int, fault: Fault, setting: str, body: Any
) -> None:
    answer = Answer(status=status, body=body)
    async with ModelServer(answer, answer) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect(provider, server.url), provider)
    error = caught.value
    settings = {"key": KEYS[provider], "model": f"{PREFIXES[provider]}_MODEL", "": ""}
    assert (error.status, error.fault, error.setting) == (status, fault, settings[setting])
    assert len(server.requests) == 1 + error.retryable
    assert (error.provider, error.retry_after_s) == (provider, None)
    assert KEY not in f"{error} {error!r}"
    assert "Hello" not in f"{error} {error!r}"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_a_refusal_says_beside_is_told(connect: Connect, provider: str) -> None:
    answer = Answer(status=429, headers={"Retry-After": "7", "X-Request-Id": "req_1"})
    async with ModelServer(answer, answer) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect(provider, server.url), provider)
    assert (caught.value.retry_after_s, caught.value.request_id) == (7.0, "req_1")


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
@pytest.mark.parametrize("in_stream", [False, True])
async def test_an_empty_account_is_not_worth_asking_again(connect: Connect, provider: str, in_stream: bool) -> None:
    error = fails(type="insufficient_quota", code="insufficient_quota")
    answer = Answer([error]) if in_stream else Answer(status=429, body=error)
    async with ModelServer(answer) as server:
        with pytest.raises(LLMError) as caught:
            await all_events(connect(provider, server.url), provider)
    assert (caught.value.fault, caught.value.setting) == (Fault.QUOTA, KEYS[provider])
    assert not caught.value.retryable


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("piece", "faults"),
    [
        pytest.param(None, {Fault.UNAVAILABLE}, id="cut"),
        pytest.param("data: {broken\n\n", {Fault.PROTOCOL}, id="broken JSON"),
        pytest.param("data: broken\n\n", {Fault.PROTOCOL}, id="no JSON"),
        pytest.param({"choices": 17}, {Fault.PROTOCOL}, id="wrong type"),
        pytest.param({"choices": [{"index": 0, "delta": 17}]}, {Fault.PROTOCOL}, id="wrong type within"),
        pytest.param(fails(), {Fault.UNAVAILABLE, Fault.PROTOCOL}, id="error"),
        pytest.param(fails(code=503), {Fault.UNAVAILABLE, Fault.PROTOCOL}, id="error with a status"),
        pytest.param(fails(code="rate_limit_exceeded"), {Fault.RATE_LIMIT, Fault.PROTOCOL}, id="error with a name"),
    ],
)
async def test_what_breaks_off_in_the_middle_is_an_error_after_what_was_said(
    connect: Connect, provider: str, piece: Piece, faults: set[Fault]
) -> None:
    """ChatNVIDIA passes over errors in the stream, so that no more is known than that it broke off."""
    async with ModelServer(Answer([says("One. "), says("Two"), piece])) as server:
        events = reply(Minds({provider: connect(provider, server.url)}), MESSAGES)
        said = [await anext(events), await anext(events)]
        with pytest.raises(LLMError) as caught:
            await anext(events)
    assert said == [FirstToken(), Sentence("One.")]
    assert caught.value.fault in faults
    assert caught.value.retryable


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_may_come_without_its_terminator_and_with_comments(connect: Connect, provider: str) -> None:
    answer = Answer([COMMENT, says("Yes."), COMMENT, ends()], ends="")
    async with ModelServer(answer) as server:
        events = await all_events(connect(provider, server.url), provider)
    assert events == [FirstToken(), Sentence("Yes."), Finished()]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([asks("lookup", '{"word": "cat"}', index=None)], id="whole, without an index"),
        pytest.param(
            [asks("lookup", ""), asks("", '{"word":', id=None), asks("", ' "cat"}', id=None)], id="in fragments"
        ),
    ],
)
async def test_a_tool_is_called_however_the_call_is_streamed(
    connect: Connect, provider: str, pieces: list[Piece]
) -> None:
    answers = Answer([*pieces, ends("tool_calls")]), Answer([says("It is."), ends()])
    async with ModelServer(*answers) as server:
        await all_events(connect(provider, server.url), provider, lookup)
        assert server.requests[1]["messages"][-1]["content"] == "cat is a word"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_call_that_is_no_json_is_not_made(connect: Connect, provider: str) -> None:
    answers = Answer([asks("lookup", '{"word": nope'), ends("tool_calls")]), Answer([says("Sorry."), ends()])
    async with ModelServer(*answers) as server:
        await all_events(connect(provider, server.url), provider, lookup)
        assert "not a JSON object" in server.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("pieces", [[], [COMMENT], [says("One. ")]], ids=["silent", "only comments", "in the middle"])
async def test_a_server_that_stalls_is_given_up(connect: Connect, provider: str, pieces: list[Piece]) -> None:
    answer = Answer([*pieces, asyncio.Event()])
    limits = ReplyLimits(first_token_s=0.1, next_token_s=0.1)
    async with ModelServer(answer, answer) as server:
        with pytest.raises(LLMError) as caught:
            async for _ in reply(Minds({provider: connect(provider, server.url)}), MESSAGES, limits=limits):
                pass
        await server.hung_up.wait()
    assert caught.value.fault is Fault.TIMEOUT


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_server_that_is_not_there_is_an_error(connect: Connect, provider: str) -> None:
    async with ModelServer() as server:
        url = server.url
    with pytest.raises(LLMError) as caught:
        await all_events(connect(provider, url), provider)
    assert (caught.value.status, caught.value.fault) == (None, Fault.UNAVAILABLE)


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
