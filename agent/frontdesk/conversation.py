"""The conversation as a fold over its messages: the same history always gives the same state, whoever asks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.frontdesk.desk import Desk
from agent.frontdesk.dialogue import after_tool, begin, resume, turn
from agent.frontdesk.state import Reply, State, ToolCall
from agent.frontdesk.times import MONTHS
from agent.frontdesk.words import words

_NOTE = re.compile(r"\[[^\]]*\]")
_BEGAN = re.compile(r"\bIt is (\d\d):(\d\d) on \w+, (\w+) (\d{1,2}), (\d{4})\b")
_CALLER = re.compile(r"\bThe caller's number is (\+?\d[\d ]*\d)")
_TAIL_WORDS = 3
"""A caller who speaks over the last few words has understood the question."""
_SAME_CALL = timedelta(hours=4)


def fold(messages: Iterable[BaseMessage], desk: Desk) -> State:
    """Where the conversation stands after these messages, and the reply that is due."""
    state, before_tool = begin(desk), ""
    for message in messages:
        match message:
            case HumanMessage():
                said = _NOTE.sub(" ", message.text).strip()
                state, before_tool = turn(state, said, desk) if said else resume(state, message.text, desk), ""
            case AIMessage():
                state = _spoke(state, message, before_tool)
            case ToolMessage():
                before_tool = f"{before_tool} {state.reply.text}"
                state = after_tool(state, message.status == "success", desk)
    return state


def due(messages: Sequence[BaseMessage], desk: Desk) -> Reply:
    """The reply to a history; one that ends with the bot's own words is taken up again."""
    state = fold(messages, desk)
    if isinstance(messages[-1] if messages else None, AIMessage):
        return resume(state, "", desk).reply
    return state.reply


def began_at(messages: Iterable[BaseMessage], now: datetime) -> datetime:
    """The time to reckon days from: `now`, unless the system message dates the call to another day."""
    for message in messages:
        found = _BEGAN.search(message.text) if isinstance(message, SystemMessage) else None
        if found and found[3].casefold() in MONTHS:
            hour, minute, day, year = (int(part) for part in found.group(1, 2, 4, 5))
            try:
                began = datetime(year, MONTHS.index(found[3].casefold()) + 1, day, hour, minute, tzinfo=now.tzinfo)
            except ValueError:
                return now
            return now if began.date() == now.date() and now - began < _SAME_CALL else began
    return now


def caller_number(messages: Iterable[BaseMessage]) -> str:
    """The caller's number if the system message tells it, else an empty string."""
    texts = (message.text for message in messages if isinstance(message, SystemMessage))
    return next((found[1] for text in texts if (found := _CALLER.search(text))), "")


def _spoke(state: State, message: AIMessage, before_tool: str) -> State:
    """Note what was heard of the reply that was due; words of another model's become the reply to repeat."""
    if message.tool_calls:
        call = message.tool_calls[-1]
        state = replace(state, calling=ToolCall(call["name"], call["args"]))
    said, planned = words(message.text), words(state.reply.text)
    for plan in (planned, words(before_tool) + planned):
        if _begins(said, plan):
            return replace(state, heard=len(said) >= len(plan) - _TAIL_WORDS and bool(said))
    return replace(state, reply=Reply(message.text), heard=False)


def _begins(said: Sequence[str], plan: Sequence[str]) -> bool:
    """Whether `plan` begins with what was said, of which the last word may be cut short."""
    if not said:
        return True
    *whole, last = said
    return len(said) <= len(plan) and whole == list(plan[: len(whole)]) and plan[len(whole)].startswith(last)
