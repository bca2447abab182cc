"""What the model is told of the call: the conversation as the caller heard it, within bounds."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

CUT = "—"
"""Ends what the bot said when the caller cut it off; the system prompt tells the model so."""

_BEGINNING = "[The caller is on the line.]"
_FORGOTTEN = "[The beginning of the call is left out here.]"


@dataclass(frozen=True, slots=True)
class _Caller:
    text: str


@dataclass(frozen=True, slots=True)
class _Bot:
    text: str


@dataclass(frozen=True, slots=True)
class _Tools:
    asked: AIMessage
    answered: tuple[ToolMessage, ...]


type _Entry = _Caller | _Bot | _Tools


class History:
    """The messages of one call.

    Only words that were heard come in, so a reply that was cut off is remembered as far as it got. When the bounds
    are passed the oldest entries go, whole: a tool call and its result stay or go together. The last entry stays
    whatever its size.
    """

    def __init__(self, system: str, max_entries: int = 80, max_characters: int = 24_000) -> None:
        self._system = SystemMessage(system)
        self._max_entries = max_entries
        self._max_characters = max_characters
        self._entries: deque[_Entry] = deque()
        self._characters = 0
        self._forgot = False

    def caller_said(self, text: str) -> None:
        """Words of the caller; white space alone is nothing."""
        if text.strip():
            self._add(_Caller(text.strip()))

    def bot_said(self, text: str, interrupted: bool = False) -> None:
        """Words of the bot, as far as the caller heard them before `interrupted`; none at all is nothing."""
        if text.strip():
            self._add(_Bot(text.strip() + (CUT if interrupted else "")))

    def happened(self, what: str) -> None:
        """Something the model should know that nobody said, such as a transfer that failed or a key pressed."""
        self._add(_Caller(f"[{what}]"))

    def caller_pressed(self, keys: str) -> None:
        """Keys of the caller's telephone, the one that ended them included; none is a caller who pressed nothing."""
        self.happened(f"The caller pressed: {keys}" if keys else "The caller pressed no keys.")

    def tool_round(self, ai_message: AIMessage, tool_messages: Sequence[ToolMessage]) -> None:
        """Tools the model asked for, with all their results.

        Words in `ai_message` are left out: those that were heard come in by `bot_said`.
        """
        self._add(_Tools(ai_message.model_copy(update={"content": ""}), tuple(tool_messages)))

    def messages(self, supposing: str = "") -> list[BaseMessage]:
        """What to send: the system prompt, then caller and bot by turns, the caller first, as strict servers want.

        `supposing`: words of the caller that may not be their last, and so are not remembered.
        """
        messages: list[BaseMessage] = []
        if self._forgot or not self._entries or not isinstance(self._entries[0], _Caller):
            messages.append(HumanMessage(_FORGOTTEN if self._forgot else _BEGINNING))
        supposed = [_Caller(supposing)] if supposing else []
        for entry in (*self._entries, *supposed):
            last = messages[-1] if messages else None
            if isinstance(entry, _Tools):
                messages += [entry.asked, *entry.answered]
            elif isinstance(entry, _Bot):
                _say(messages, AIMessage(entry.text), together=isinstance(last, AIMessage) and not last.tool_calls)
            else:
                if isinstance(last, ToolMessage):
                    messages.append(AIMessage(CUT))  # the answer to the tool's result was never heard
                _say(messages, HumanMessage(entry.text), together=isinstance(last, HumanMessage))
        return [self._system, *messages]

    def _add(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._characters += _size(entry)
        while len(self._entries) > 1 and (
            len(self._entries) > self._max_entries or self._characters > self._max_characters
        ):
            self._characters -= _size(self._entries.popleft())
            self._forgot = True


def _say(messages: list[BaseMessage], message: BaseMessage, together: bool) -> None:
    """Append, or join what the same side said just before: most models accept no two turns of one side in a row."""
    if together:
        message.content = f"{messages.pop().content} {message.content}"
    messages.append(message)


def _size(entry: _Entry) -> int:
    if isinstance(entry, _Tools):
        return len(str(entry.asked.tool_calls)) + sum(len(str(answer.content)) for answer in entry.answered)
    return len(entry.text)
