"""Facts of the business file as sentences."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from agent.business import Business, load_business, parse_business
from agent.frontdesk import answers
from agent.frontdesk.spoken import listed, say_date, say_day, say_digits, say_number, say_price, say_spans, say_time
from agent.frontdesk.times import Clock
from tests.agent.test_business import CLOSED, LEAST

BUSINESS = load_business()
WEDNESDAY = date(2026, 11, 25)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_the_week_in_one_sentence() -> None:
    assert answers.hours_of_the_week(BUSINESS) == (
        "We are closed on Monday, open from noon to ten pm on Tuesday to Thursday, open from noon to three pm and from "
        "five pm to eleven pm on Friday and Saturday, and open from noon to nine thirty pm on Sunday."
    )
    assert answers.hours_of_the_week(parse_business(CLOSED)) == "We are closed every day."


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (at(25, 12), "Yes, we are open until ten pm."),
        (at(25, 21, 59), "Yes, we are open until ten pm."),
        (at(25, 22), "No, we are closed now. Tomorrow we are open from noon to ten pm."),
        (at(25, 11), "Not at the moment. We open at noon today."),
        (at(27, 16), "Not at the moment. We open at five pm today."),
        (at(29, 22), "No, we are closed now. On Tuesday we are open from noon to ten pm."),
    ],
)
def test_open_now(now: datetime, answer: str) -> None:
    assert answers.open_now(BUSINESS, now) == answer


def late() -> Business:
    return parse_business(LEAST % "18:00-01:30")


def test_open_past_midnight() -> None:
    assert answers.open_now(late(), at(29, 1)) == "Yes, we are open until one thirty am."
    assert (
        answers.open_now(late(), at(29, 2))
        == "No, we are closed now. On Saturday we are open from six pm to one thirty am."
    )
    assert answers.open_now(parse_business(CLOSED), at(29, 2)) == "No, we are closed at the moment."


def test_the_hours_of_a_day() -> None:
    def hours(day: date, clock: Clock | None = None) -> str:
        return answers.hours_on(BUSINESS, [day], clock, WEDNESDAY)

    assert hours(WEDNESDAY) == "Today we are open from noon to ten pm."
    assert hours(date(2026, 11, 30)) == "We are closed on Monday."
    assert hours(date(2026, 12, 25)) == "We are closed on Christmas Day, Friday, December twenty-fifth."
    assert (
        hours(date(2026, 12, 31))
        == "On New Year's Eve, Thursday, December thirty-first, we are open from five pm to midnight."
    )
    assert hours(date(2026, 11, 26), Clock(9 * 60, "am")) == "No, tomorrow we are open from noon to ten pm."
    assert hours(date(2026, 12, 4), Clock(20 * 60, "pm")).startswith("Yes, on Friday, December fourth we are open")


def test_prices() -> None:
    pizza, lasagna, tiramisu = BUSINESS.prices[0], BUSINESS.prices[4], BUSINESS.prices[6]
    assert answers.prices(BUSINESS, [pizza, lasagna]) == (
        "The large mushroom pizza is fourteen dollars and the lasagna is fifteen dollars."
    )
    assert answers.prices(BUSINESS, [tiramisu]) == "The tiramisu is seven dollars. It is made fresh every morning."
    assert answers.prices(BUSINESS, BUSINESS.prices[:5]).endswith("Which would you like to know about?")


def test_what_the_file_leaves_out_is_no_answer() -> None:
    bare = parse_business(CLOSED)
    assert (answers.address(bare), answers.phone(bare), answers.menu(bare)) == (None, None, None)
    assert answers.phone(BUSINESS) == "Our number is one, five five five, zero one zero, zero one four two."


def test_facts_are_spoken() -> None:
    assert say_price(Decimal("8.50"), "USD") == "eight dollars fifty"
    assert say_price(Decimal("1"), "GBP") == "one pound"
    assert say_price(Decimal("0.01"), "GBP") == "one penny"
    assert say_price(Decimal("0.80"), "EUR") == "eighty cents"
    assert say_price(Decimal("0"), "EUR") == "zero euros"
    assert say_number(123_045) == "one hundred twenty-three thousand forty-five"
    assert say_number(2000) == "two thousand"
    assert [say_time(minutes) for minutes in (0, 720, 1440, 605, 1290)] == [
        *("midnight", "noon", "midnight", "ten oh five am", "nine thirty pm"),
    ]
    assert say_spans(parse_business(LEAST % "00:00-24:00").hours.saturday) == "all day"
    assert say_date(date(2026, 12, 20)) == "Sunday, December twentieth"
    assert say_day(date(2026, 12, 2), WEDNESDAY) == "on Wednesday, December second"
    assert say_digits("+1 (555) 01") == "one, five five five, zero one"
    assert listed([]) == ""
