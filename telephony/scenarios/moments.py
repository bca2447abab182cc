"""Moments of a call that a scenario can speak of, each told from the events on the line or from the bot's own feed."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from telephony.scenarios.parts import Matching, Part, Pattern, Text, known_by, pattern, spelled_out
from telephony.simulator import events

type Words = Annotated[Pattern | None, BeforeValidator(lambda value: None if value in ("", None) else pattern(value))]
"""A pattern, or nothing behind the key for any words at all."""


class Moment(Part):
    """The first field is the key that it is known by."""

    @abstractmethod
    def matches(self, event: events.Event) -> bool:
        """Whether it is this moment that `event` tells of."""

    @property
    def needs(self) -> str:
        """The kind of `BotReported` it is told from; empty for what is seen on the line."""
        return ""

    def __str__(self) -> str:
        key, *others = type(self).model_fields
        value = getattr(self, key)
        given = {name: getattr(self, name) for name in others if name in self.model_fields_set}
        more = ", ".join(f"{name}: {_shown(item)}" for name, item in given.items())
        return key + (f": {value}" if value not in ("", None) else "") + (f" ({more})" if more else "")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return str(value).lower()


class CallerSpeaks(Moment):
    """The caller begins to say this."""

    caller_speaks: Words

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.CallerSpeaking) and _found(self.caller_speaks, event.text)


class CallerStops(Moment):
    """The caller has said this: their last sound."""

    caller_stops: Words

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.CallerSpoke) and _found(self.caller_stops, event.text)


class Key(Moment):
    """The caller presses a key, this one if it is given."""

    key: str

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.CallerPressed) and self.key in ("", event.digit)


class BotSpeaks(Moment):
    """The caller begins to hear the bot."""

    bot_speaks: Literal[""]

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.BotSpeaking)


class BotQuiet(Moment):
    """The caller has heard the last of what the bot was saying."""

    bot_quiet: Literal[""]

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.BotQuiet)


class Cleared(Moment):
    """The bot takes back what was not played yet."""

    cleared: Literal[""]

    def matches(self, event: events.Event) -> bool:
        return isinstance(event, events.PlaybackCleared)


class HangsUp(Moment):
    """The bot has the carrier end the call."""

    bot_hangs_up: Literal[""]

    def matches(self, event: events.Event) -> bool:
        match event:
            case events.BotReported(kind="hang_up_ordered"):
                return True
            case events.CallEnded(reason=reason):  # as our own Twilio tells it, by TwiML or over REST
                return reason.startswith("the bot hung up")
        return False


class Transfers(Moment):
    """The bot has the carrier connect the caller with somebody else, at this number if it is given."""

    bot_transfers: str

    def matches(self, event: events.Event) -> bool:
        match event:
            case events.BotReported(kind="transfer_ordered"):
                return self.bot_transfers in ("", event.text("number"))
            case events.Dialled(numbers=numbers):
                return self.bot_transfers == "" or self.bot_transfers in numbers
        return False


class _Reported(Moment):
    """A line of the feed with a text in it."""

    @property
    def needs(self) -> str:
        return next(iter(type(self).model_fields))

    def matches(self, event: events.Event) -> bool:
        words: Pattern | None = getattr(self, self.needs)
        return isinstance(event, events.BotReported) and event.kind == self.needs and _found(words, event.text())


class BotSays(_Reported):
    """The bot is about to say this; it may yet be interrupted."""

    bot_says: Words


class BotSaid(_Reported):
    """The bot knows that the caller heard this; `interrupted`: up to the last word, when they cut it off."""

    bot_said: Words
    interrupted: bool | None = None

    def matches(self, event: events.Event) -> bool:
        return (
            super().matches(event)
            and isinstance(event, events.BotReported)
            and self.interrupted in (None, event.fields.get("interrupted"))
        )


class CallerSaid(_Reported):
    """The bot has understood this."""

    caller_said: Words


class ModelAsked(_Reported):
    """The language model is asked; the text is what the caller said last, as the model is told it."""

    model_asked: Words


class ToolCalled(Moment):
    """A tool is called, with arguments like these among its own."""

    tool: Text
    args: dict[str, Matching] = Field(default_factory=dict)

    @property
    def needs(self) -> str:
        return "tool_called"

    def matches(self, event: events.Event) -> bool:
        if not isinstance(event, events.BotReported) or event.kind != self.needs or event.text("name") != self.tool:
            return False
        given = event.fields.get("args")
        args = given if isinstance(given, dict) else {}
        return all(name in args and wanted.found_in(str(args[name])) for name, wanted in self.args.items())


class Feed(Moment):
    """Any line of the bot's feed, by its kind and what its fields contain: for kinds that have no name of their own."""

    feed: Text
    fields: dict[str, Matching] = Field(default_factory=dict)

    @property
    def needs(self) -> str:
        return self.feed

    def matches(self, event: events.Event) -> bool:
        return (
            isinstance(event, events.BotReported)
            and event.kind == self.feed
            and all(wanted.found_in(str(event.fields.get(name, ""))) for name, wanted in self.fields.items())
        )


def _found(words: Pattern | None, text: str) -> bool:
    return words is None or words.found_in(text)


type AnyMoment = Annotated[
    Annotated[CallerSpeaks, Tag("=caller_speaks")]
    | Annotated[CallerStops, Tag("=caller_stops")]
    | Annotated[Key, Tag("=key")]
    | Annotated[BotSpeaks, Tag("=bot_speaks")]
    | Annotated[BotQuiet, Tag("=bot_quiet")]
    | Annotated[Cleared, Tag("=cleared")]
    | Annotated[HangsUp, Tag("=bot_hangs_up")]
    | Annotated[Transfers, Tag("=bot_transfers")]
    | Annotated[BotSays, Tag("=bot_says")]
    | Annotated[BotSaid, Tag("=bot_said")]
    | Annotated[CallerSaid, Tag("=caller_said")]
    | Annotated[ModelAsked, Tag("=model_asked")]
    | Annotated[ToolCalled, Tag("=tool")]
    | Annotated[Feed, Tag("=feed")],
    known_by(
        "caller_speaks",
        "caller_stops",
        "key",
        "bot_speaks",
        "bot_quiet",
        "cleared",
        "bot_hangs_up",
        "bot_transfers",
        "bot_says",
        "bot_said",
        "caller_said",
        "model_asked",
        "tool",
        "feed",
    ),
    spelled_out,
]
