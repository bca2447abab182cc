"""Orders about a call by REST, and what is left to do where they are not taken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import httpx
import pytest

from telephony.twilio import twiml
from telephony.twilio.control import CallControl
from telephony.twilio.rest import CarrierError, TwilioRest
from tests.telephony.twilio.frames import ACCOUNT, CALL

NUMBER = "+15550100143"


def dial(number: str) -> str:
    return twiml.dial(number, action_url="https://bot.example.com/twilio/dial-ended")


class Twilio:
    """Answers every order with `status`, and keeps it."""

    def __init__(self, status: int) -> None:
        self.orders: list[dict[str, list[str]]] = []
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.orders.append(parse_qs(request.content.decode()))
        return httpx.Response(self._status, json={"code": 20003, "message": "Authenticate"})


@asynccontextmanager
async def control(twilio: Twilio) -> AsyncIterator[CallControl]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(twilio)) as client:
        yield CallControl(TwilioRest(ACCOUNT, "token", client=client), dial)


async def test_what_is_ordered() -> None:
    twilio = Twilio(200)
    async with control(twilio) as calls:
        assert await calls.hang_up(CALL)
        assert await calls.transfer(CALL, NUMBER)
        assert await calls.redirect(CALL, twiml.nothing())
    assert twilio.orders == [{"Status": ["completed"]}, {"Twiml": [dial(NUMBER)]}, {"Twiml": [twiml.nothing()]}]


async def test_an_order_that_is_not_taken_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with control(Twilio(401)) as calls:
        assert not await calls.transfer(CALL, NUMBER)
        assert not await calls.hang_up(CALL)
        assert not await calls.redirect(CALL, twiml.nothing())
    assert [record.getMessage() for record in caplog.records] == [
        "cannot transfer by REST, closing the stream instead: Twilio answered 401: Authenticate",
        "cannot hang up by REST, closing the stream instead: Twilio answered 401: Authenticate",
        "a call cannot be brought back by REST: Twilio answered 401: Authenticate",
    ]


async def test_without_an_account_nothing_is_ordered() -> None:
    calls = CallControl(None, dial)
    assert not await calls.transfer(CALL, NUMBER)
    assert not await calls.hang_up(CALL)
    assert not await calls.redirect(CALL, twiml.nothing())


async def test_the_caller_is_texted_from_the_number_they_called() -> None:
    twilio = Twilio(201)
    async with control(twilio) as calls:
        send = calls.texting("+14155550100", "+18005550101")
        assert send is not None
        await send("Hello")
    assert twilio.orders == [{"To": ["+14155550100"], "From": ["+18005550101"], "Body": ["Hello"]}]


async def test_a_text_message_that_is_refused_is_an_error() -> None:
    async with control(Twilio(401)) as calls:
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
    async with control(Twilio(201)) as calls:
        assert calls.texting(caller, called) is None


def test_without_an_account_nobody_can_be_texted() -> None:
    assert CallControl(None, dial).texting("+14155550100", "+18005550101") is None
