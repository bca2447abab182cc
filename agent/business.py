"""The business the bot answers for: the schema of the operator's YAML file, and the way in from disk."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from providers.errors import ConfigurationError, Problem
from providers.yaml_lines import InvalidFile, load_yaml, parse_yaml

SHIPPED = Path(__file__).with_name("business.yaml")
"""The example that answers the phone until `BUSINESS_FILE` names another."""

_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*(?:-|–|to)\s*(\d{1,2}):(\d{2})\s*")
_DAY_MIN = 24 * 60


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


class Span(_Part):
    """One stretch of opening, in minutes after midnight; `closes_min` passes 1440 if that is the next day."""

    opens_min: int
    closes_min: int

    def __str__(self) -> str:
        return f"{_clock(self.opens_min)}-{_clock(self.closes_min)}"


def _spans(value: object) -> object:
    """`closed`, `12:00-22:00` or a list of such spans, as what `tuple[Span, ...]` takes."""
    if value == "closed":
        return ()
    if not isinstance(value, list):
        return (_span(value),)
    spans = sorted((_span(item) for item in value), key=lambda span: span.opens_min)
    if any(later.opens_min < earlier.closes_min for earlier, later in pairwise(spans)):
        raise ValueError("two spans overlap")
    return tuple(spans)


def _span(value: object) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write `closed`, a span such as `12:00-22:00`, or a list of spans")
    opens_h, opens_m, closes_h, closes_m = (int(part) for part in found.groups())
    opens, closes = opens_h * 60 + opens_m, closes_h * 60 + closes_m
    if max(opens_m, closes_m) > 59 or opens >= _DAY_MIN or closes > _DAY_MIN:
        raise ValueError("times run from 00:00 to 24:00")
    return Span(opens_min=opens, closes_min=closes if closes > opens else closes + _DAY_MIN)


def _clock(minutes: int) -> str:
    hours, rest = divmod(minutes if minutes == _DAY_MIN else minutes % _DAY_MIN, 60)
    return f"{hours:02}:{rest:02}"


def _existing_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such zone, write one such as Europe/Rome") from None
    return name


type Spans = Annotated[tuple[Span, ...], BeforeValidator(_spans)]
type Text = Annotated[str, Field(min_length=1)]
type PhoneNumber = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()-]{1,20}$")]


class Hours(_Part):
    """Opening times of an ordinary week; a day without a span is closed."""

    monday: Spans
    tuesday: Spans
    wednesday: Spans
    thursday: Spans
    friday: Spans
    saturday: Spans
    sunday: Spans

    def on(self, weekday: int) -> tuple[Span, ...]:
        """The spans of a weekday, counted from Monday = 0."""
        early = (self.monday, self.tuesday, self.wednesday, self.thursday)
        return (*early, self.friday, self.saturday, self.sunday)[weekday]


class Holiday(_Part):
    """A date that does not keep the hours of its weekday."""

    date: date
    name: Text
    hours: Spans


class Price(_Part):
    """Something for sale; `aliases` are other names callers use for it."""

    name: Text
    price: Annotated[Decimal, Field(ge=0, le=999_999, decimal_places=2)]
    note: str = ""
    aliases: tuple[Text, ...] = ()


class Question(_Part):
    """Ways to ask one thing, and the answer, said as it is written."""

    ask: Annotated[tuple[Text, ...], Field(min_length=1)]
    answer: Text


class Booking(_Part):
    """Something to book while the business is open; with a `max_party_size` of 1 nobody is asked how many."""

    what: Text
    max_party_size: Annotated[int, Field(ge=1, le=99)]
    aliases: tuple[Text, ...] = ()


class Limits(_Part):
    """Bounds on a call; what is None is as the line has it."""

    longest_call_minutes: Annotated[float, Field(gt=0, le=240)] | None = None
    most_turns: Annotated[int, Field(ge=1, le=1000)] | None = None
    caller_silence_seconds: Annotated[float, Field(ge=2, le=120)] | None = None
    reprompts: Annotated[int, Field(ge=0, le=10)] | None = None


class Keypad(_Part):
    """How keys of the caller's telephone are taken when nobody has asked for them; None is as the line has it."""

    interrupts: bool | None = None
    pause_seconds: Annotated[float, Field(ge=0.5, le=30)] | None = None
    length: Annotated[int, Field(ge=1, le=40)] | None = None
    terminator: Literal["#", "*"] | None = None


class Phrases(_Part):
    """What the line itself says, not the model; what is None is as the line has it."""

    not_understood: Text | None = None
    still_there: Text | None = None
    holding: Text | None = None
    apology: Text | None = None
    silent_goodbye: Text | None = None


def _known_tool(name: str, info: ValidationInfo) -> str:
    known: Collection[str] | None = info.context
    if known is not None and name not in known:
        raise ValueError(f"there is no tool of that name, only: {', '.join(known)}")
    return name


class Business(_Part):
    """All the bot may say. Whatever is not in here, it does not know."""

    name: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    timezone: Annotated[str, AfterValidator(_existing_zone)]
    currency: Literal["USD", "EUR", "GBP"] = "USD"
    voice: Text | None = None
    """Which voice the engine that speaks is to use, by the engine's own name for it; None is what its setting says."""
    greeting: Text
    greeting_interruptible: bool = True
    notice: str = ""
    goodbye: Text
    phrases: Phrases = Phrases()
    hours: Hours
    holidays: tuple[Holiday, ...] = ()
    address: str = ""
    phone: PhoneNumber | None = None
    prices: tuple[Price, ...] = ()
    questions: tuple[Question, ...] = ()
    bookings: tuple[Booking, ...] = ()
    transfer: dict[Text, PhoneNumber] = {}
    fallback: str | None = None
    """Whom a caller is put through to when the bot cannot go on: a name in `transfer`."""
    tools: tuple[Annotated[str, AfterValidator(_known_tool)], ...] | None = None
    limits: Limits = Limits()
    keypad: Keypad = Keypad()
    prompt: str = ""

    @field_validator("fallback")
    @classmethod
    def _is_somebody(cls, name: str | None, info: ValidationInfo) -> str | None:
        known = info.data.get("transfer", {})
        if name is not None and name not in known:
            raise ValueError(f"there is nobody of that name in transfer, only: {', '.join(known) or 'nobody'}")
        return name

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def holiday(self, day: date) -> Holiday | None:
        return next((holiday for holiday in self.holidays if holiday.date == day), None)

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """When the business is open on a date: its holiday's hours, else its weekday's. Empty when closed."""
        holiday = self.holiday(day)
        return self.hours.on(day.weekday()) if holiday is None else holiday.hours


def load_business(path: str | Path | None = None, tools: Collection[str] | None = None) -> Business:
    """Read a business file, the shipped example when `path` is None.

    The names under its `tools` have to be among `tools`, if those are given. Raises `ConfigurationError` with every
    problem found, each naming the file, the line and the field.
    """
    with _as_configuration():
        return load_yaml(Business, Path(path) if path is not None else SHIPPED, tools)


def parse_business(text: str, source: str = "business.yaml", tools: Collection[str] | None = None) -> Business:
    """As `load_business`, from the text of the file; `source` is its name in errors."""
    with _as_configuration():
        return parse_yaml(Business, text, source, tools)


@contextmanager
def _as_configuration() -> Iterator[None]:
    """A business file is configuration: what is wrong with it is told like a wrong setting."""
    try:
        yield
    except InvalidFile as error:
        raise ConfigurationError(Problem("BUSINESS_FILE", problem) for problem in error.problems) from error.__cause__
