"""Where a conversation stands: the form being filled, the question left open, the reply that is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto

from agent.business import Booking, Price
from agent.frontdesk.intents import Intent
from agent.frontdesk.times import Clock


class Ask(StrEnum):
    """The question that the last reply ended with."""

    WHAT = auto()
    PEOPLE = auto()
    DAY = auto()
    TIME = auto()
    NAME = auto()
    TEXT = auto()
    NUMBER = auto()
    CONFIRM = auto()
    CHANGE = auto()
    OFFER = auto()
    OFFER_PERSON = auto()
    ANYTHING_ELSE = auto()


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    args: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, and a tool to call after it."""

    text: str
    call: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class BookingForm:
    what: Booking | None = None
    people: int | None = None
    day: date | None = None
    clock: Clock | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class MessageForm:
    text: str | None = None
    name: str | None = None
    number: str | None = None


type Form = BookingForm | MessageForm


@dataclass(frozen=True, slots=True)
class State:
    """All that is known after a stretch of history; made by folding it, never kept between turns.

    `heard` says that the caller heard the reply to its end, so that a bare yes or no answers its question. `name` is
    the caller's, kept for a second form. `calling` is the tool whose result is awaited. `leaving` says that the caller
    said goodbye with the yes that the tool was called for.
    """

    reply: Reply
    ask: Ask | None = None
    form: Form | None = None
    heard: bool = False
    topic: Intent | None = None
    items: tuple[Price, ...] = ()
    name: str | None = None
    calling: ToolCall | None = None
    leaving: bool = False
