"""What is known of a scenario's call once it is over, whichever way it was made."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.history import CUT
from agent.spoken import speakable
from telephony.simulator import events


@dataclass(frozen=True, slots=True)
class Said:
    """An entry of the bot's memory: `who` is bot, caller or tool; of a tool `text` is its name."""

    who: str
    text: str

    def __str__(self) -> str:
        return f"{self.who}: {self.text}"


@dataclass(frozen=True, slots=True)
class Run:
    """One call. `events` are in the order of their instants; None is what could not be known.

    `reprompts` are what the bot says to a caller who says nothing. `kinds` are those of the `BotReported` that would
    have been there; None if any kind would. `problems` are faults of the call, by which no scenario passes.
    """

    events: tuple[events.Event, ...]
    history: tuple[Said, ...] | None
    caller_heard: str | None
    reprompts: tuple[str, ...]
    kinds: frozenset[str] | None = None
    problems: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return max((event.at_s for event in self.events), default=0.0)


def in_order(happened: Iterable[events.Event]) -> tuple[events.Event, ...]:
    """Events by their instants; what became known first comes first where they are the same.

    The caller's ear dates speech by frames, and so up to 20 ms before its audio can have been on the line; it knows
    that speech has ended only a while after, when the bot has long acted on that.
    """
    arrived_at_s = 0.0
    dated: list[events.Event] = []
    for event in happened:
        if isinstance(event, events.BotAudioArrived):
            arrived_at_s = event.at_s
        elif isinstance(event, events.BotSpeaking):
            event = events.BotSpeaking(max(event.at_s, arrived_at_s))
        dated.append(event)
    return tuple(sorted(dated, key=lambda event: (round(event.at_s, 3), not isinstance(event, events.BotQuiet))))


def remembered(messages: Sequence[BaseMessage]) -> tuple[Said, ...]:
    """The conversation as the model is told it, without the prompt and the line that opens it for strict models."""
    said: list[Said] = []
    for place, message in enumerate(messages):
        match message:
            case HumanMessage() if place == 1 and str(message.content).startswith("["):
                continue
            case HumanMessage():
                said.append(Said("caller", str(message.content)))
            case ToolMessage(name=name):
                said.append(Said("tool", name or ""))
            case AIMessage() if message.content:
                said.append(Said("bot", str(message.content)))
    return tuple(said)


def reported(happened: Iterable[events.Event]) -> tuple[Said, ...]:
    """The same, from what the bot's feed says it remembers; tools are not in it."""
    said: list[Said] = []
    for event in happened:
        match event:
            case events.BotReported(kind="caller_said"):
                said.append(Said("caller", event.text()))
            case events.BotReported(kind="bot_said", fields=fields):
                said.append(Said("bot", event.text() + (CUT if fields.get("interrupted") is True else "")))
    return tuple(said)


def unheard(history: Iterable[Said], heard: str) -> list[str]:
    """What the bot remembers having said although the caller did not hear it, word by word and in this order.

    Words may have been heard twice, where the voice went on from the beginning of one.
    """
    left = iter(_words(heard))
    return [said.text for said in history if said.who == "bot" and not _are_in(left, _words(said.text))]


def _are_in(heard: Iterator[str], words: Iterable[str]) -> bool:
    return all(any(_is_in(sound, word) for sound in heard) for word in words)


def _is_in(sound: str, word: str) -> bool:
    """Whether this is the word, be it said in two goes, as in "somethinething", or with a scrap of a repeat behind."""
    begun = sum(1 for _ in takewhile(lambda letters: letters[0] == letters[1], zip(sound, word, strict=False)))
    return len(sound) >= len(word) and any(sound.endswith(word[place:]) for place in range(begun + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", speakable(text.removesuffix(CUT)).casefold())
