"""What holds for any caller: nothing breaks, nothing is invented, the same history gives the same state."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from agent.business import load_business
from agent.frontdesk.conversation import due, fold
from agent.frontdesk.desk import Desk
from agent.frontdesk.intents import FEATURES, VOCABULARY
from agent.frontdesk.lexicon import Lexicon
from agent.frontdesk.numbers import digits, number, ordinal
from agent.frontdesk.spoken import say_digits, say_number, say_price, say_time
from agent.frontdesk.times import find_times
from agent.frontdesk.understanding import Context, understand
from agent.frontdesk.words import MAX_WORDS, listing, words
from tests.agent.frontdesk.desk import NOW, TOOLS
from tests.agent.frontdesk.test_understanding import INTENTS, OUT_OF_SCOPE, SLOTS

BUSINESS = load_business()
DESK = Desk(BUSINESS, Lexicon(BUSINESS, VOCABULARY), NOW, frozenset(tool.name for tool in TOOLS))

LINES = [text for texts in INTENTS.values() for text in texts] + OUT_OF_SCOPE + [text for text, _, _ in SLOTS]
PIECES = [phrase for groups in FEATURES.values() for phrases in groups.values() for phrase in phrases.split(", ")]
PIECES += listing(
    "to for ate half past quarter twenty fifth double oh pm next monday december the at of five 7 19:30 0 99"
)
said = st.one_of(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    st.text(max_size=80),
)
histories = st.lists(st.tuples(said, st.one_of(st.none(), st.integers(0, 120))), min_size=1, max_size=8)


def numbers_said(text: str, by_sound: bool = False) -> set[int]:
    """Every number in a text, in words or digits, but for ordinals: days of the month come from the calendar."""
    spoken, found, at = words(text), set[int](), 0
    while at < len(spoken):
        day, reading = ordinal(spoken, at), number(spoken, at, by_sound=by_sound)
        found |= {reading[0]} if reading and not day else set()
        at = day[1] if day else reading[1] if reading else at + 1
    return found


@cache
def numbers_of_the_file() -> frozenset[int]:
    spans = [span for day in range(7) for span in BUSINESS.hours.on(day)]
    spans += [span for holiday in BUSINESS.holidays for span in holiday.hours]
    texts = [say_time(minute) for span in spans for minute in (span.opens_min, span.closes_min)]
    texts += [say_price(item.price, BUSINESS.currency) for item in BUSINESS.prices]
    texts += [f"{item.name} {item.note}" for item in BUSINESS.prices]
    texts += [question.answer for question in BUSINESS.questions]
    texts += [say_number(booking.max_party_size) for booking in BUSINESS.bookings]
    texts += [BUSINESS.address, BUSINESS.greeting, BUSINESS.goodbye, say_digits(BUSINESS.phone or "")]
    return frozenset(value for text in texts for value in numbers_said(text))


def numbers_of_the_caller(text: str) -> set[int]:
    """The numbers a caller may have meant: as said, by sound, as a time of day, digit by digit, and added up."""
    spoken = words(text)
    said = numbers_said(text) | numbers_said(text, by_sound=True)
    times = [found.value for expected in (False, True) for found in find_times(spoken, expected=expected)]
    clocks = {clock.minutes + half for clock in times for half in (0, 12 * 60)}
    said |= {value for minute in clocks for value in numbers_said(say_time(minute))}
    said |= {int(digit) for digit in digits(spoken)}
    said |= {1 if word in ("me", "myself", "own", "alone") else 2 for word in spoken if word in ALONE_OR_BOTH}
    return said | {one + other for one in said for other in said}


ALONE_OR_BOTH = {"me", "myself", "own", "alone", "both", "couple", "pair"}


def talk(history: list[tuple[str, int | None]]) -> tuple[list[BaseMessage], list[str]]:
    """The messages of a call, and all its replies; a number cuts a reply there, and then no tool is called."""
    messages: list[BaseMessage] = [AIMessage(BUSINESS.greeting)]
    replies: list[str] = []
    for place, (text, cut) in enumerate(history):
        messages.append(HumanMessage(text))
        reply = due(messages, DESK)
        replies.append(reply.text)
        if reply.call is None or cut is not None:
            messages.append(AIMessage(reply.text[:cut]))
            continue
        call = tool_call(name=reply.call.name, args=dict(reply.call.args), id=str(place))
        messages += [AIMessage(reply.text, tool_calls=[call]), ToolMessage("done", tool_call_id=str(place))]
        replies.append(due(messages, DESK).text)
        messages.append(AIMessage(replies[-1]))
    return messages, replies


@settings(deadline=None, max_examples=200)
@given(histories)
def test_no_number_is_invented(history: list[tuple[str, int | None]]) -> None:
    _, replies = talk(history)
    allowed = numbers_of_the_file().union(*(numbers_of_the_caller(text) for text, _ in history))
    for reply in replies:
        assert numbers_said(reply) <= allowed


@settings(deadline=None, max_examples=50)
@given(histories)
def test_the_same_history_gives_the_same_state(history: list[tuple[str, int | None]]) -> None:
    messages, _ = talk(history)
    once = fold(messages, DESK)
    understand.cache_clear()
    assert fold(messages, DESK) == once


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=2000))
def test_any_text_is_understood_somehow(text: str) -> None:
    heard = understand(text, DESK.lexicon, NOW.date(), Context())
    assert len(heard.words) <= MAX_WORDS
    assert due([HumanMessage(text)], DESK).text


@settings(deadline=None)
@given(st.sampled_from(OUT_OF_SCOPE))
def test_what_is_not_in_the_file_is_not_answered(text: str) -> None:
    assert due([HumanMessage(text)], DESK).text.startswith("I'm sorry, I don't know that.")
