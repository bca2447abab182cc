"""What a large model is told of the business and the call."""

from datetime import UTC, datetime, timedelta

import pytest
from langchain_core.messages import SystemMessage

from agent.business import Business, load_business
from agent.frontdesk.conversation import began_at, caller_number
from agent.prompt import CallFacts, system_prompt

NOON = datetime(2026, 11, 22, 17, 5, tzinfo=UTC)
FACTS = CallFacts(caller="+15550100", called="+15550142", now=NOON)


@pytest.fixture(scope="module")
def business() -> Business:
    return load_business()


def test_all_of_the_business_is_told(business: Business) -> None:
    prompt = system_prompt(business, FACTS)
    facts = [business.name, business.address, business.phone, business.prompt, business.goodbye]
    facts += [question.answer for question in business.questions]
    facts += [f"{price.name}" for price in business.prices] + [f"{price.price}." for price in business.prices]
    facts += [alias for price in business.prices for alias in price.aliases] + list(business.transfer)
    facts += [
        "Monday: closed",
        "Friday: 12:00-15:00 and 17:00-23:00",
        "Friday, December 25, 2026, Christmas Day: closed",
    ]
    facts += ["books a table, for at most 10 people"]
    assert [fact for fact in facts if fact is None or fact not in prompt] == []


def test_the_numbers_people_are_put_through_to_stay_ours(business: Business) -> None:
    prompt = system_prompt(business, FACTS)
    assert not any(number in prompt for number in business.transfer.values())


def test_the_call_is_told_in_the_time_of_the_business(business: Business) -> None:
    prompt = system_prompt(business, FACTS)
    assert "It is 12:05 on Sunday, November 22, 2026." in prompt
    assert "The days that follow: Monday, November 23, 2026;" in prompt
    assert "The caller's number is +15550100." in prompt
    assert "They called +15550142." in prompt


def test_the_embedded_model_reads_the_call_from_it(business: Business) -> None:
    messages = [SystemMessage(system_prompt(business, FACTS))]
    days_later = NOON.astimezone(business.zone) + timedelta(days=3)
    assert began_at(messages, days_later) == NOON
    assert caller_number(messages) == "+15550100"


def test_what_is_not_known_is_not_made_up(business: Business) -> None:
    prompt = system_prompt(business, CallFacts(caller=None, called=None, now=NOON))
    assert "The caller's number is withheld." in prompt
    assert "None" not in prompt
    assert "They called" not in prompt


def test_past_holidays_are_left_out(business: Business) -> None:
    later = CallFacts(None, None, datetime(2026, 12, 30, 12, tzinfo=UTC))
    assert "Christmas" not in system_prompt(business, later)
    assert "New Year's Eve" in system_prompt(business, later)


def test_a_business_may_have_nothing_but_hours(business: Business) -> None:
    bare = Business.model_validate(
        {
            **business.model_dump(include={"name", "timezone", "greeting", "goodbye"}),
            "hours": dict.fromkeys(
                ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "closed"
            ),
            "language": "it",
            "bookings": [{"what": "haircut", "max_party_size": 1}],
        }
    )
    prompt = system_prompt(bare, FACTS)
    assert "the language with the code it" in prompt
    assert "books a haircut, for one person" in prompt
    for absent in ("transfer_call", "Prices", "Address", "Telephone:", "common questions", "other hours", "\n\n\n"):
        assert absent not in prompt


def test_only_the_tools_of_the_call_are_told(business: Business) -> None:
    everything = system_prompt(business, FACTS)
    assert "- collect_digits: " in everything
    assert "send_text_message" not in everything
    few = system_prompt(business, FACTS, tools=["hang_up", "send_text_message", "order_status"])
    assert "- hang_up: " in few
    assert "- send_text_message: " in few
    for absent in ("take_booking", "take_message: ", "transfer_call", "collect_digits", "order_status"):
        assert absent not in few
