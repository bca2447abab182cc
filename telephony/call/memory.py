"""What an entry of the journal means for the history: a call's memory can be told again from its journal alone."""

from collections.abc import Mapping, Sequence

from langchain_core.messages import AIMessage, ToolMessage

from agent.history import History
from telephony.call.journal import Detail, Journal, Kind

TOLD = frozenset({Kind.CALLER_SAID, Kind.BOT_SAID, Kind.TOOLS_DONE, Kind.HAPPENED})
"""The kinds that have a meaning for it."""


def remember(history: History, journal: Journal, kind: Kind, at: float, **details: Detail) -> None:
    """Tell the history something, and take it down in the words from which it can be told again."""
    journal.note(kind, at, **details)
    tell(history, kind, details)


def tell(history: History, kind: Kind, details: Mapping[str, Detail]) -> None:
    """Tell the history what an entry says, if it is of a kind in `TOLD`.

    The live call and whoever takes it up from its log both come this way. Raises `ValueError` for messages that are
    none.
    """
    text = str(details.get("text", ""))
    match kind:
        case Kind.CALLER_SAID if details.get("keyed"):
            history.caller_pressed(text)
        case Kind.CALLER_SAID:
            history.caller_said(text)
        case Kind.BOT_SAID:
            history.bot_said(text, interrupted=bool(details["interrupted"]))
        case Kind.HAPPENED:
            history.happened(text)
        case Kind.TOOLS_DONE:
            answered = details["answered"]
            if isinstance(answered, list):
                results = [ToolMessage.model_validate(message) for message in answered]
                history.tool_round(AIMessage.model_validate(details["asked"]), results)


def tools_done(turn: int, asked: AIMessage, answered: Sequence[ToolMessage]) -> dict[str, Detail]:
    """The details of a `TOOLS_DONE`, plain enough for JSON."""
    return {
        "turn": turn,
        "asked": asked.model_dump(mode="json", exclude_defaults=True),
        "answered": [message.model_dump(mode="json", exclude_defaults=True) for message in answered],
    }
