"""The front desk's tools: what they take, what they refuse, and the book they write."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool, ToolException
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ValidationError

from agent.business import Business, load_business
from agent.prompt import CallFacts
from agent.tools import Book, CallControl, ControlRequested, front_desk_tools

FACTS = CallFacts(caller="+15550100", called=None, now=datetime(2026, 11, 22, 17, 5, tzinfo=UTC))
BOOKING = {"what": "table", "name": "Ruiz", "party_size": 4, "date": "2026-11-27", "time": "19:30"}
MESSAGE = {"name": "Ruiz", "message": "Call me.", "callback_number": "555 0100"}


def named(book: Book, business: Business | None = None) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in front_desk_tools(business or load_business(), FACTS, book)}


def lines(path: Path) -> list[dict[str, Any]]:
    """What stands in the book; it is there only when something was written."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def others_may_read(path: Path) -> bool:
    return path.stat().st_mode & 0o077 != 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.jsonl"


@pytest.fixture
def tools(path: Path) -> dict[str, BaseTool]:
    return named(Book(path))


async def test_a_booking_is_written_down(tools: dict[str, BaseTool], path: Path) -> None:
    assert await tools["take_booking"].ainvoke(BOOKING) == "The booking is written down."
    called = {"kind": "booking", "called_at": "2026-11-22T12:05:00-05:00", "caller": "+15550100"}
    assert lines(path) == [{**called, **BOOKING}]
    assert not others_may_read(path)


async def test_a_message_is_written_down(tools: dict[str, BaseTool], path: Path) -> None:
    assert await tools["take_message"].ainvoke({**MESSAGE, "message": " Grüße,\nbis bald "}) == (
        "The message is written down."
    )
    assert [line["message"] for line in lines(path)] == ["Grüße,\nbis bald"]


async def test_a_booking_goes_by_the_name_the_business_gives_it(tools: dict[str, BaseTool], path: Path) -> None:
    await tools["take_booking"].ainvoke({**BOOKING, "what": "Dinner", "party_size": "4"})
    assert (lines(path)[0]["what"], lines(path)[0]["party_size"]) == ("table", 4)


async def test_the_same_thing_is_written_once(tools: dict[str, BaseTool], path: Path) -> None:
    for booking in (BOOKING, BOOKING, {**BOOKING, "time": "20:00"}):
        await tools["take_booking"].ainvoke(booking)
    assert [line["time"] for line in lines(path)] == ["19:30", "20:00"]


async def test_a_booking_outlives_the_reply_that_asked_for_it(tools: dict[str, BaseTool], path: Path) -> None:
    asking = asyncio.create_task(tools["take_booking"].ainvoke(BOOKING))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await tools["take_booking"].ainvoke(BOOKING)
    assert len(lines(path)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"what": "boat"}, "what can be booked is: table"),
        ({"party_size": 11}, "at most 10 people"),
        ({"date": "2026-11-23"}, "closed then"),
        ({"date": "2026-12-25"}, "closed then"),
        ({"time": "16:00"}, "closed then"),
        ({"time": "23:00"}, "closed then"),
        ({"date": "2026-11-22", "time": "12:04"}, "has passed"),
    ],
)
async def test_a_booking_that_cannot_be_is_refused(
    tools: dict[str, BaseTool], path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ToolException, match=f"Nothing was booked: .*{reason}"):
        await tools["take_booking"].ainvoke({**BOOKING, **change})
    assert lines(path) == []


async def test_an_evening_may_end_after_midnight(path: Path) -> None:
    business = load_business()
    late = business.model_copy(update={"hours": business.hours.model_copy(update={"friday": _span("18:00-01:00")})})
    booking = named(Book(path), late)["take_booking"]
    await booking.ainvoke({**BOOKING, "date": "2026-11-28", "time": "00:30"})
    with pytest.raises(ToolException, match="closed then"):
        await booking.ainvoke({**BOOKING, "date": "2026-11-28", "time": "01:00"})


def _span(text: str) -> Any:
    week = dict.fromkeys(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], text)
    return type(load_business().hours).model_validate(week).monday


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("take_booking", {**BOOKING, "date": "27.11.2026"}),
        ("take_booking", {**BOOKING, "date": "2026-02-30"}),
        ("take_booking", {**BOOKING, "time": "7 pm"}),
        ("take_booking", {**BOOKING, "time": "24:30"}),
        ("take_booking", {**BOOKING, "party_size": 0}),
        ("take_booking", {**BOOKING, "name": " "}),
        ("take_booking", {**BOOKING, "window": True}),
        ("take_message", {**MESSAGE, "message": "x" * 2001}),
        ("take_message", {"name": "Ruiz", "message": "Call me."}),
    ],
)
async def test_bad_arguments_are_refused(tools: dict[str, BaseTool], name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        await tools[name].ainvoke(arguments)


async def test_a_book_that_cannot_be_written_is_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tools = named(Book(tmp_path))  # a directory
    with pytest.raises(ToolException, match=r"The booking could not be written down and is lost\. Tell the caller"):
        await tools["take_booking"].ainvoke(BOOKING)
    assert "Is a directory" in caplog.text
    assert "Ruiz" not in caplog.text


async def test_half_a_line_is_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.write", lambda file, data: len(data) - 1)
    with pytest.raises(OSError, match="only a part"):
        await Book(path).add({"kind": "message"})


def test_call_controls_are_checked_and_not_run(tools: dict[str, BaseTool]) -> None:
    hang_up, transfer = tools["hang_up"], tools["transfer_call"]
    assert isinstance(hang_up, CallControl)
    assert isinstance(transfer, CallControl)
    assert hang_up.requested({"reason": "done"}) == ControlRequested("hang_up", {"reason": "done"})
    assert transfer.requested({"destination": "manager"}) == ControlRequested(
        "transfer_call", {"destination": "manager"}
    )
    for destination in ("kitchen", "+15550100", ""):
        with pytest.raises(ValidationError):
            transfer.requested({"destination": destination})
    with pytest.raises(NotImplementedError):
        hang_up.invoke({"reason": "done"})


def test_a_business_offers_what_it_has(path: Path) -> None:
    bare = load_business().model_copy(update={"transfer": {}, "bookings": ()})
    assert list(named(Book(path), bare)) == ["hang_up", "take_message"]


def test_the_model_sees_every_argument_described(tools: dict[str, BaseTool]) -> None:
    for tool in tools.values():
        function = convert_to_openai_tool(tool)["function"]
        assert function["description"]
        assert all(argument["description"] for argument in function["parameters"]["properties"].values())
        assert function["parameters"]["required"] == list(function["parameters"]["properties"])
