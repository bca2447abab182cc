"""Days and times of day as callers say them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent.business import Span
from agent.frontdesk.numbers import Reading, number, ordinal

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_HALVES = {
    **{"am": "am", "morning": "am"},
    **{"pm": "pm", "afternoon": "pm", "evening": "pm", "night": "pm", "tonight": "pm"},
}
_BEFORE_A_TIME = frozenset({"at", "around", "about", "by", "from", "until", "till", "after", "before"})
_NOT_A_TIME = frozenset(
    {"people", "persons", "person", "guests", "adults", "of", "seats", "dollars", "euros", "pounds"}
)
_NOON = frozenset({"noon", "midday"})
_NOON_MIN = 12 * 60


@dataclass(frozen=True, slots=True)
class Found[T]:
    """A value read from the words from `start` up to `end`."""

    value: T
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as said: minutes after midnight, on a twelve-hour dial while `half` of the day is open."""

    minutes: int
    half: str | None

    def within(self, spans: Sequence[Span]) -> int:
        """Minutes after midnight, the open half taken from the opening hours, else as after noon."""
        if self.half is not None or self.minutes >= _NOON_MIN + 60:
            return self.minutes
        early, late = self.minutes % _NOON_MIN, self.minutes % _NOON_MIN + _NOON_MIN
        return early if is_open(spans, early) and not is_open(spans, late) else late


def is_open(spans: Sequence[Span], minute: int) -> bool:
    """Whether a minute of the day lies in a span; the minute of closing does not."""
    return any(span.opens_min <= minute < span.closes_min for span in spans)


def find_times(spoken: Sequence[str], *, expected: bool = False) -> list[Found[Clock]]:
    """The times of day in a turn, in order. Bare numbers count only after `at` and the like, or when `expected`."""
    half = next((_HALVES[word] for word in spoken if word in _HALVES), None)
    found: list[Found[Clock]] = []
    at = 0
    while at < len(spoken):
        reading = _time_at(spoken, at, expected=expected)
        if reading is None:
            at += 1
            continue
        minutes, end = reading
        said = _HALVES.get(spoken[end]) if end < len(spoken) else None
        clock = Clock(_NOON_MIN, "pm") if spoken[at] in _NOON else _clock(minutes, said or half)
        found.append(Found(clock, at, end + (said is not None)))
        at = found[-1].end
    return found


def _clock(minutes: int, half: str | None) -> Clock:
    if minutes >= _NOON_MIN + 60 or minutes == 0:
        return Clock(minutes, "pm" if minutes else "am")
    if half is None:
        return Clock(minutes, None)
    return Clock(minutes % _NOON_MIN + (_NOON_MIN if half == "pm" else 0), half)


def _time_at(spoken: Sequence[str], at: int, *, expected: bool) -> Reading | None:
    word = spoken[at]
    if word in _NOON:
        return _NOON_MIN, at + 1
    if word == "midnight":
        return 0, at + 1
    for read in (_digital, _relative):
        if (found := read(spoken, at)) is not None:
            return found
    cued = word in _BEFORE_A_TIME
    by_sound = word == "at" or (expected and len(spoken) <= 3)
    hour = number(spoken, at + cued, by_sound=by_sound)
    if hour is None or hour[0] > 24:
        return None
    return _spoken_time(spoken, hour, certain=cued or expected)


def _spoken_time(spoken: Sequence[str], hour: Reading, *, certain: bool) -> Reading | None:
    """What follows the hour: minutes, `oclock`, a half of the day; without any of them only a `certain` hour counts."""
    value, end = hour
    following = spoken[end] if end < len(spoken) else ""
    if following == "oclock":
        return value % 24 * 60, end + 1
    minute = number(spoken, end)
    if minute is not None and 10 <= minute[0] <= 59 and value <= 23:
        marked = minute[1] < len(spoken) and spoken[minute[1]] in ("am", "pm")
        if (certain or marked) and (minute[1] >= len(spoken) or spoken[minute[1]] not in _NOT_A_TIME):
            return value * 60 + minute[0], minute[1]
    if following in ("am", "pm") or (following == "in" and any(word in _HALVES for word in spoken[end + 2 : end + 3])):
        return value % 24 * 60, end
    return (value % 24 * 60, end) if certain and following not in _NOT_A_TIME else None


def _digital(spoken: Sequence[str], at: int) -> Reading | None:
    hour, colon, minute = spoken[at].partition(":")
    if not colon or int(hour) > 23 or int(minute) > 59:
        return None
    return int(hour) * 60 + int(minute), at + 1


def _relative(spoken: Sequence[str], at: int) -> Reading | None:
    """`half past six`, `quarter to eight`, `ten past nine`, and `half six` for half past six."""
    amounts = {"half": 30, "quarter": 15}
    amount = (amounts[spoken[at]], at + 1) if spoken[at] in amounts else number(spoken, at)
    if amount is None or amount[0] not in (5, 10, 15, 20, 25, 30):
        return None
    minutes, then = amount
    sign = {"past": 1, "after": 1, "to": -1, "before": -1}.get(spoken[then]) if then < len(spoken) else None
    if sign is None and spoken[at] == "half":
        sign, then = 1, then - 1
    if sign is None:
        return None
    hour = number(spoken, then + 1, by_sound=True)
    if hour is None or not 1 <= hour[0] <= 23:
        return None
    return hour[0] * 60 + sign * minutes, hour[1]


def find_days(spoken: Sequence[str], today: date) -> list[Found[date]]:
    """The days in a turn, in order: `today`, `next friday`, `the fifth of december`; a weekend is its two days."""
    found: list[Found[date]] = []
    at = 0
    while at < len(spoken):
        here = [day for read in _DAY_READERS for day in read(spoken, at, today)]
        found += here
        at = max((day.end for day in here), default=at + 1)
    return found


def _named_day(spoken: Sequence[str], at: int, today: date) -> Iterator[Found[date]]:
    if tuple(spoken[at : at + 3]) == ("day", "after", "tomorrow"):
        yield Found(today + timedelta(2), at, at + 3)
    elif spoken[at] in ("today", "tonight"):
        yield Found(today, at, at + 1)
    elif spoken[at] == "tomorrow":
        yield Found(today + timedelta(1), at, at + 1)
    elif spoken[at] == "weekend":
        saturday = today + timedelta(max(5 - today.weekday(), 0) if today.weekday() < 6 else 0)
        yield from (Found(day, at, at + 1) for day in (saturday, saturday + timedelta(1)) if day.weekday() > 4)


def _weekday(spoken: Sequence[str], at: int, today: date) -> Iterator[Found[date]]:
    word = spoken[at].removesuffix("s") if spoken[at].endswith("days") else spoken[at]
    if word not in WEEKDAYS:
        return
    ahead = (WEEKDAYS.index(word) - today.weekday()) % 7
    in_next_week = (at > 0 and spoken[at - 1] == "next") or ("next" in spoken and "week" in spoken)
    if in_next_week:
        ahead = 7 - today.weekday() + WEEKDAYS.index(word)
    yield Found(today + timedelta(ahead), at, at + 1)


def _day_of_month(spoken: Sequence[str], at: int, today: date) -> Iterator[Found[date]]:
    """`december fifth`, `5th of december`, `the fifth`: the next such day from today on."""
    start = at
    if spoken[at] in MONTHS:
        day = ordinal(spoken, at + 1 + ("the" in spoken[at + 1 : at + 2])) or number(spoken, at + 1)
        month = MONTHS.index(spoken[at]) + 1
        end = day[1] if day else at
    else:
        the = spoken[at] == "the"
        day = ordinal(spoken, at + the) or number(spoken, at + the)
        if day is None:
            return
        named = day[1] + ("of" in spoken[day[1] : day[1] + 1])
        month = MONTHS.index(spoken[named]) + 1 if named < len(spoken) and spoken[named] in MONTHS else 0
        if not month and not (the and ordinal(spoken, at + the)):
            return
        end = named + 1 if month else day[1]
    if day is not None and (found := _next_date(day[0], month, today)) is not None:
        yield Found(found, start, end)


def _next_date(day: int, month: int, today: date) -> date | None:
    """The first day from today on with this day of the month and, unless it is 0, this month."""
    year_and_month = today.year * 12 + today.month - 1
    for step in range(49):
        year, index = divmod(year_and_month + step, 12)
        if month in (0, index + 1):
            try:
                found = date(year, index + 1, day)
            except ValueError:
                continue
            if found >= today:
                return found
    return None


_DAY_READERS: tuple[Callable[[Sequence[str], int, date], Iterator[Found[date]]], ...] = (
    _named_day,
    _weekday,
    _day_of_month,
)
