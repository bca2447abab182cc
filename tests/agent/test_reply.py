"""One reply against scripted models: the order of events, tools, limits, failures and cancelling."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel, FakeListLLM, FakeMessagesListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, ToolException, tool

from agent.history import History
from agent.minds import Minds
from agent.reply import (
    AskedAgain,
    Finished,
    FirstToken,
    ReplyEvent,
    ReplyLimits,
    Sentence,
    Tally,
    ToolRound,
    ToolsStarted,
    reply,
)
from agent.tools import CallControl, CollectDigits, ControlRequested, HangUp
from providers.errors import Fault, LLMError
from tests.agent.scripted_model import ScriptedChatModel, alone, asks

HELLO: list[BaseMessage] = [HumanMessage("Hello?")]
HANG_UP = CallControl(name="hang_up", description="End the call.", args_schema=HangUp)


@tool
async def lookup(word: str) -> str:
    """Look a word up."""
    return f"{word} is a word"


@tool
async def refuse() -> str:
    """Always says no."""
    raise ToolException("No tables left.")


@tool
async def explode(secret: str) -> str:
    """Always fails."""
    raise RuntimeError(f"could not use {secret}")


@tool
async def hang() -> str:
    """Never comes back."""
    await asyncio.Event().wait()
    return ""


TOOLS: list[BaseTool] = [HANG_UP, lookup, refuse, explode, hang]
USUAL = ReplyLimits()


async def events_of(model: Any, tools: list[BaseTool] = TOOLS, limits: ReplyLimits = USUAL) -> list[ReplyEvent]:
    return [event async for event in reply(alone(model), HELLO, tools, limits)]


async def settle() -> None:
    """Let the event loop close the streams inside streams that LangChain leaves to it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def told(model: ScriptedChatModel, limits: ReplyLimits = USUAL) -> list[str]:
    """What the model was told by its first round of tools."""
    (round_,) = [event for event in await events_of(model, limits=limits) if isinstance(event, ToolRound)]
    assert all(message.status == "error" for message in round_.tool_messages)
    return [str(message.content) for message in round_.tool_messages]


async def test_sentences_come_as_they_are_complete() -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(script=[["Hi", " there. How", gate, " are you?"]])
    async with aclosing(reply(alone(model), HELLO)) as events:
        assert await anext(events) == FirstToken()
        assert await anext(events) == Sentence("Hi there.")
        gate.set()
        assert [event async for event in events] == [Sentence("How are you?"), Finished()]


async def test_thoughts_are_not_spoken_and_are_no_first_token() -> None:
    model = ScriptedChatModel(script=[["<thi", "nk>Hm. What now?</th", "ink>\n\n", "Yes."]])
    assert await events_of(model) == [FirstToken(), Sentence("Yes."), Finished()]


async def test_a_tool_is_run_and_the_model_asked_again() -> None:
    model = ScriptedChatModel(
        script=[["Let me see. ", asks("lookup", '{"word":', index=0), asks("", ' "cat"}', id=None)], ["It is."]]
    )
    first, sentence, started, round_, answer, finished = await events_of(model)
    assert (first, sentence, started) == (FirstToken(), Sentence("Let me see."), ToolsStarted(("lookup",)))
    assert (answer, finished) == (Sentence("It is."), Finished())
    assert isinstance(round_, ToolRound)
    assert [message.content for message in round_.tool_messages] == ["cat is a word"]
    assert model.asked[1] == [*HELLO, round_.ai_message, *round_.tool_messages]
    assert model.tools == TOOLS


async def test_the_round_is_written_as_every_vendor_reads_it() -> None:
    model = ScriptedChatModel(script=[[asks("lookup", '{"word": "é"}')], ["Done."]])
    _, _, round_, *_ = await events_of(model)
    assert isinstance(round_, ToolRound)
    asked = round_.ai_message
    assert asked.tool_calls == [{"name": "lookup", "args": {"word": "é"}, "id": "call_1", "type": "tool_call"}]
    (plain,) = asked.additional_kwargs["tool_calls"]
    assert (plain["id"], plain["function"]["name"]) == ("call_1", "lookup")
    assert json.loads(plain["function"]["arguments"]) == {"word": "é"}


async def test_a_control_ends_the_reply_and_is_not_run() -> None:
    model = ScriptedChatModel(script=[["Goodbye!", asks("hang_up", '{"reason": "done"}')]])
    assert await events_of(model) == [
        FirstToken(),
        Sentence("Goodbye!"),
        ControlRequested("hang_up", {"reason": "done"}),
        Finished(),
    ]


async def test_a_control_waits_for_what_was_asked_with_it() -> None:
    both = [asks("lookup", '{"word": "a"}'), asks("hang_up", '{"reason": "done"}', id="call_2", index=1)]
    model = ScriptedChatModel(script=[both, ["Noted. Bye."]])
    events = await events_of(model)
    assert not any(isinstance(event, ControlRequested) for event in events)
    (round_,) = [event for event in events if isinstance(event, ToolRound)]
    assert [message.status for message in round_.tool_messages] == ["success", "error"]
    assert [message.tool_call_id for message in round_.tool_messages] == ["call_1", "call_2"]


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("hang_up", "{}", "reason: Field required"),
        ("hang_up", '{"reason": "x", "now": true}', "now: Extra inputs are not permitted"),
        ("lookup", '{"word": nope', "not a JSON object"),
        ("lookup", '["word"]', "not a JSON object"),
        ("lookup", "", "word: Field required"),
        ("look_up", "{}", "no tool of that name"),
        ("refuse", "{}", "No tables left."),
    ],
)
async def test_the_model_is_told_what_was_wrong(name: str, args: str, expected: str) -> None:
    (content,) = await told(ScriptedChatModel(script=[[asks(name, args)], ["Sorry."]]))
    assert expected in content


async def test_a_tool_that_fails_is_told_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    (content,) = await told(ScriptedChatModel(script=[[asks("explode", '{"secret": "K74Q9"}')], ["Sorry."]]))
    assert "K74Q9" not in content + caplog.text
    assert "the tool explode failed: RuntimeError" in caplog.text


async def test_a_tool_that_hangs_is_given_up() -> None:
    model = ScriptedChatModel(script=[[asks("hang")], ["Sorry."]])
    (content,) = await told(model, ReplyLimits(tool_s=0))
    assert "may or may not be done" in content


async def test_a_long_result_is_cut() -> None:
    model = ScriptedChatModel(script=[[asks("lookup", json.dumps({"word": "x" * 50}))], ["Done."]])
    _, _, round_, *_ = await events_of(model, limits=ReplyLimits(characters=70))
    assert isinstance(round_, ToolRound)
    assert len(str(round_.tool_messages[0].content)) <= 70


async def test_tools_without_end_are_an_error() -> None:
    model = ScriptedChatModel(script=[[asks("lookup", '{"word": "a"}')]] * 3)
    with pytest.raises(LLMError, match="went on asking"):
        await events_of(model, limits=ReplyLimits(tool_rounds=2))
    assert len(model.asked) == 3


@pytest.mark.parametrize("steps", [["<think>Hm.</think>"], [" \n"]])
async def test_an_answer_without_a_word_is_an_error(steps: list[str]) -> None:
    with pytest.raises(LLMError, match="said nothing") as caught:
        await events_of(ScriptedChatModel(script=[steps, steps]))
    assert caught.value.retryable


async def test_an_endless_answer_is_cut_off_with_its_tools() -> None:
    model = ScriptedChatModel(script=[["One. ", "Two and so on ", asks("explode"), asyncio.Event()]])
    events = await events_of(model, limits=ReplyLimits(characters=15))
    assert events == [FirstToken(), Sentence("One."), Finished()]
    await settle()
    assert model.left == 1


@pytest.mark.parametrize(
    ("steps", "limits", "asked"),
    [
        ([asyncio.Event()], ReplyLimits(first_token_s=0), 2),
        (["<think>Hm.", asyncio.Event()], ReplyLimits(first_token_s=0), 2),
        (["One. ", asyncio.Event()], ReplyLimits(next_token_s=0), 1),
        (["One. ", AIMessageChunk(content=""), asyncio.Event()], ReplyLimits(next_token_s=0), 1),
    ],
)
async def test_a_silent_model_is_an_error(steps: list[Any], limits: ReplyLimits, asked: int) -> None:
    model = ScriptedChatModel(script=[steps, steps])
    with pytest.raises(LLMError, match="silent for too long") as caught:
        await events_of(model, limits=limits)
    assert caught.value.retryable
    assert (len(model.asked), model.left) == (asked, asked)


async def test_a_failure_keeps_what_was_said_before_it() -> None:
    model = ScriptedChatModel(script=[["One. ", ConnectionResetError("by 10.0.0.1")]])
    events = reply(alone(model, "openai"), HELLO)
    assert [await anext(events), await anext(events)] == [FirstToken(), Sentence("One.")]
    with pytest.raises(LLMError) as caught:
        await anext(events)
    assert (caught.value.provider, caught.value.operation, caught.value.retryable) == ("openai", "reply", True)
    assert isinstance(caught.value.__cause__, ConnectionResetError)


async def test_our_own_errors_pass_as_they_are() -> None:
    error = LLMError("no model loaded", setting="LLM_PROVIDER")
    with pytest.raises(LLMError) as caught:
        await events_of(ScriptedChatModel(script=[[error]]))
    assert caught.value is error


async def test_closing_a_reply_closes_the_stream() -> None:
    model = ScriptedChatModel(script=[["One. ", asyncio.Event()]])
    events = reply(alone(model), HELLO)
    assert await anext(events) == FirstToken()
    await events.aclose()
    await settle()
    assert model.left == 1


async def test_cancelling_a_reply_closes_the_stream() -> None:
    model = ScriptedChatModel(script=[["One. ", asyncio.Event()]])
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in reply(alone(model), HELLO):
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert model.left == 1


async def test_cancelling_a_reply_cancels_its_tools() -> None:
    running, stopped = asyncio.Event(), asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    reading = asyncio.create_task(events_of(ScriptedChatModel(script=[[asks("wait")]]), [wait]))
    await running.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert stopped.is_set()


async def test_models_that_only_talk_can_take_part() -> None:
    said = [FirstToken(), Sentence("Hi there."), Finished()]
    assert await events_of(FakeListLLM(responses=["Hi there."])) == said  # no chat model: its chunks are plain text
    assert await events_of(FakeListChatModel(responses=["Hi there."])) == said  # knows no tools
    assert await events_of(FakeMessagesListChatModel(responses=[AIMessage("Hi there.")])) == said  # does not stream


async def test_a_model_that_does_not_stream_can_use_tools() -> None:
    call = {"name": "hang_up", "args": {"reason": "done"}, "id": "1", "type": "tool_call"}
    model = FakeMessagesListChatModel(responses=[AIMessage("Bye.", tool_calls=[call])])
    assert ControlRequested("hang_up", {"reason": "done"}) in await events_of(model)


async def test_a_round_fits_the_history() -> None:
    model = ScriptedChatModel(script=[["Let me see. ", asks("lookup", '{"word": "a"}')], ["Yes."]])
    history = History("You are brief.")
    history.caller_said("Is it?")
    async for event in reply(alone(model), history.messages(), TOOLS):
        match event:
            case Sentence(text):
                history.bot_said(text)
            case ToolRound(asked, answers):
                history.tool_round(asked, answers)
    _, *rest = history.messages()
    assert [type(message) for message in rest] == [HumanMessage, AIMessage, AIMessage, ToolMessage, AIMessage]
    assert [message.content for message in rest] == ["Is it?", "Let me see.", "", "a is a word", "Yes."]


# --- asking again ------------------------------------------------------------------------------------------------


async def test_a_model_that_fails_at_once_is_asked_again() -> None:
    model = ScriptedChatModel(script=[[ConnectionResetError()], ["Hi."]])
    again, *rest = await events_of(model)
    assert isinstance(again, AskedAgain)
    assert (again.provider, again.why.retryable) == ("ScriptedChatModel", True)
    assert rest == [FirstToken(), Sentence("Hi."), Finished()]
    assert model.asked == [HELLO, HELLO]


async def test_it_is_asked_again_once_in_a_reply() -> None:
    round_ = [asks("lookup", '{"word": "a"}')]
    model = ScriptedChatModel(script=[[ConnectionResetError()], round_, [ConnectionResetError()], ["Hi."]])
    with pytest.raises(LLMError, match="line to the model broke"):
        await events_of(model)
    assert len(model.asked) == 3


async def test_what_will_not_pass_is_not_asked_again() -> None:
    model = ScriptedChatModel(script=[[LLMError("no such model")], ["Hi."]])
    with pytest.raises(LLMError, match="no such model"):
        await events_of(model)
    assert len(model.asked) == 1


@pytest.mark.parametrize("failure", [ConnectionResetError(), LLMError("no such model"), RuntimeError()])
async def test_another_model_takes_over_whatever_was_wrong_with_the_first(failure: Exception) -> None:
    first = ScriptedChatModel(script=[[failure]])
    second = ScriptedChatModel(script=[[asks("lookup", '{"word": "a"}')], ["Hi."]])
    events = [event async for event in reply(Minds({"first": first, "local": second}), HELLO, TOOLS)]
    assert isinstance(events[0], AskedAgain)
    assert events[0].provider == "local"
    assert events[-2:] == [Sentence("Hi."), Finished()]
    assert (len(first.asked), len(second.asked), second.tools) == (1, 2, TOOLS)


async def test_the_failure_of_the_last_model_is_told() -> None:
    models = {name: ScriptedChatModel(script=[[LLMError(name)]]) for name in ("first", "second")}
    with pytest.raises(LLMError, match="second"):
        assert [event async for event in reply(Minds(models), HELLO)] == []


async def test_each_model_of_a_list_has_one_turn() -> None:
    models = {name: ScriptedChatModel(script=[[ConnectionResetError()]]) for name in "ab"}
    models["c"] = ScriptedChatModel(script=[["Hi."]])
    events = [event async for event in reply(Minds(models), HELLO)]
    assert [event.provider for event in events if isinstance(event, AskedAgain)] == ["b", "c"]
    assert events[-2:] == [Sentence("Hi."), Finished()]


async def test_a_model_that_was_silent_is_not_asked_by_the_next_reply_and_comes_back_after_a_probe() -> None:
    first = ScriptedChatModel(script=[[asyncio.Event()], ["Yes?"], ["Here again."]])
    second = ScriptedChatModel(script=[["Hi."], ["Hi."], ["Hi."]])
    minds = Minds({"first": first, "second": second})
    hasty = ReplyLimits(first_token_s=0.01)
    events = [event async for event in reply(minds, HELLO, limits=hasty)]
    assert [type(event) for event in events] == [AskedAgain, FirstToken, Sentence, Finished]
    assert (await anext(reply(minds, HELLO)), len(first.asked)) == (FirstToken(), 1)

    minds.choices[0].breaker._due_at = 0.0  # the pause is over
    assert await anext(reply(minds, HELLO)) == FirstToken()
    await asyncio.gather(*minds._probes.values())
    assert (len(first.asked), len(second.asked)) == (2, 3)
    assert [event async for event in reply(minds, HELLO)] == [FirstToken(), Sentence("Here again."), Finished()]
    await settle()


@pytest.mark.parametrize(("told_s", "asked"), [(0.0, 2), (60.0, 1)])
async def test_a_model_that_says_when_to_come_back_is_obeyed_if_the_caller_can_wait(told_s: float, asked: int) -> None:
    failure = LLMError("busy", fault=Fault.RATE_LIMIT, retry_after_s=told_s)
    model = ScriptedChatModel(script=[[failure], ["Hi."]])
    outcomes = await asyncio.gather(events_of(model), return_exceptions=True)
    assert outcomes[0] is failure or asked == 2
    assert len(model.asked) == asked


async def test_models_that_have_all_told_us_to_wait_are_left_alone() -> None:
    failure = LLMError("busy", fault=Fault.RATE_LIMIT, retry_after_s=60.0)
    minds = alone(ScriptedChatModel(script=[[failure]]))
    for complaint in ("busy", "every model has told us to wait"):
        with pytest.raises(LLMError, match=complaint):
            assert [event async for event in reply(minds, HELLO)] == []


async def test_a_probe_that_fails_tells_of_the_model(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    first = ScriptedChatModel(script=[[ConnectionResetError()]])
    minds = Minds({"first": first, "second": ScriptedChatModel(script=[["Hi."]])})
    minds.choices[0].breaker.failed(0, -10.0, LLMError("slow", fault=Fault.TIMEOUT))
    assert [event async for event in reply(minds, HELLO)][-1] == Finished()
    await asyncio.gather(*minds._probes.values())
    assert "first is still away: first reply: the line to the model broke" in caplog.text


async def test_nothing_is_asked_again_once_there_were_words() -> None:
    model = ScriptedChatModel(script=[["One. ", ConnectionResetError()], ["Two."]])
    with pytest.raises(LLMError):
        await events_of(model)
    assert len(model.asked) == 1


async def test_thoughts_of_a_model_that_failed_are_not_gone_on_with() -> None:
    model = ScriptedChatModel(script=[["<think>Hm. ", ConnectionResetError()], ["Hi."]])
    assert (await events_of(model))[1:] == [FirstToken(), Sentence("Hi."), Finished()]


# --- speculation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "then"),
    [
        (asks("lookup", '{"word": "a"}'), ToolsStarted(("lookup",))),
        (asks("hang_up", '{"reason": "done"}'), ControlRequested("hang_up", {"reason": "done"})),
    ],
)
async def test_what_has_effects_waits_until_the_turn_is_confirmed(asked: AIMessageChunk, then: ReplyEvent) -> None:
    confirmed = asyncio.Event()
    model = ScriptedChatModel(script=[["One moment. ", asked], ["Done."]])
    async with aclosing(reply(alone(model), HELLO, TOOLS, confirmed=confirmed)) as events:
        assert [await anext(events), await anext(events)] == [FirstToken(), Sentence("One moment.")]
        following = asyncio.ensure_future(anext(events))
        await settle()
        assert not following.done()
        confirmed.set()
        assert await following == then


async def test_a_speculation_that_is_dropped_has_done_nothing() -> None:
    ran = asyncio.Event()

    @tool
    async def order() -> str:
        """Order it."""
        ran.set()
        return ""

    model = ScriptedChatModel(script=[[asks("order")]])
    async with aclosing(reply(alone(model), HELLO, [order], confirmed=asyncio.Event())) as events:
        assert await anext(events) == FirstToken()
        following = asyncio.ensure_future(anext(events))
        await settle()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert not ran.is_set()


@pytest.mark.parametrize("field", ["metadata", "extras"])
async def test_a_safe_tool_does_not_wait(field: str) -> None:
    safe = lookup.model_copy(update={field: {"safe": True}})
    model = ScriptedChatModel(script=[[asks("lookup", '{"word": "a"}')], ["It is."]])
    async with aclosing(reply(alone(model), HELLO, [safe], confirmed=asyncio.Event())) as events:
        assert [type(event) async for event in events] == [FirstToken, ToolsStarted, ToolRound, Sentence, Finished]


async def test_a_tool_that_does_not_exist_is_told_at_once() -> None:
    model = ScriptedChatModel(script=[[asks("nosuch")], ["Sorry."]])
    async with aclosing(reply(alone(model), HELLO, TOOLS, confirmed=asyncio.Event())) as events:
        assert [type(event) async for event in events] == [FirstToken, ToolRound, Sentence, Finished]


async def test_what_was_thrown_away_is_counted() -> None:
    tally = Tally()
    model = ScriptedChatModel(script=[["Hi", " there. ", "How are", asyncio.Event()]])
    async with aclosing(reply(alone(model), HELLO, tally=tally)) as events:
        assert [await anext(events), await anext(events)] == [FirstToken(), Sentence("Hi there.")]
        following = asyncio.ensure_future(anext(events))
        await settle()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert tally == Tally(requests=1, tokens=3, characters=len("Hi there. How are"))


# --- keys --------------------------------------------------------------------------------------------------------


async def test_a_control_that_the_talk_outlives_is_remembered_as_strict_servers_want_it() -> None:
    collect = CallControl(name="collect_digits", description="Keys.", args_schema=CollectDigits, result="Waiting.")
    wanted = {"purpose": "PIN", "length": None, "terminator": "#"}
    both = [asks("collect_digits", json.dumps(wanted)), asks("hang_up", '{"reason": "x"}', id="2", index=1)]
    model = ScriptedChatModel(script=[["Please type it. ", *both], ["Thank you."]])
    history = History("You are brief.")
    history.caller_said("My PIN?")
    events = [event async for event in reply(alone(model), history.messages(), [collect, HANG_UP])]
    *_, control, round_, finished = events
    assert (control, finished) == (ControlRequested("collect_digits", wanted), Finished())
    assert isinstance(round_, ToolRound)
    history.tool_round(round_.ai_message, round_.tool_messages)
    history.bot_said("Please type it.")
    history.caller_pressed("1234#")
    _, *rest = history.messages()
    assert [type(message) for message in rest] == [HumanMessage, AIMessage, ToolMessage, AIMessage, HumanMessage]
    assert [message.content for message in rest[2:]] == [
        "Waiting.",
        "Please type it.",
        "[The caller pressed: 1234#]",
    ]
