"""The front desk's tools: what they take, what they refuse, and the book they write."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool, ToolException, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ValidationError

from agent.business import Business, load_business
from agent.prompt import CallFacts
from agent.tools import (
    BUILT_IN,
    MOST_TEXTS,
    Book,
    CallControl,
    ControlRequested,
    call_tools,
    front_desk_tools,
    text_tool,
)
from providers.errors import OffhookError

FACTS = CallFacts(caller="+15550100", called=None, now=datetime(2026, 11, 22, 17, 5, tzinfo=UTC))
BOOKING = {"what": "table", "name": "Ruiz", "party_size": 4, "date": "2026-11-27", "time": "19:30"}
MESSAGE = {"name": "Ruiz", "message": "Call me.", "callback_number": "555 0100"}


def named(book: Book, business: Business | None = None) -> dict[str, BaseTool]:
    return {one.name: one for one in front_desk_tools(business or load_business(), FACTS, book)}


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
    assert list(named(Book(path), bare)) == ["hang_up", "collect_digits", "take_message"]


def test_the_model_sees_every_argument_described(tools: dict[str, BaseTool]) -> None:
    for one in [*tools.values(), text_tool(Texts())]:
        function = convert_to_openai_tool(one)["function"]
        assert function["description"]
        assert all(argument["description"] for argument in function["parameters"]["properties"].values())
        assert function["parameters"]["required"] == list(function["parameters"]["properties"])


def test_what_models_are_told_of_a_tool_is_not_made_anew_for_every_call(path: Path) -> None:
    one, other = ([*named(Book(path)).values(), text_tool(Texts())] for _ in range(2))
    assert [tool.tool_call_schema for tool in one] == [tool.tool_call_schema for tool in other]


async def test_every_call_has_its_own_book(tmp_path: Path) -> None:
    one, other = (named(Book(tmp_path / name)) for name in ("one", "other"))
    await one["take_message"].ainvoke(MESSAGE)
    await other["take_booking"].ainvoke(BOOKING)
    assert [line["kind"] for line in lines(tmp_path / "one")] == ["message"]
    assert [line["kind"] for line in lines(tmp_path / "other")] == ["booking"]


def test_keys_are_asked_for_in_so_many_words(tools: dict[str, BaseTool]) -> None:
    collect = tools["collect_digits"]
    assert isinstance(collect, CallControl)
    wanted = {"purpose": "PIN", "length": 4, "terminator": "#"}
    assert collect.requested(wanted) == ControlRequested("collect_digits", wanted)
    assert collect.requested({**wanted, "length": None}).args["length"] is None
    assert collect.result
    for change in ({"length": 0}, {"length": 41}, {"terminator": "5"}, {"purpose": ""}, {"timeout": 5}):
        with pytest.raises(ValidationError):
            collect.requested({**wanted, **change})


class Texts(list[str]):
    """Sends nothing; fails while `failing`."""

    failing = False

    async def __call__(self, message: str) -> None:
        if self.failing:
            raise OffhookError("no answer about +15550100100")
        self.append(message)


@tool
def weather() -> str:
    """What the sky does."""
    return "Rain."


def test_a_call_has_what_the_business_allows(path: Path) -> None:
    business = load_business()
    everything = call_tools(business, FACTS, Book(path), Texts(), [weather])
    assert {offered.name for offered in everything} == {*BUILT_IN, "weather"}
    assert "send_text_message" not in [offered.name for offered in call_tools(business, FACTS, Book(path))]
    allowed = business.model_copy(update={"tools": ("hang_up", "weather", "send_text_message")})
    offered = call_tools(allowed, FACTS, Book(path), Texts(), [weather])
    assert [one.name for one in offered] == ["hang_up", "send_text_message", "weather"]
    assert call_tools(business.model_copy(update={"tools": ()}), FACTS, Book(path), Texts(), [weather]) == []


async def test_a_text_message_is_sent_once() -> None:
    texts = Texts()
    send = text_tool(texts)
    assert "on its way" in await send.ainvoke({"message": " 25 Garden Street "})
    assert "not sent twice" in await send.ainvoke({"message": "25 Garden Street"})
    assert texts == ["25 Garden Street"]


async def test_a_text_message_that_failed_may_be_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    texts = Texts()
    send = text_tool(texts)
    texts.failing = True
    with pytest.raises(ToolException, match="not certain that it was sent"):
        await send.ainvoke({"message": "My secret."})
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text
    texts.failing = False
    await send.ainvoke({"message": "My secret."})
    assert texts == ["My secret."]


async def test_a_text_message_that_was_cut_off_is_not_sent_again() -> None:
    sent: list[str] = []
    sending_began = asyncio.Event()

    async def never(message: str) -> None:
        sent.append(message)
        sending_began.set()
        await asyncio.Event().wait()

    send = text_tool(never)
    sending = asyncio.create_task(send.ainvoke({"message": "Hello"}))
    await sending_began.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert "not sent twice" in await send.ainvoke({"message": "Hello"})
    assert sent == ["Hello"]


async def test_text_messages_have_an_end() -> None:
    texts = Texts()
    send = text_tool(texts)
    for number in range(MOST_TEXTS):
        await send.ainvoke({"message": f"Message {number}"})
    with pytest.raises(ToolException, match="as many text messages as it may"):
        await send.ainvoke({"message": "One more"})
    assert len(texts) == MOST_TEXTS


@pytest.mark.parametrize("message", ["", "  ", "x" * 1601])
async def test_a_text_message_that_cannot_be_one_is_refused(message: str) -> None:
    with pytest.raises(ValidationError):
        await text_tool(Texts()).ainvoke({"message": message})
