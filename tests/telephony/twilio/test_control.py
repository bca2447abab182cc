"""Orders about a call: on the board before anything else, then by REST."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import httpx
import pytest

from telephony.twilio import twiml
from telephony.twilio.board import CallBoard, Dial, HangUp
from telephony.twilio.control import CallControl
from telephony.twilio.rest import CarrierError, TwilioRest
from tests.telephony.twilio.frames import ACCOUNT, CALL

NOW = 1000.0
NUMBER = "+15550100143"
ACTION = "https://bot.example.com/twilio/dial-ended"


class Twilio:
    """Answers every order with `status`, and keeps what was on the board when the order came."""

    def __init__(self, status: int, board: CallBoard) -> None:
        self.orders: list[dict[str, list[str]]] = []
        self._status = status
        self._board = board

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert self._board.fate(CALL, NOW) is not None, "ordered before it was posted"
        self.orders.append(parse_qs(request.content.decode()))
        return httpx.Response(self._status, json={"code": 20003, "message": "Authenticate"})


@asynccontextmanager
async def control(board: CallBoard, twilio: Twilio) -> AsyncIterator[CallControl]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(twilio)) as client:
        yield CallControl(TwilioRest(ACCOUNT, "token", client=client), board, ACTION, lambda: NOW)


async def test_a_hang_up_is_ordered_and_posted() -> None:
    board = CallBoard()
    twilio = Twilio(200, board)
    async with control(board, twilio) as calls:
        assert await calls.hang_up(CALL)
    assert twilio.orders == [{"Status": ["completed"]}]
    assert board.after_stream(CALL, NOW) == HangUp()


async def test_a_transfer_is_ordered_and_posted() -> None:
    board = CallBoard()
    twilio = Twilio(200, board)
    async with control(board, twilio) as calls:
        assert await calls.transfer(CALL, NUMBER)
    assert twilio.orders == [{"Twiml": [twiml.dial(NUMBER, action_url=ACTION)]}]
    assert board.after_stream(CALL, NOW) == Dial(NUMBER)


async def test_a_refused_order_stays_on_the_board_for_the_webhook(caplog: pytest.LogCaptureFixture) -> None:
    board = CallBoard()
    async with control(board, Twilio(401, board)) as calls:
        assert not await calls.transfer(CALL, NUMBER)
        assert board.after_stream(CALL, NOW) == Dial(NUMBER)
        assert not await calls.hang_up(CALL)
        assert board.after_stream(CALL, NOW) == HangUp()
    assert [record.getMessage() for record in caplog.records] == [
        "cannot transfer by REST, closing the stream instead: Twilio answered 401: Authenticate",
        "cannot hang up by REST, closing the stream instead: Twilio answered 401: Authenticate",
    ]


async def test_without_an_account_the_board_has_to_do() -> None:
    board = CallBoard()
    calls = CallControl(None, board, ACTION, lambda: NOW)
    assert not await calls.transfer(CALL, NUMBER)
    assert board.after_stream(CALL, NOW) == Dial(NUMBER)
    assert not await calls.hang_up(CALL)
    assert board.after_stream(CALL, NOW) == HangUp()


async def test_the_caller_is_texted_from_the_number_they_called() -> None:
    board = CallBoard()
    board.streaming(CALL, NOW)
    twilio = Twilio(201, board)
    async with control(board, twilio) as calls:
        send = calls.texting("+14155550100", "+18005550101")
        assert send is not None
        await send("Hello")
    assert twilio.orders == [{"To": ["+14155550100"], "From": ["+18005550101"], "Body": ["Hello"]}]


async def test_a_text_message_that_is_refused_is_an_error() -> None:
    board = CallBoard()
    board.streaming(CALL, NOW)
    async with control(board, Twilio(401, board)) as calls:
        send = calls.texting("+14155550100", "+18005550101")
        assert send is not None
        with pytest.raises(CarrierError, match="Authenticate"):
            await send("Hello")


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        (None, "+18005550101"),
        ("+14155550100", None),
        ("", "+18005550101"),
        ("anonymous", "+18005550101"),
        ("sip:bob@example.com", "+18005550101"),
        ("14155550100", "+18005550101"),
        ("+14155550100", "client:bot"),
    ],
)
async def test_who_has_no_number_cannot_be_texted(caller: str | None, called: str | None) -> None:
    board = CallBoard()
    async with control(board, Twilio(201, board)) as calls:
        assert calls.texting(caller, called) is None


def test_without_an_account_nobody_can_be_texted() -> None:
    assert CallControl(None, CallBoard(), ACTION, lambda: NOW).texting("+14155550100", "+18005550101") is None
