"""Answers to questions of fact, each made only of what the business file says."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from agent.business import Business, Price, Span
from agent.frontdesk.spoken import begun, listed, say_date, say_day, say_digits, say_price, say_spans, say_time
from agent.frontdesk.times import WEEKDAYS, Clock, is_open

_MOST_PRICES = 4
"""More prices in one breath than this nobody keeps in mind."""


def hours_of_the_week(business: Business) -> str:
    """The ordinary week, days in a row with the same hours taken together."""
    week = [(name.capitalize(), business.hours.on(day)) for day, name in enumerate(WEEKDAYS)]
    said = [_stretch([name for name, _ in days], spans) for spans, days in groupby(week, key=lambda day: day[1])]
    return f"We are {', '.join(said[:-1])}, and {said[-1]}." if len(said) > 1 else f"We are {said[0]}."


def _stretch(names: list[str], spans: tuple[Span, ...]) -> str:
    days = (
        "every day" if len(names) == 7 else "on " + (listed(names) if len(names) < 3 else f"{names[0]} to {names[-1]}")
    )
    return f"open {say_spans(spans)} {days}" if spans else f"closed {days}"


def hours_on(business: Business, days: Sequence[date], clock: Clock | None, today: date) -> str:
    """The hours of some days; asked for a time as well, whether the business is open then."""
    return " ".join(_hours_of(business, day, clock, today) for day in days)


def _hours_of(business: Business, day: date, clock: Clock | None, today: date) -> str:
    spans, holiday = business.spans_on(day), business.holiday(day)
    when = f"on {holiday.name}, {say_date(day)}," if holiday else say_day(day, today)
    if not spans:
        return f"We are closed {when}.".replace(",.", ".")
    hours = f"we are open {say_spans(spans)}."
    if clock is None:
        return f"{begun(when)} {hours}"
    return f"{'Yes' if is_open(spans, clock.within(spans)) else 'No'}, {when} {hours}"


def open_now(business: Business, now: datetime) -> str:
    """Whether the business is open at this minute, until when, or when it opens next."""
    minute, today = now.hour * 60 + now.minute, now.date()
    yesterday = business.spans_on(today - timedelta(1))
    for spans, at in ((business.spans_on(today), minute), (yesterday, minute + 24 * 60)):
        for span in spans:
            if span.opens_min <= at < span.closes_min:
                return f"Yes, we are open until {say_time(span.closes_min)}."
    later = next((span for span in business.spans_on(today) if span.opens_min > minute), None)
    if later is not None:
        return f"Not at the moment. We open at {say_time(later.opens_min)} today."
    coming = (today + timedelta(ahead) for ahead in range(1, 15))
    day = next((day for day in coming if business.spans_on(day)), None)
    if day is None:
        return "No, we are closed at the moment."
    return f"No, we are closed now. {begun(say_day(day, today))} we are open {say_spans(business.spans_on(day))}."


def address(business: Business) -> str | None:
    return f"We are at {business.address.rstrip('.')}." if business.address else None


def phone(business: Business) -> str | None:
    return f"Our number is {say_digits(business.phone)}." if business.phone else None


def prices(business: Business, items: Sequence[Price]) -> str:
    """The prices of a few items with their notes, or the choice when there are many."""
    if len(items) > _MOST_PRICES:
        return f"We have {listed([item.name for item in items])}. Which would you like to know about?"
    said = listed([f"the {item.name} is {say_price(item.price, business.currency)}" for item in items])
    notes = [item.note for item in items if item.note and len(items) == 1]
    return " ".join([f"{begun(said)}.", *notes])


def menu(business: Business) -> str | None:
    """Everything for sale, by name."""
    if not business.prices:
        return None
    return f"We have {listed([item.name for item in business.prices])}."
