"""What the model can do besides talking: steer the call, text the caller, write into the front desk's book."""

import asyncio
import datetime as dt
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model

from agent.business import Booking, Business
from agent.prompt import CallFacts
from providers.errors import OffhookError

logger = logging.getLogger(__name__)

BUILT_IN = ("hang_up", "transfer_call", "collect_digits", "take_booking", "take_message", "send_text_message")
"""The names that are taken, whether a call offers the tool or not."""
MOST_TEXTS = 5
"""Text messages that one call may send."""

type Entry = Mapping[str, str | int | None]

type Texting = Callable[[str], Awaitable[None]]
"""Sends the caller a text message; raises `OffhookError` if it was not sent, or nobody knows whether it was."""


def _date(value: str) -> str:
    return dt.date.fromisoformat(value).isoformat()


def _time(value: str) -> str:
    return dt.time.fromisoformat(value).isoformat(timespec="minutes")


type _Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
type _Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
type _Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_date)]
type _Time = Annotated[str, Field(pattern=r"^[0-9]{2}:[0-9]{2}$"), AfterValidator(_time)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class HangUp(_Arguments):
    """End the call. Say goodbye in the same reply."""

    reason: _Short = Field(description="Why the call ends, in a few words")


class CollectDigits(_Arguments):
    """Have the caller type something on the keypad of the telephone. Ask for it in the same reply."""

    purpose: _Short = Field(description="What the keys are for, in a few words")
    length: int | None = Field(ge=1, le=40, description="How many keys it takes, null if that is not known")
    terminator: Literal["#", "*"] = Field(description="The key that ends it; tell the caller unless length is known")


class TakeBooking(_Arguments):
    """Write down a booking that the caller has confirmed."""

    what: _Short = Field(description="What is booked")
    name: _Short = Field(description="The name it is under")
    party_size: int = Field(ge=1, description="For how many people")
    date: _Date = Field(description="The day, as YYYY-MM-DD")
    time: _Time = Field(description="The time of day, as HH:MM on the 24-hour clock")


class TakeMessage(_Arguments):
    """Write down a message for the people of the house."""

    name: _Short = Field(description="Who leaves it")
    message: _Long = Field(description="The message")
    callback_number: _Short = Field(description="The number to call back, or what the caller said instead of one")


class SendTextMessage(_Arguments):
    """Send the caller a text message, to the number they call from. Ask whether they want it first."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1600)] = Field(
        description="The message, as it is to be read"
    )


@dataclass(frozen=True, slots=True)
class ControlRequested:
    """The model wants the call itself to do something, once the caller has heard the reply. The arguments are valid."""

    name: str
    args: Mapping[str, Any]


class CallControl(StructuredTool):
    """A tool that is an order to the call: a reply hands it on, and never runs it.

    `result` is what the model is told at once, of an order that the talk outlives; empty for one that ends the talk.
    """

    result: str = ""

    def requested(self, arguments: Mapping[str, Any]) -> ControlRequested:
        """Raises pydantic's `ValidationError` for arguments that do not do."""
        schema = cast(type[BaseModel], self.args_schema)
        return ControlRequested(self.name, schema.model_validate(arguments).model_dump())


class Book:
    """The file that bookings and messages go to, one JSON object a line.

    One book serves one call. What it has written it does not write again, so a model that was cut off while it waited
    for a tool may ask for the same thing anew.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._written: set[str] = set()

    async def add(self, entry: Entry) -> None:
        """Write an entry; it is on the disk when this returns. Raises `OSError`. Cancelling does not take it back."""
        await asyncio.to_thread(self._append, json.dumps(entry, ensure_ascii=False))

    def _append(self, line: str) -> None:
        data = f"{line}\n".encode()
        with self._lock:
            if line in self._written:
                return
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # it holds names and numbers
            try:
                if os.write(file, data) != len(data):
                    raise OSError("only a part of the line could be written")
                os.fsync(file)
            finally:
                os.close(file)
            self._written.add(line)


def is_safe(tool: BaseTool) -> bool:
    """Whether the tool says of itself that it has no effects, by `safe` in its `metadata` or `extras`."""
    return ({**(tool.extras or {}), **(tool.metadata or {})}).get("safe") is True


def call_tools(
    business: Business, facts: CallFacts, book: Book, text: Texting | None = None, own: Sequence[BaseTool] = ()
) -> list[BaseTool]:
    """All that the model can do in one call: the built-in tools and the operator's own, as far as the business allows.

    `text` is None where the caller cannot be sent text messages.
    """
    tools = [*front_desk_tools(business, facts, book), *([] if text is None else [text_tool(text)]), *own]
    return [tool for tool in tools if business.tools is None or tool.name in business.tools]


def text_tool(text: Texting) -> BaseTool:
    """The tool that texts the caller of one call; it sends the same words once, and not without end."""
    sent: set[str] = set()

    async def send_text_message(message: str) -> str:
        if message in sent:
            return "These words were handed over to be sent before: they are not sent twice."
        if len(sent) >= MOST_TEXTS:
            raise ToolException("Nothing was sent: this call has sent as many text messages as it may.")
        sent.add(message)  # before sending: a caller who speaks now cancels us, and nobody knows how far we got
        try:
            await text(message)
        except OffhookError as error:
            sent.discard(message)
            logger.error("a text message could not be sent: %s", error)
            raise ToolException("It is not certain that it was sent: tell the caller not to count on it.") from error
        return "The text message is on its way."

    return _working(_SEND_TEXT_MESSAGE, send_text_message)


def front_desk_tools(business: Business, facts: CallFacts, book: Book) -> list[BaseTool]:
    """The tools of one call: `transfer_call` and `take_booking` only if the business has a use for them.

    What cannot be done is raised as a `ToolException` worded for the model. Nothing that a caller said is logged.
    """

    async def take_booking(what: str, name: str, party_size: int, date: str, time: str) -> str:
        booking = _find(business, what)
        if party_size > booking.max_party_size:
            raise ToolException(f"Nothing was booked: at most {booking.max_party_size} people.")
        at = dt.datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=business.zone)
        if at < facts.now:
            raise ToolException("Nothing was booked: that time has passed.")
        if not _is_open(business, at):
            raise ToolException("Nothing was booked: the business is closed then.")
        details: Entry = {"what": booking.what, "name": name, "party_size": party_size, "date": date, "time": time}
        return await write("booking", details)

    async def take_message(name: str, message: str, callback_number: str) -> str:
        return await write("message", {"name": name, "message": message, "callback_number": callback_number})

    async def write(kind: str, details: Entry) -> str:
        called_at = facts.now.astimezone(business.zone).isoformat(timespec="seconds")
        try:
            await book.add({"kind": kind, "called_at": called_at, "caller": facts.caller, **details})
        except OSError as error:
            logger.error("a %s could not be written to the front desk's book: %s", kind, error.strerror or error)
            raise ToolException(f"The {kind} could not be written down and is lost. Tell the caller so.") from error
        return f"The {kind} is written down."

    tools: list[BaseTool] = [_HANG_UP]
    if business.transfer:
        tools.append(_transfer_to(tuple(business.transfer)))
    tools.append(_COLLECT_DIGITS)
    if business.bookings:
        tools.append(_working(_TAKE_BOOKING, take_booking))
    return [*tools, _working(_TAKE_MESSAGE, take_message)]


def _control(name: str, arguments: type[BaseModel], result: str = "") -> CallControl:
    description = arguments.__doc__ or ""
    return _described(CallControl(name=name, description=description, args_schema=arguments, result=result))


def _idle(name: str, arguments: type[BaseModel]) -> BaseTool:
    """A tool that does nothing yet."""
    return _described(StructuredTool(name=name, description=arguments.__doc__ or "", args_schema=arguments))


def _described[T: BaseTool](tool: T) -> T:
    """Have LangChain make what models are told of a tool, a class that it keeps with the tool and its copies.

    That takes a millisecond and leaves garbage, so it is not for each call.
    """
    convert_to_openai_tool(tool)
    return tool


def _working(tool: BaseTool, run: Callable[..., Awaitable[str]]) -> BaseTool:
    """A call's own copy, that does this."""
    return tool.model_copy(update={"coroutine": run})


@lru_cache(maxsize=16)
def _transfer_to(destinations: tuple[str, ...]) -> CallControl:
    """A transfer, limited to the people the business file names."""
    allowed: Any = Literal[destinations]
    arguments = create_model(
        "TransferCall",
        __doc__="Put the caller through to somebody. Tell the caller so in the same reply.",
        __base__=_Arguments,
        destination=(allowed, Field(description="Whom to put the caller through to")),
    )
    return _control("transfer_call", arguments)


_HANG_UP = _control("hang_up", HangUp)
_COLLECT_DIGITS = _control(
    "collect_digits",
    CollectDigits,
    "The telephone system waits for the keys. What the caller presses comes as a note from it.",
)
_TAKE_BOOKING = _idle("take_booking", TakeBooking)
_TAKE_MESSAGE = _idle("take_message", TakeMessage)
_SEND_TEXT_MESSAGE = _idle("send_text_message", SendTextMessage)


def _find(business: Business, what: str) -> Booking:
    for booking in business.bookings:
        if what.casefold() in (name.casefold() for name in (booking.what, *booking.aliases)):
            return booking
    known = ", ".join(booking.what for booking in business.bookings)
    raise ToolException(f"Nothing was booked: what can be booked is: {known}.")


def _is_open(business: Business, at: dt.datetime) -> bool:
    """Whether the business is open at a local time, on that day or still from the evening before."""
    minute = at.hour * 60 + at.minute
    today = business.spans_on(at.date())
    evening_before = business.spans_on(at.date() - dt.timedelta(days=1))
    return any(span.opens_min <= minute < span.closes_min for span in today) or any(
        minute + 24 * 60 < span.closes_min for span in evening_before
    )
