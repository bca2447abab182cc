"""The two forms the desk fills with a caller, question by question: a booking and a message."""

from collections.abc import Mapping
from dataclasses import replace

from agent.business import Booking
from agent.frontdesk.desk import Desk
from agent.frontdesk.spoken import listed, say_date, say_day, say_digits, say_number, say_spans, say_time
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
    if isinstance(form, MessageForm):
        return _message_question(form)
    if form.what is None:
        choice = listed([_a(booking.what) for booking in desk.business.bookings], "or")
        return f"What would you like to book, {choice}?", Ask.WHAT
    for value, asked in (
        (form.people, ("For how many people?", Ask.PEOPLE)),
        (form.day, ("For which day?", Ask.DAY)),
        (form.clock, ("What time would you like?", Ask.TIME)),
        (form.name, ("What name should I put it under?", Ask.NAME)),
    ):
        if value is None:
            return asked
    said = describe(form, desk)
    return f"{said[0].upper()}{said[1:]}, under {form.name}. Is that right?", Ask.CONFIRM


def _message_question(form: MessageForm) -> Question:
    if form.text is None:
        return "What is the message?", Ask.TEXT
    if form.name is None:
        return "What is your name, please?", Ask.NAME
    if form.number is None:
        return "What number can we call you back on?", Ask.NUMBER
    back = "with no call back" if form.number == NO_NUMBER else f"to call back on {say_digits(form.number)}"
    return f"A message from {form.name}, {back}. Is that right?", Ask.CONFIRM


def describe(form: BookingForm, desk: Desk) -> str:
    """A full booking in words: `a table for four on Friday, November twenty-seventh at seven pm`."""
    what, day, clock = form.what, form.day, form.clock
    if what is None or day is None or clock is None or form.people is None:
        raise ValueError("only a full booking can be described")
    people = f" for {say_number(form.people)}" if what.max_party_size > 1 else ""
    time = say_time(clock.within(desk.business.spans_on(day)))
    return f"{_a(what.what)}{people} on {say_date(day)} at {time}"


def tool_call(form: Form, desk: Desk) -> ToolCall:
    """The call that carries a full form out."""
    args: Mapping[str, str | int]
    if isinstance(form, MessageForm):
        args = {"name": form.name or "", "message": form.text or "", "callback_number": form.number or ""}
        return ToolCall("take_message", args)
    if form.what is None or form.day is None or form.clock is None or form.people is None or form.name is None:
        raise ValueError("only a full booking can be made")
    minute = form.clock.within(desk.business.spans_on(form.day))
    args = {
        "what": form.what.what,
        "name": form.name,
        "party_size": form.people,
        "date": form.day.isoformat(),
        "time": f"{minute // 60:02}:{minute % 60:02}",
    }
    return ToolCall("take_booking", args)


def cleared(form: Form, heard: Heard) -> tuple[Form, bool]:
    """The form without the value that the caller says is wrong (`no, the time`), and whether any was named."""
    said = set(heard.words)
    for field, names in _FIELDS.items():
        if said & names and hasattr(form, field):
            return replace(form, **{field: None}), True
    return form, False


_FIELDS = {
    "people": {"people", "number", "many", "guests"},
    "day": {"day", "date"},
    "clock": {"time", "hour"},
    "name": {"name"},
    "text": {"message"},
    "number": {"number", "phone"},
}


def _a(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
