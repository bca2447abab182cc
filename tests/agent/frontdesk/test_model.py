"""The embedded model as a LangChain chat model: its stream, its tools, its configuration."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel

from agent.business import load_business
from agent.frontdesk.model import FrontDeskModel
from agent.prompt import CallFacts
from agent.tools import Book, front_desk_tools
from providers.errors import ConfigurationError
from tests.agent.frontdesk.desk import NOW, TOOLS

BOOKED: list[BaseMessage] = [
    HumanMessage("my name is Ann and I want a table for two tomorrow at seven"),
    AIMessage("Certainly. A table for two on Thursday, November twenty-sixth at seven pm, under Ann. Is that right?"),
    HumanMessage("yes"),
]


def model() -> FrontDeskModel:
    return FrontDeskModel(business=load_business(), now=lambda: NOW)


async def chunks(messages: list[BaseMessage], tools: Sequence[BaseTool] = TOOLS) -> list[AIMessageChunk]:
    found = [chunk async for chunk in model().bind_tools(tools).astream(messages)]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in found)
    return [chunk for chunk in found if isinstance(chunk, AIMessageChunk)]


async def test_it_streams_word_by_word() -> None:
    found = await chunks([HumanMessage("where are you")])
    assert [chunk.text for chunk in found[:4]] == ["We ", "are ", "at ", "25 "]
    assert "".join(chunk.text for chunk in found) == "We are at 25 Garden Street, next to the post office."
    assert [chunk.response_metadata.get("finish_reason") for chunk in found].count("stop") == 1


async def test_a_tool_call_streams_in_fragments_after_the_words() -> None:
    found = await chunks(BOOKED)
    fragments = [fragment for chunk in found for fragment in chunk.tool_call_chunks]
    assert "".join(chunk.text for chunk in found) == "One moment, please."
    assert [fragment["name"] for fragment in fragments if fragment["name"]] == ["take_booking"]
    assert [fragment["id"] for fragment in fragments if fragment["id"]] == ["call_3"]
    assert {fragment["index"] for fragment in fragments} == {0}
    assert len(fragments) > 2
    args = json.loads("".join(fragment["args"] or "" for fragment in fragments))
    assert args == {"what": "table", "name": "Ann", "party_size": 2, "date": "2026-11-26", "time": "19:00"}


async def test_the_shipped_tools_take_its_arguments() -> None:
    shipped = front_desk_tools(load_business(), CallFacts(None, None, NOW), Book("unused"))
    for messages in (BOOKED, [HumanMessage("bye")], [HumanMessage("the manager please")]):
        whole = await model().bind_tools(shipped).ainvoke(messages)
        (call,) = whole.tool_calls
        (called,) = (each for each in shipped if each.name == call["name"])
        schema = called.args_schema
        assert isinstance(schema, type)
        assert issubclass(schema, BaseModel)
        assert schema.model_validate(call["args"])


async def test_a_tool_that_wants_more_than_we_know_is_not_called() -> None:
    @tool
    def hang_up(reason: str, mood: str) -> str:
        """End the call."""
        return reason + mood

    assert all(not chunk.tool_call_chunks for chunk in await chunks([HumanMessage("bye")], [hang_up]))


async def test_a_tool_is_given_only_what_it_takes() -> None:
    @tool
    def hang_up() -> str:
        """End the call."""
        return ""

    (call,) = (await model().bind_tools([hang_up]).ainvoke([HumanMessage("bye")])).tool_calls
    assert call["args"] == {}


def test_it_can_be_asked_without_a_stream_or_a_loop() -> None:
    answer = model().bind_tools(TOOLS).invoke(BOOKED)
    assert answer.text == "One moment, please."
    assert answer.tool_calls[0]["args"]["name"] == "Ann"


async def test_a_stream_can_be_closed_after_the_first_word() -> None:
    stream = model().astream([HumanMessage("what are your hours")])
    assert (await anext(stream)).text == "We "
    await stream.aclose()  # type: ignore[attr-defined]
    assert (await anext(model().astream([HumanMessage("hello")]))).text == "Hello, "


async def test_callbacks_hear_each_word() -> None:
    class Words(AsyncCallbackHandler):
        def __init__(self) -> None:
            self.words: list[str] = []

        async def on_llm_new_token(
            self,
            token: str | list[str | dict[str, Any]],
            *,
            chunk: GenerationChunk | ChatGenerationChunk | None = None,
            run_id: UUID,
            parent_run_id: UUID | None = None,
            tags: list[str] | None = None,
            **kwargs: Any,
        ) -> None:
            self.words.append(str(token))

    handler = Words()
    async for _ in model().astream([HumanMessage("hello")], config={"callbacks": [handler]}):
        pass
    assert "".join(handler.words) == "Hello, how can I help you?"


def test_it_speaks_english_only() -> None:
    with pytest.raises(ConfigurationError, match="English only, not it"):
        FrontDeskModel(business=load_business().model_copy(update={"language": "it"}))


def test_it_names_itself() -> None:
    assert model()._llm_type == "frontdesk"
