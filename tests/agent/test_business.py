"""The business file: the shipped example, what each field takes, and errors an operator can act on."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.business import SHIPPED, Business, Span, load_business, parse_business
from providers.errors import ConfigurationError

WEEK = "{" + "".join(f"{day}: closed, " for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "sunday"))
LEAST = "name: Snip\ntimezone: Europe/London\ngreeting: Hello.\ngoodbye: Bye.\nhours: " + WEEK + "saturday: %s}\n"
CLOSED = LEAST % "closed"


def saturday(hours: str) -> list[str]:
    return [str(span) for span in parse_business(LEAST % hours).hours.saturday]


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_business(text, source="shop.yaml")
    assert {problem.variable for problem in caught.value.problems} == {"BUSINESS_FILE"}
    return [problem.message for problem in caught.value.problems]


def test_the_shipped_example_is_complete() -> None:
    business = load_business()
    assert business == load_business(SHIPPED)
    assert business.hours.friday == (Span(opens_min=720, closes_min=900), Span(opens_min=1020, closes_min=1380))
    assert business.prices[3].price == Decimal("8.50")
    assert business.zone.key == "America/New_York"
    assert business.transfer["manager"].startswith("+1 555")
    assert business.phone
    assert business.prompt


def test_a_small_file_is_enough() -> None:
    business = parse_business(CLOSED)
    assert (business.language, business.currency, business.prices, business.transfer) == ("en", "USD", (), {})
    assert (business.greeting_interruptible, business.notice, business.tools) == (True, "", None)
    for part in (business.limits, business.keypad, business.phrases):
        assert part.model_dump(exclude_none=True) == {}


def test_what_stands_commented_out_in_the_example_works() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# How calls are held"))
    shown = [line.removeprefix("# ") for line in lines[start + 1 :] if line.startswith("# ")][:6]
    business = parse_business("\n".join([*lines, *shown]))
    assert business.keypad.model_fields_set == {"interrupts", "pause_seconds", "length", "terminator"}
    assert len(business.limits.model_fields_set) == 4
    assert business.tools is not None
    assert business.notice


def test_the_example_in_the_documentation_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "front-desk.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert parse_business(example).bookings[0].what == "haircut"


def test_hours_are_a_span_or_several_or_none() -> None:
    assert saturday("closed") == []
    assert saturday("9:00-17:30") == ["09:00-17:30"]
    assert saturday("[17:00 - 23:00, 12:00 to 15:00]") == ["12:00-15:00", "17:00-23:00"]
    assert saturday("00:00-24:00") == ["00:00-24:00"]
    assert parse_business(LEAST % "18:00-01:30").hours.saturday[0].closes_min == 25 * 60 + 30
    assert saturday("18:00-01:30") == ["18:00-01:30"]


@pytest.mark.parametrize("hours", ["noon", "9-17", "25:00-26:00", "09:70-10:00", "[]x", "{from: 9}", "24:00-25:00"])
def test_other_hours_are_refused(hours: str) -> None:
    assert problems(LEAST % f'"{hours}"' if "{" not in hours else LEAST % hours)


def test_spans_of_one_day_may_not_overlap() -> None:
    assert problems(LEAST % "[12:00-15:00, 14:00-16:00]") == ["shop.yaml, line 5: hours.saturday: two spans overlap"]


def test_a_holiday_goes_before_its_weekday() -> None:
    business = parse_business(
        LEAST % "10:00-12:00" + "holidays:\n  - {date: 2026-12-26, name: Boxing Day, hours: closed}\n"
    )
    assert business.spans_on(date(2026, 12, 26)) == ()
    assert business.spans_on(date(2026, 12, 19)) == business.hours.saturday
    holiday = business.holiday(date(2026, 12, 26))
    assert holiday is not None
    assert holiday.name == "Boxing Day"


def test_every_problem_names_its_line_and_field() -> None:
    assert problems(
        CLOSED.replace("Europe/London", "Mars")
        + "currency: EUR\nnam: 3\nprices:\n  - name: cut\n    price: lots\n  - price: 4\ntransfer: {boss: ask}\n"
    ) == [
        "shop.yaml, line 2: timezone: no such zone, write one such as Europe/Rome",
        "shop.yaml, line 10: prices[0].price: Input should be a valid decimal",
        "shop.yaml, line 11: prices[1].name: Field required",
        "shop.yaml, line 12: transfer.boss: String should match pattern '^\\+?[0-9][0-9 ()-]{1,20}$'",
        "shop.yaml, line 7: nam: Extra inputs are not permitted",
    ]


def test_a_telephone_number_needs_no_quotes() -> None:
    assert parse_business(CLOSED + "phone: +390612345\n").phone == "+390612345"


@pytest.mark.parametrize("text", ["a: [", "\x00", "a: &x [*x]", "", "- 1", "[}", 'a: "\ud83d"', "? [a]: b"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    assert all(message.startswith("shop.yaml") for message in problems(text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"BUSINESS_FILE: cannot read .*missing\.yaml"):
        load_business(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: Caf\xe9")
    with pytest.raises(ConfigurationError, match=r"latin\.yaml"):
        load_business(tmp_path / "latin.yaml")


@given(st.text(), st.integers(0, 4))
def test_any_text_gives_a_business_or_a_configuration_error(text: str, line: int) -> None:
    lines = CLOSED.splitlines()
    lines[line] += text
    with suppress(ConfigurationError):
        assert isinstance(parse_business("\n".join(lines)), Business)


PERSONA = """
greeting_interruptible: no
notice: This call may be recorded.
tools: [hang_up, order_status]
phrases:
  still_there: Hello? Anybody there?
  holding: One moment, please.
limits:
  longest_call_minutes: 7.5
  most_turns: 40
  caller_silence_seconds: 8
  reprompts: 0
keypad:
  interrupts: yes
  pause_seconds: 3
  length: 4
  terminator: "#"
"""


def test_a_file_may_say_how_calls_are_held() -> None:
    business = parse_business(CLOSED + PERSONA)
    assert (business.greeting_interruptible, business.notice) == (False, "This call may be recorded.")
    assert business.tools == ("hang_up", "order_status")
    assert business.phrases.model_dump(exclude_none=True) == {
        "still_there": "Hello? Anybody there?",
        "holding": "One moment, please.",
    }
    assert business.limits.model_dump() == {
        "longest_call_minutes": 7.5,
        "most_turns": 40,
        "caller_silence_seconds": 8,
        "reprompts": 0,
    }
    assert business.keypad.model_dump() == {"interrupts": True, "pause_seconds": 3, "length": 4, "terminator": "#"}


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("reprompts: 0", "reprompts: 99", "line 17: limits.reprompts: Input should be less than or equal to 10"),
        ("most_turns: 40", "most_turns: many", "line 15: limits.most_turns: Input should be a valid integer"),
        ("holding: One", "hold: One", "line 12: phrases.hold: Extra inputs are not permitted"),
        ('terminator: "#"', "terminator: 5", "line 22: keypad.terminator: Input should be '#' or '*'"),
        ("interrupts: yes", "interrupts: perhaps", "line 19: keypad.interrupts: Input should be a valid boolean"),
    ],
)
def test_what_cannot_be_kept_to_is_refused_by_its_line(before: str, after: str, problem: str) -> None:
    (told,) = problems(CLOSED + PERSONA.replace(before, after))
    assert told.startswith(f"shop.yaml, {problem}")


def test_tools_are_checked_where_they_are_known() -> None:
    text = CLOSED + PERSONA
    assert parse_business(text, tools=("hang_up", "order_status")).tools == ("hang_up", "order_status")
    with pytest.raises(ConfigurationError) as caught:
        parse_business(text, source="shop.yaml", tools=("hang_up", "take_message"))
    assert [problem.message for problem in caught.value.problems] == [
        "shop.yaml, line 9: tools[1]: there is no tool of that name, only: hang_up, take_message"
    ]
