"""Silence that a caller cannot explain: the bot owes an answer, and nobody speaks."""

from collections.abc import Sequence
from dataclasses import dataclass

from telephony.simulator import events
from telephony.simulator.measure import Span


@dataclass(slots=True)
class _Floor:
    """Since when nobody has spoken, and whether it is the bot's turn to."""

    quiet_since_s: float | None = 0.0
    is_owed: bool = True  # by picking up


def longest_silence(happened: Sequence[events.Event], reprompts: Sequence[str]) -> Span | None:
    """The longest stretch without sound that was the bot's to fill; None if there was none.

    It is the bot's from the moment the call begins, the caller has spoken or has pressed a key, until the bot is heard
    next; and between two things that it says, unless the second is one of `reprompts`: then it was the caller's. A
    sound in brackets, such as a cough, asks for no answer.
    """
    silences: list[Span] = []
    floor = _Floor()
    caller_speaks = bot_speaks = False
    for event in happened:
        match event:
            case events.CallerSpeaking():
                _end(floor, event.at_s, silences, counts=floor.is_owed)
                caller_speaks = True
            case events.CallerSpoke(text=text):
                caller_speaks = False
                floor.is_owed = floor.is_owed or not text.startswith("(")
                floor.quiet_since_s = None if bot_speaks else event.at_s
            case events.CallerPressed():
                floor.is_owed = True
            case events.BotSpeaking():
                _end(floor, event.at_s, silences, counts=floor.is_owed or not _is_reprompt(event, happened, reprompts))
                bot_speaks, floor.is_owed = True, False
            case events.BotQuiet():
                bot_speaks = False
                floor.quiet_since_s = None if caller_speaks else event.at_s
            case events.Dialled(at_s=at_s):  # until then the caller heard it ring
                floor.quiet_since_s, floor.is_owed = at_s, True
            case events.CallEnded():
                _end(floor, event.at_s, silences, counts=floor.is_owed)
    return max(silences, key=lambda span: span.duration_s, default=None)


def _end(floor: _Floor, at_s: float, silences: list[Span], *, counts: bool) -> None:
    if floor.quiet_since_s is not None and counts:
        silences.append(Span(floor.quiet_since_s, at_s))
    floor.quiet_since_s = None


def _is_reprompt(speaking: events.BotSpeaking, happened: Sequence[events.Event], reprompts: Sequence[str]) -> bool:
    """Whether what the bot began to say is a question after a caller who says nothing."""
    told = [
        event.text()
        for event in happened
        if isinstance(event, events.BotReported) and event.kind == "bot_says" and event.at_s <= speaking.at_s + 0.02
    ]
    return bool(told) and told[-1] in reprompts
