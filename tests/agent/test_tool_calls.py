"""Tool calls joined from what various servers stream."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call

from agent.tool_calls import Call, Calls, asking_message
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
