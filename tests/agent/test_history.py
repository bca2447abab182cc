"""What the model is told of a call: by turns, as it was heard, and within bounds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.history import History
from agent.tool_calls import Call, asking_message


def told(history: History) -> list[str]:
    """The messages without the system prompt, each as one letter for its side and the text."""
    system, *rest = history.messages()
    assert system == SystemMessage("You are brief.")
    return [f"{message.type[0]}: {message.content}" for message in rest]


def run_a_tool(history: History, text: str = "", result: str = "done") -> None:
    asked = asking_message(text, [Call(0, id="call_1", name="lookup", json='{"word": "cat"}')])
    history.tool_round(asked, [ToolMessage(result, tool_call_id="call_1")])


def test_a_call_begins_with_the_caller_as_strict_servers_want_it() -> None:
    history = History("You are brief.")
    history.bot_said("Hello, how can I help?")
    history.caller_said("Are you open?")
    assert told(history) == ["h: [The caller is on the line.]", "a: Hello, how can I help?", "h: Are you open?"]


def test_a_history_of_nothing_can_be_sent() -> None:
    assert told(History("You are brief.")) == ["h: [The caller is on the line.]"]


def test_turns_of_one_side_are_joined() -> None:
    history = History("You are brief.")
    history.caller_said("Are you")
    history.caller_said("open? ")
    history.bot_said("Yes.")
    history.bot_said("Until ten.")
    assert told(history) == ["h: Are you open?", "a: Yes. Until ten."]


def test_an_interruption_is_marked() -> None:
    history = History("You are brief.")
    history.caller_said("Are you open?")
    history.bot_said("Yes, until", interrupted=True)
    history.caller_said("And on Sunday?")
    assert told(history) == ["h: Are you open?", "a: Yes, until—", "h: And on Sunday?"]


def test_what_nobody_heard_was_not_said() -> None:
    history = History("You are brief.")
    history.caller_said("Are you open?")
    history.bot_said("", interrupted=True)
    history.caller_said(" ")
    history.caller_said("Hello?")
    assert told(history) == ["h: Are you open? Hello?"]


def test_what_happened_is_told_in_brackets() -> None:
    history = History("You are brief.")
    history.caller_said("The manager, please.")
    history.bot_said("One moment.")
    history.happened("The transfer to the manager failed: nobody answered.")
    assert told(history)[-1] == "h: [The transfer to the manager failed: nobody answered.]"


def test_words_with_a_tool_call_are_those_that_were_heard() -> None:
    history = History("You are brief.")
    history.caller_said("What is a cat?")
    run_a_tool(history, text="Let me look. It is ")
    history.bot_said("Let me look.")
    assert told(history) == ["h: What is a cat?", "a: ", "t: done", "a: Let me look."]
    (asked,) = [message for message in history.messages() if isinstance(message, AIMessage) and message.tool_calls]
    assert asked.additional_kwargs["tool_calls"][0]["function"]["name"] == "lookup"


def test_a_result_that_was_never_told_does_not_meet_the_caller() -> None:
    history = History("You are brief.")
    history.caller_said("What is a cat?")
    run_a_tool(history)
    history.caller_said("Hello?")
    assert told(history) == ["h: What is a cat?", "a: ", "t: done", "a: —", "h: Hello?"]


def test_the_oldest_goes_first_and_the_model_is_told() -> None:
    history = History("You are brief.", max_entries=2)
    for text in ("one", "two", "three"):
        history.caller_said(text)
        history.bot_said(f"{text}!")
    assert told(history) == ["h: [The beginning of the call is left out here.] three", "a: three!"]


def test_the_last_entry_stays_whatever_its_size() -> None:
    history = History("You are brief.", max_characters=10)
    history.caller_said("x" * 50)
    assert told(history) == ["h: " + "x" * 50]
    run_a_tool(history, result="y" * 50)
    assert told(history) == ["h: [The beginning of the call is left out here.]", "a: ", "t: " + "y" * 50]


moves = st.lists(st.tuples(st.sampled_from(["caller", "bot", "cut", "tool", "event"]), st.text("ab ", max_size=30)))


@given(moves, st.integers(1, 12), st.integers(1, 120))
def test_every_history_can_be_sent(moves: list[tuple[str, str]], max_entries: int, max_characters: int) -> None:
    history = History("You are brief.", max_entries, max_characters)
    for move, text in moves:
        match move:
            case "caller":
                history.caller_said(text)
            case "bot" | "cut":
                history.bot_said(text, interrupted=move == "cut")
            case "tool":
                run_a_tool(history, result=text)
            case _:
                history.happened(text)
    system, *rest = history.messages()
    assert isinstance(system, SystemMessage)
    assert isinstance(rest[0], HumanMessage)
    for before, after in pairwise(rest):
        assert _may_follow(before, after)
    assert not (isinstance(rest[-1], AIMessage) and rest[-1].tool_calls)


def _may_follow(before: BaseMessage, after: BaseMessage) -> bool:
    if isinstance(before, AIMessage) and before.tool_calls:
        return isinstance(after, ToolMessage) and after.tool_call_id == before.tool_calls[0]["id"]
    if isinstance(after, ToolMessage):
        return False
    if isinstance(before, ToolMessage):
        return isinstance(after, AIMessage)
    return type(before) is not type(after) or (isinstance(after, AIMessage) and bool(after.tool_calls))


@given(moves)
def test_a_history_is_bounded(moves: list[tuple[str, str]]) -> None:
    history = History("", max_characters=200)
    for _, text in moves:
        history.caller_said(text)
        history.bot_said(text)
    assert sum(len(str(message.content)) for message in history.messages()) < 300


def test_keys_come_as_a_note() -> None:
    history = History("You are brief.")
    history.caller_pressed("1234#")
    history.bot_said("Thank you.")
    history.caller_pressed("")
    assert [message.content for message in history.messages()[1:]] == [
        "[The caller pressed: 1234#]",
        "Thank you.",
        "[The caller pressed no keys.]",
    ]
