"""Facts as they are said aloud: numbers, prices, times, days, telephone numbers, lists."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from agent.business import Span

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"} | {
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONEY = {
    "USD": ("dollar", "dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
}
_NOON_MIN, _DAY_MIN = 12 * 60, 24 * 60


def say_number(value: int) -> str:
    """A number from 0 to 999,999 in words."""
    if value >= 1000:
        rest = value % 1000
        return f"{say_number(value // 1000)} thousand" + (f" {say_number(rest)}" if rest else "")
    if value >= 100:
        rest = value % 100
        return f"{_ONES[value // 100]} hundred" + (f" {say_number(rest)}" if rest else "")
    if value < 20:
        return _ONES[value]
    return _TENS[value // 10] + (f"-{_ONES[value % 10]}" if value % 10 else "")


def say_ordinal(value: int) -> str:
    """A day of the month in words: `twenty-first`."""
    head, hyphen, last = say_number(value).rpartition("-")
    ending = last[:-1] + "ieth" if last.endswith("y") else _ORDINALS.get(last, last + "th")
    return head + hyphen + ending


def say_price(price: Decimal, currency: str) -> str:
    """`fourteen dollars`, `eight dollars fifty`, `fifty cents`."""
    unit, units, cent, cents = _MONEY[currency]
    whole, rest = divmod(int(price * 100), 100)
    said = f"{say_number(whole)} {unit if whole == 1 else units}"
    if not rest:
        return said
    return f"{said} {say_number(rest)}" if whole else f"{say_number(rest)} {cent if rest == 1 else cents}"


def say_time(minutes: int) -> str:
    """Minutes after midnight as `noon`, `ten pm`, `five thirty pm`, `ten oh five am`."""
    minutes %= _DAY_MIN
    if minutes % _NOON_MIN == 0:
        return "noon" if minutes else "midnight"
    hour, minute = divmod(minutes, 60)
    spoken = "" if not minute else f" {say_number(minute)}" if minute > 9 else f" oh {say_number(minute)}"
    return f"{say_number((hour + 11) % 12 + 1)}{spoken} {'pm' if minutes >= _NOON_MIN else 'am'}"


def say_spans(spans: Sequence[Span]) -> str:
    """`from noon to three pm and from five pm to eleven pm`, or `all day`."""
    return listed([_say_span(span) for span in spans])


def _say_span(span: Span) -> str:
    if (span.opens_min, span.closes_min) == (0, _DAY_MIN):
        return "all day"
    return f"from {say_time(span.opens_min)} to {say_time(span.closes_min)}"


def say_day(day: date, today: date) -> str:
    """`today`, `tomorrow`, `on Friday` within the week, else `on Friday, December fourth`."""
    ahead = (day - today).days
    if ahead in (0, 1):
        return ("today", "tomorrow")[ahead]
    return f"on {day:%A}" if ahead < 7 else f"on {say_date(day)}"


def say_date(day: date) -> str:
    """`Friday, December fourth`."""
    return f"{day:%A}, {day:%B} {say_ordinal(day.day)}"


def say_digits(phone: str) -> str:
    """A telephone number digit by digit, a comma where it has a gap; the plus is left out."""
    groups = "".join(mark if mark.isdecimal() else " " for mark in phone).split()
    return ", ".join(" ".join(_ONES[int(digit)] for digit in group) for group in groups)


def begun(text: str) -> str:
    """The text with a capital at its beginning and nothing else changed."""
    return text[:1].upper() + text[1:]


def listed(items: Sequence[str], joiner: str = "and") -> str:
    """`a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joiner} {items[-1]}"
