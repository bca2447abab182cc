"""Words, numbers, times and days out of recogniser text."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.business import Span
from agent.frontdesk.numbers import digits, number, ordinal
from agent.frontdesk.spoken import say_number, say_ordinal, say_time
from agent.frontdesk.times import Clock, find_days, find_times
from agent.frontdesk.words import Spelling, stem, words

TODAY = date(2026, 11, 25)  # a Wednesday


def test_punctuation_and_case_make_no_difference() -> None:
    assert words("I'd like 7p.m., o’clock -- DON'T!") == words("id like 7 pm oclock dont")
    assert words("7.30pm") == ("7:30", "pm")
    assert words("Never mind, good bye") == ("nevermind", "goodbye")


def test_endings_are_evened_out() -> None:
    assert {stem(word) for word in ("park", "parks", "parked", "parking")} == {"park"}
    assert stem("glass") == "glass"
    assert stem("allergies") == stem("allergy")


@pytest.mark.parametrize("word", ["resevation", "reservattion", "rezervation", "reservatoin", "reservations"])
def test_small_misspellings_are_mended(word: str) -> None:
    assert Spelling(["reservation", "hours"]).mend(word) == "reservation"


@pytest.mark.parametrize("word", ["house", "preservation", "reserving", "sunday", "x" * 30])
def test_other_words_are_left_alone(word: str) -> None:
    assert Spelling(["reservation", "hours", "monday"]).mend(word) == word


@given(st.integers(0, 99))
def test_a_number_that_was_said_is_read(value: int) -> None:
    spoken = words(say_number(value))
    assert number(spoken, 0) == (value, len(spoken))
    assert number([str(value)], 0) == (value, 1)


@given(st.integers(1, 31))
def test_an_ordinal_that_was_said_is_read(value: int) -> None:
    spoken = words(say_ordinal(value))
    assert ordinal(spoken, 0) == (value, len(spoken))


def test_no_number_is_none() -> None:
    assert number(["for"], 0) is None
    assert number(["for"], 0, by_sound=True) == (4, 1)
    assert number([], 0) is None
    assert ordinal([], 0) is None
    assert ordinal(["twenty", "one"], 0) is None


def test_a_telephone_number_is_the_longest_run_of_digits() -> None:
    assert digits(words("at 5 call oh one double two triple seven")) == "01227" + "77"
    assert digits(words("555-0142")) == "5550142"
    assert digits(words("no thanks")) == ""


@given(st.integers(0, 24 * 60 - 1))
def test_a_time_that_was_said_is_read(minute: int) -> None:
    found = find_times(words(say_time(minute)))
    if minute % 60 == 0 or minute % 60 >= 10:
        assert [found.value.within(()) for found in found] == [minute]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("half six", [390]),
        ("twenty to seven", [400]),
        ("five after eight", [485]),
        ("25:00", []),
        ("at twenty six", []),
        ("10:30 in the morning", [630]),
        ("seven in the", []),
        ("midnight", [0]),
        ("at three people", []),
        ("quarter past nothing", []),
    ],
)
def test_times(text: str, minutes: list[int]) -> None:
    assert [found.value.minutes for found in find_times(words(text))] == minutes


def test_the_open_half_of_the_day_is_taken() -> None:
    morning, evening = Span(opens_min=480, closes_min=720), Span(opens_min=1020, closes_min=1320)
    assert Clock(9 * 60, None).within([morning]) == 9 * 60
    assert Clock(6 * 60, None).within([evening]) == 18 * 60
    assert Clock(9 * 60, None).within([morning, evening]) == 21 * 60


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("wednesday", [0]),
        ("tuesday", [6]),
        ("next tuesday", [6]),
        ("next wednesday", [7]),
        ("on monday next week", [5]),
        ("this weekend", [3, 4]),
        ("fridays", [2]),
        ("the twenty fifth", [0]),
        ("november 24", [364]),
        ("the 30th of february", []),
        ("december the first", [6]),
        ("may 5th", [161]),
        ("may i", []),
        ("five of december", [10]),
        ("twenty", []),
        ("february 29th", [461]),
    ],
)
def test_days(text: str, ahead: list[int]) -> None:
    assert [found.value for found in find_days(words(text), TODAY)] == [TODAY + timedelta(days) for days in ahead]


def test_on_sunday_the_weekend_is_today() -> None:
    assert [found.value for found in find_days(["weekend"], date(2026, 11, 29))] == [date(2026, 11, 29)]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.text())
def test_days_are_never_past(today: date, text: str) -> None:
    assert all(found.value >= today for found in find_days(words(text), today))
