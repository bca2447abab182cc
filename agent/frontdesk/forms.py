"""The two forms the desk fills with a caller, question by question: a booking and a message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.business import Booking
from agent.frontdesk.desk import Desk
from agent.frontdesk.spoken import begun, listed, say_date, say_day, say_digits, say_number, say_spans, say_time
from agent.frontdesk.state import Ask, BookingForm, Form, MessageForm, ToolCall
from agent.frontdesk.times import is_open
from agent.frontdesk.understanding import Heard

_SHORTEST_NUMBER = 5
_LONGEST_MESSAGE = 500
NO_NUMBER = "none"
"""The call-back number of a caller who gives none."""

type Question = tuple[str, Ask]


def start_booking(desk: Desk, name: str | None) -> BookingForm:
    """An empty booking; what there is only one of need not be asked."""
    bookings = desk.business.bookings
    return _with_what(BookingForm(name=name), bookings[0]) if len(bookings) == 1 else BookingForm(name=name)


def _with_what(form: BookingForm, what: Booking) -> BookingForm:
    return replace(form, what=what, people=1 if what.max_party_size == 1 else form.people)


def fill(form: Form, heard: Heard, ask: Ask | None, desk: Desk) -> Form:
    """The form with what the turn says about it; later words replace earlier ones."""
    if isinstance(form, MessageForm):
        return _fill_message(form, heard, ask, desk)
    if heard.booking is not None:
        form = _with_what(form, heard.booking)
    alone = form.what is not None and form.what.max_party_size == 1
    return replace(
        form,
        people=form.people if alone or not heard.people else heard.people,
        day=heard.days[-1] if heard.days else form.day,
        clock=heard.clock or form.clock,
        name=heard.name or form.name,
    )


def _fill_message(form: MessageForm, heard: Heard, ask: Ask | None, desk: Desk) -> MessageForm:
    if ask is Ask.TEXT and heard.text:
        return replace(form, text=heard.text[:_LONGEST_MESSAGE])
    number = heard.digits if len(heard.digits) >= _SHORTEST_NUMBER else None
    if ask is Ask.NUMBER and number is None:
        if heard.yes is False:
            number = NO_NUMBER
        elif {"this", "same", "calling"} & set(heard.words):
            number = desk.caller or None
    return replace(form, name=heard.name or form.name, number=number or form.number)


def check(form: Form, desk: Desk) -> tuple[Form, str]:
    """The form without the values that cannot be, and why they cannot, in a sentence."""
    if not isinstance(form, BookingForm):
        return form, ""
    if form.what and form.people and form.people > form.what.max_party_size:
        most = say_number(form.what.max_party_size)
        return replace(form, people=None), f"I can book {_a(form.what.what)} for up to {most} people."
    today = desk.now.date()
    if form.day is None:
        return form, ""
    spans = desk.business.spans_on(form.day)
    when = say_day(form.day, today)
    if not spans:
        return replace(form, day=None), f"I'm sorry, we are closed {when}."
    if form.clock is None:
        return form, ""
    minute = form.clock.within(spans)
    if not is_open(spans, minute):
        return replace(form, clock=None), f"I'm sorry, {when} we are open {say_spans(spans)}."
    if form.day == today and minute <= desk.now.hour * 60 + desk.now.minute:
        return replace(form, clock=None), "I'm sorry, that time has passed."
    return form, ""


def question(form: Form, desk: Desk) -> Question:
    """What to ask next: the first missing value, or whether all is right."""
    if (full := ready(form, desk)) is not None:
        return f"{begun(full.said)}. Is that right?", Ask.CONFIRM
    return next(asked for value, asked in _questions(form, desk) if value is None)


def _questions(form: Form, desk: Desk) -> Sequence[tuple[object, Question]]:
    if isinstance(form, MessageForm):
        return (
            (form.text, ("What is the message?", Ask.TEXT)),
            (form.name, ("What is your name, please?", Ask.NAME)),
            (form.number, ("What number can we call you back on?", Ask.NUMBER)),
        )
    choice = listed([_a(booking.what) for booking in desk.business.bookings], "or")
    return (
        (form.what, (f"What would you like to book, {choice}?", Ask.WHAT)),
        (form.people, ("For how many people?", Ask.PEOPLE)),
        (form.day, ("For which day?", Ask.DAY)),
        (form.clock, ("What time would you like?", Ask.TIME)),
        (form.name, ("What name should I put it under?", Ask.NAME)),
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A full form: itself in words, and the tool call that carries it out."""

    said: str
    call: ToolCall


def ready(form: Form, desk: Desk) -> Ready | None:
    """What a full form comes to; None while a value is missing."""
    return _ready_message(form) if isinstance(form, MessageForm) else _ready_booking(form, desk)


def _ready_booking(form: BookingForm, desk: Desk) -> Ready | None:
    what, people, day, clock, name = form.what, form.people, form.day, form.clock, form.name
    if what is None or people is None or day is None or clock is None or name is None:
        return None
    minute = clock.within(desk.business.spans_on(day))
    party = f" for {say_number(people)}" if what.max_party_size > 1 else ""
    time = f"{minute // 60:02}:{minute % 60:02}"
    return Ready(
        f"{_a(what.what)}{party} on {say_date(day)} at {say_time(minute)}, under {name}",
        ToolCall(
            "take_booking",
            {"what": what.what, "name": name, "party_size": people, "date": day.isoformat(), "time": time},
        ),
    )


def _ready_message(form: MessageForm) -> Ready | None:
    if form.text is None or form.name is None or form.number is None:
        return None
    back = "with no call back" if form.number == NO_NUMBER else f"to call back on {say_digits(form.number)}"
    return Ready(
        f"a message from {form.name}, {back}",
        ToolCall("take_message", {"name": form.name, "message": form.text, "callback_number": form.number}),
    )


def cleared(form: Form, heard: Heard) -> tuple[Form, bool]:
    """The form without the value that the caller says is wrong (`no, the time`), and whether any was named."""
    said = set(heard.words)
    named = [(field, names) for field, names in _FIELDS[type(form)].items() if said & names]
    blank: dict[str, Any] = {field: None for field, _ in named[:1]}
    return replace(form, **blank), bool(named)


_FIELDS: dict[type, dict[str, set[str]]] = {
    BookingForm: {
        "people": {"people", "number", "many", "guests"},
        "day": {"day", "date"},
        "clock": {"time", "hour"},
        "name": {"name"},
    },
    MessageForm: {"text": {"message"}, "name": {"name"}, "number": {"number", "phone"}},
}


def _a(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
