"""Tool calls joined from what various servers stream."""

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.tools import BaseTool, StructuredTool, tool
from pydantic import BaseModel, ConfigDict

from agent.tool_calls import Call, Calls, asking_message, run_calls
from tests.agent.scripted_model import asks


def joined(*messages: AIMessage) -> list[tuple[str, str, str]]:
    calls = Calls()
    for message in messages:
        calls.feed(message)
    return [(call.id, call.name, call.json) for call in calls.finish()]


def test_fragments_are_joined_by_index() -> None:
    assert joined(
        asks("a", "{", id="1", index=0),
        asks("b", "[", id="2", index=1),
        asks("", "}", id=None, index=0),
        asks("", "]", id=None, index=1),
    ) == [("1", "a", "{}"), ("2", "b", "[]")]


def test_whole_calls_need_no_index() -> None:
    first, second = asks("a", "{}", id="1", index=None), asks("b", "{}", id="2", index=None)
    assert joined(first, second) == [("1", "a", "{}"), ("2", "b", "{}")]
    assert joined(asks("a", "{", id="1", index=None), asks("", "}", id=None, index=None)) == [("1", "a", "{}")]


def test_one_index_for_all_is_told_apart_by_id() -> None:
    assert joined(asks("a", "{}", id="1"), asks("b", "{}", id="2")) == [("1", "a", "{}"), ("2", "b", "{}")]


def test_a_name_or_id_that_is_repeated_is_the_same_one() -> None:
    assert joined(asks("a", "{", id="1"), asks("a", "}", id="1")) == [("1", "a", "{}")]
    assert joined(asks("a", "{", id=None), asks("", "}", id="1")) == [("1", "a", "{}")]


def test_a_call_without_an_id_is_given_one() -> None:
    ids = [id for id, *_ in joined(asks("a", id=None, index=0), asks("b", id=None, index=1))]
    assert len(set(ids)) == 2
    assert all(ids)


def test_a_message_that_was_not_streamed_holds_its_calls_whole() -> None:
    message = AIMessage(
        "",
        tool_calls=[tool_call(name="a", args={"x": 1}, id="1")],
        invalid_tool_calls=[invalid_tool_call(name="b", args="{x", id="2", error="no JSON")],
    )
    assert joined(message) == [("1", "a", '{"x":1}'), ("2", "b", "{x")]


def test_words_are_no_calls() -> None:
    calls = Calls()
    assert calls.feed(AIMessageChunk(content="Hi")) == 0
    assert calls.finish() == []


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()), st.data())
def test_how_arguments_are_cut_does_not_matter(args: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(args)
    cut = data.draw(st.integers(0, len(text)))
    calls = Calls()
    calls.feed(asks("a", text[:cut]))
    calls.feed(asks("", text[cut:], id=None))
    (call,) = calls.finish()
    assert call.arguments() == args


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "null", "{} {}", '{"x": NaN}', "{'x': 1}"])
def test_what_is_no_json_object_is_no_argument(text: str) -> None:
    call = Call(0, id="1", name="a", json=text)
    assert call.arguments() is None
    asked = asking_message("", [call])
    assert asked.tool_calls[0]["args"] == {}
    assert asked.additional_kwargs["tool_calls"][0]["function"]["arguments"] == "{}"


# --- an operator's own tools ---------------------------------------------------------------------------------------


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    word: str


class Answer(BaseModel):
    """What some service answers."""

    word: str


async def run(own: BaseTool, **arguments: Any) -> tuple[str, str]:
    """What the model is told of one call, and whether as a success."""
    call = Call(0, id="1", name=own.name, json=json.dumps(arguments))
    told = await run_calls([call], {own.name: own}, 5.0, 1000)
    assert isinstance(told, list)
    (message,) = told
    assert (message.tool_call_id, message.name) == ("1", own.name)
    return str(message.content), message.status


def answering(answer: Any) -> BaseTool:
    @tool
    def own(word: str, times: int = 1) -> Any:
        """A tool."""
        return answer

    return own


def raising(error: BaseException) -> BaseTool:
    @tool
    async def own(word: str) -> str:
        """A tool."""
        raise error

    return own


@pytest.mark.parametrize(
    ("answer", "told"),
    [("Yes.", "Yes."), ({"é": [1, None]}, '{"é": [1, null]}'), (None, "null"), (7, "7"), (True, "true")],
)
async def test_whatever_a_tool_gives_becomes_text(answer: Any, told: str) -> None:
    assert await run(answering(answer), word="a") == (told, "success")


async def test_arguments_it_does_not_take_are_refused() -> None:
    assert await run(answering("Yes."), word="a", wrod="b") == ("Nothing was done: there is no argument wrod.", "error")


async def test_arguments_of_the_wrong_kind_are_refused() -> None:
    told, status = await run(answering("Yes."), word="a", times="often")
    assert (status, told.startswith("Nothing was done: times: ")) == ("error", True)
    assert await run(answering("Yes."), times=2) == ("Nothing was done: word: Field required", "error")


async def test_a_tool_that_takes_anything_is_given_it() -> None:
    own = StructuredTool.from_function(lambda **given: str(given), name="own", description="x", args_schema=Loose)
    assert (await run(own, word="a", more=1))[1] == "success"


@pytest.mark.parametrize("error", [RuntimeError("about K74Q9"), KeyError("K74Q9"), asyncio.CancelledError("K74Q9")])
async def test_nothing_that_a_tool_raises_gets_out(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    told, status = await run(raising(error), word="a")
    assert (status, "do not count on any of it" in told) == ("error", True)
    assert f"the tool own failed: {type(error).__name__}" in caplog.text
    assert "K74Q9" not in told + caplog.text


async def test_a_tool_that_would_end_the_program_does_not(caplog: pytest.LogCaptureFixture) -> None:
    @tool
    def own() -> str:
        """A tool."""
        raise SystemExit(1)

    assert (await run(own))[1] == "error"
    assert "the tool own failed: SystemExit" in caplog.text


async def test_a_service_that_answers_nonsense_is_no_bad_argument() -> None:
    @tool
    def own() -> str:
        """A tool."""
        return Answer.model_validate({}).word

    assert "do not count on any of it" in (await run(own))[0]


async def test_a_tool_that_blocks_does_not_hold_the_loop() -> None:
    done = asyncio.get_running_loop().create_future()

    @tool
    def own() -> str:
        """A tool that waits in a thread for the loop to go on."""
        return str(asyncio.run_coroutine_threadsafe(_wait_for(done), loop).result(5))

    loop = asyncio.get_running_loop()
    loop.call_soon(done.set_result, "Yes.")
    assert await run(own) == ("Yes.", "success")


async def _wait_for(done: asyncio.Future[str]) -> str:
    return await done


async def test_a_tool_that_runs_too_long_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    @tool
    async def own() -> str:
        """A tool."""
        await asyncio.Event().wait()
        return ""

    call = Call(0, id="1", name="own", json="{}")
    told = await run_calls([call], {"own": own}, 0, 1000)
    assert isinstance(told, list)
    assert "may or may not be done" in str(told[0].content)
    assert caplog.records[0].levelno == logging.ERROR
