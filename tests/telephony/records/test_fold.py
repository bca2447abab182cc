"""The fold: from a call's log, its memory as the live call had it, and where the talk stood."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, ToolMessage

from agent.history import History
from agent.tool_calls import Call, asking_message
from telephony.call.journal import Entry, Journal, Kind
from telephony.call.memory import remember, tools_done
from telephony.records.fold import KeysWanted, Talk, fold
from telephony.scenarios.format import find_scenarios, load_scenario
from telephony.scenarios.invented import run_invented
from telephony.scenarios.run import remembered
from telephony.simulator.events import BotReported

FOLDER = Path(__file__).parent.parent.parent / "scenarios"
KINDS = {kind.value: kind for kind in Kind}


# --- the memory ------------------------------------------------------------------------------------------------


def round_of_tools(name: str, argument: str, result: str, failed: bool) -> tuple[AIMessage, list[ToolMessage]]:
    asked = asking_message("", [Call(0, "call_1", name, json.dumps({"what": argument}))])
    answered = ToolMessage(result, tool_call_id="call_1", name=name, status="error" if failed else "success")
    return asked, [answered]


texts = st.text(max_size=30)
told = st.one_of(
    st.tuples(st.just("caller"), texts),
    st.tuples(st.just("keys"), st.text("0123456789*#", max_size=5)),
    st.tuples(st.just("bot"), texts, st.booleans()),
    st.tuples(st.just("tools"), st.builds(round_of_tools, st.just("look_up"), texts, texts, st.booleans())),
    st.tuples(st.just("happened"), texts),
    st.tuples(st.just("else"), st.sampled_from([Kind.BARGE_IN, Kind.RESUMED, Kind.REPLY_STARTED, Kind.SILENCED])),
)


@given(st.lists(told, max_size=150))
def test_a_log_holds_the_memory_of_its_call(happenings: list[tuple[object, ...]]) -> None:
    live, journal = History("You answer the phone."), Journal(0.0)
    for happening in happenings:
        match happening:
            case "caller", str(text):
                live.caller_said(text)
                journal.note(Kind.CALLER_SAID, 0.0, turn=1, text=text, keyed=False)
            case "keys", str(keys):
                live.caller_pressed(keys)
                journal.note(Kind.CALLER_SAID, 0.0, turn=1, text=keys, keyed=True)
            case "bot", str(text), bool(interrupted):
                live.bot_said(text, interrupted=interrupted)
                journal.note(Kind.BOT_SAID, 0.0, turn=1, text=text, interrupted=interrupted)
            case "tools", (AIMessage() as asked, list(answered)):
                live.tool_round(asked, answered)
                journal.note(Kind.TOOLS_DONE, 0.0, **tools_done(1, asked, answered))
            case "happened", str(text):
                live.happened(text)
                journal.note(Kind.HAPPENED, 0.0, text=text)
            case _, Kind() as kind:
                journal.note(kind, 0.0, turn=1)
    again = History("You answer the phone.")
    fold(read_back(journal.entries)).tell(again)
    assert again.messages() == live.messages()


def read_back(entries: list[Entry]) -> list[Entry]:
    """As the database gives them."""
    return [Entry(entry.at_s, entry.kind, json.loads(json.dumps(entry.details))) for entry in entries]


def test_what_is_remembered_is_taken_down() -> None:
    live, again, journal = History("x"), History("x"), Journal(0.0)
    remember(live, journal, Kind.CALLER_SAID, 1.0, turn=1, text="Hello.", keyed=False)
    remember(live, journal, Kind.BARGE_IN, 1.0, turn=1)
    fold(journal.entries).tell(again)
    assert [entry.kind for entry in journal.entries] == [Kind.CALLER_SAID, Kind.BARGE_IN]
    assert live.messages() == again.messages()
    assert len(live.messages()) == 2


@pytest.mark.parametrize("path", find_scenarios([FOLDER]), ids=lambda path: path.stem)
def test_the_journal_of_every_scenario_holds_the_memory_of_its_call(path: Path) -> None:
    run = run_invented(load_scenario(path))
    entries = [
        Entry(event.at_s, KINDS[event.kind], {"turn": event.turn, **event.fields})  # type: ignore[dict-item]
        for event in run.events
        if isinstance(event, BotReported) and event.kind in KINDS
    ]
    talk = fold(read_back(entries))
    again = History("x")
    talk.tell(again)
    assert remembered(again.messages()) == run.history
    assert talk.ended
    assert (talk.saying, talk.heard) == ((), ())
    for length in range(len(entries)):
        fold(entries[:length])  # a call may break anywhere


# --- where the talk stands -------------------------------------------------------------------------------------


class Story:
    """A journal that is written a line at a time."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __call__(self, kind: Kind, **details: str | int | bool) -> "Story":
        self._entries.append(Entry(float(len(self._entries)), kind, dict(details)))
        return self

    @property
    def talk(self) -> Talk:
        return fold(self._entries)


@pytest.fixture
def story() -> Story:
    return Story()(Kind.CALL_STARTED, call_sid="CA1")


def said(story: Story) -> list[list[str]]:
    """What was heard of the bot's speech, and what is still to be."""
    return [list(story.talk.heard), list(story.talk.saying)]


def test_nothing_is_the_beginning() -> None:
    assert fold([]) == Talk()


def test_the_sentence_that_was_being_said(story: Story) -> None:
    for number, text in enumerate(("One.", "Two.", "Three.")):
        story(Kind.BOT_SAYS, turn=0, sentence=number, text=text)
    assert said(story) == [[], ["One.", "Two.", "Three."]]
    story(Kind.SENTENCE_HEARD, turn=0, sentence=1)  # the mark of the first was lost
    assert said(story) == [["One.", "Two."], ["Three."]]
    story(Kind.SENTENCE_FAILED, turn=0, sentence=2)
    assert said(story) == [["One.", "Two."], []]
    story(Kind.BOT_SAID, turn=0, text="One. Two.", interrupted=False)
    assert said(story) == [[], []]


def test_what_was_cut_off_is_not_being_said(story: Story) -> None:
    story(Kind.BOT_SAYS, turn=0, sentence=0, text="One.")(Kind.SILENCED, turn=0)
    story(Kind.SENTENCE_HEARD, turn=0, sentence=0)  # too late to count
    assert said(story) == [[], []]


def test_a_stream_that_breaks_before_it_says_anything_changes_nothing(story: Story) -> None:
    for number, text in enumerate(("One.", "Two.", "Three.")):
        story(Kind.BOT_SAYS, turn=1, sentence=number, text=text)
    story(Kind.TRANSFER_WANTED, turn=1, number="+15550100143")(Kind.SENTENCE_HEARD, turn=1, sentence=0)
    before = story.talk
    story(Kind.CALL_STARTED, call_sid="CA1")
    assert story.talk == before


def test_what_one_stream_after_the_other_gets_through_is_heard(story: Story) -> None:
    for number, text in enumerate(("One.", "Two.", "Three.")):
        story(Kind.BOT_SAYS, turn=1, sentence=number, text=text)
    story(Kind.SENTENCE_HEARD, turn=1, sentence=0)(Kind.HANG_UP_WANTED, turn=1)(Kind.CALL_STARTED, call_sid="CA1")
    story(Kind.BOT_SAYS, turn=1, sentence=0, text="Two.")(Kind.BOT_SAYS, turn=1, sentence=1, text="Three.")
    story(Kind.SENTENCE_HEARD, turn=1, sentence=0)(Kind.CALL_STARTED, call_sid="CA1")
    assert said(story) == [["One.", "Two."], ["Three."]]
    assert story.talk.hanging_up


def test_a_caller_waits_for_the_answer_until_it_was_heard(story: Story) -> None:
    story(Kind.CALLER_SAID, turn=1, text="Are you open?", keyed=False)(Kind.REPLY_STARTED, turn=1, guess=False)
    assert (story.talk.turns, story.talk.unanswered, story.talk.reply_finished) == (1, "Are you open?", False)
    story(Kind.BOT_SAYS, turn=1, sentence=0, text="Yes.")(Kind.REPLY_FINISHED, turn=1)
    assert (story.talk.unanswered, story.talk.reply_finished) == ("Are you open?", True)
    story(Kind.SENTENCE_HEARD, turn=1, sentence=0)(Kind.BOT_SAID, turn=1, text="Yes.", interrupted=False)
    assert story.talk.unanswered == ""


@pytest.mark.parametrize(("keyed", "pressed"), [(True, "42#"), (False, "42#"), (False, "42")])
def test_keys_are_kept_until_they_are_a_turn(story: Story, keyed: bool, pressed: str) -> None:
    story(Kind.KEYS_WANTED, turn=0, length=0, terminator="#")
    for key in pressed:
        story(Kind.KEY_PRESSED, digit=key)
    assert (story.talk.keys, story.talk.keys_wanted) == (pressed, KeysWanted(0, "#"))
    story(Kind.CALLER_SAID, turn=1, text="Wait.", keyed=False)
    assert (story.talk.keys, story.talk.keys_wanted) == (pressed, KeysWanted(0, "#"))
    story(Kind.CALLER_SAID, turn=2, text="42", keyed=keyed)
    assert (story.talk.keys, story.talk.keys_wanted, story.talk.turns) == ("", None, 2)


def test_a_transfer_is_under_way_until_the_caller_speaks_or_is_back(story: Story) -> None:
    story(Kind.TRANSFER_WANTED, turn=1, number="+15550100143")
    assert story.talk.transfer == "+15550100143"
    story(Kind.CALLER_SAID, turn=2, text="No, wait.", keyed=False)
    assert story.talk.transfer == ""
    story(Kind.TRANSFER_STARTED, number="+15550100143")(Kind.CALL_ENDED, reason="transferred")
    assert (story.talk.transfer, story.talk.ended) == ("+15550100143", "transferred")
    story(Kind.HAPPENED, text="The transfer failed: nobody answered.")(Kind.CALL_STARTED, call_sid="CA1")
    assert (story.talk.transfer, story.talk.ended) == ("", "")


def test_a_hang_up_is_meant_until_the_caller_speaks(story: Story) -> None:
    assert story(Kind.HANG_UP_WANTED, turn=1).talk.hanging_up
    assert not story(Kind.CALLER_SAID, turn=2, text="One more thing.", keyed=False).talk.hanging_up


def test_nothing_a_caller_said_is_shown(story: Story) -> None:
    story(Kind.CALLER_SAID, turn=1, text="my secret", keyed=False)(Kind.KEY_PRESSED, digit="7")
    story(Kind.BOT_SAYS, turn=1, sentence=0, text="your secret")
    assert "secret" not in repr(story.talk)
    assert "'7'" not in repr(story.talk)
