import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from telephony.twilio import rest
from telephony.twilio.rest import CarrierError, TwilioRest
from telephony.twilio.twiml import hang_up
from tests.telephony.twilio.frames import ACCOUNT, CALL

TOKEN = "0123456789abcdef0123456789abcdef"
MESSAGES = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"


class Sleeps(list[float]):
    """A sleep that only writes down for how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def twilio(sleeps: Sleeps) -> AsyncIterator[TwilioRest]:
    api = TwilioRest(ACCOUNT, TOKEN, sleep=sleeps)
    yield api
    await api.aclose()


@pytest.fixture
def calls() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(URL)


@pytest.fixture
def messages() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(MESSAGES)


def error(status: int, code: int, message: str = "no") -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": message, "status": status})


async def test_hang_up(twilio: TwilioRest, calls: respx.Route) -> None:
    calls.respond(200, json={"sid": CALL})
    await twilio.hang_up(CALL)
    request = calls.calls.last.request
    assert parse_qs(request.content.decode()) == {"Status": ["completed"]}
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


async def test_redirect(twilio: TwilioRest, calls: respx.Route) -> None:
    calls.respond(200, json={"sid": CALL})
    await twilio.redirect(CALL, hang_up())
    assert parse_qs(calls.calls.last.request.content.decode()) == {"Twiml": [hang_up()]}


@pytest.mark.parametrize("answer", [error(404, 20404), error(400, 21220)])
async def test_a_call_that_is_gone_counts_as_hung_up_but_cannot_be_redirected(
    twilio: TwilioRest, calls: respx.Route, answer: httpx.Response
) -> None:
    calls.mock(return_value=answer)
    await twilio.hang_up(CALL)
    with pytest.raises(CarrierError) as failure:
        await twilio.redirect(CALL, hang_up())
    assert failure.value.status == answer.status_code


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (error(401, 20003), 401, 20003),
        (error(400, 20001), 400, 20001),
        (error(404, 20001), 404, 20001),
        (httpx.Response(404, text="not here"), 404, None),
        (httpx.Response(400, json=["no"]), 400, None),
        (httpx.Response(400, json={"code": "x", "message": 7}), 400, None),
        (httpx.Response(301, headers={"Location": "/"}), 301, None),
    ],
)
async def test_refused_for_good_is_not_tried_again(
    twilio: TwilioRest, calls: respx.Route, sleeps: Sleeps, answer: httpx.Response, status: int, code: int | None
) -> None:
    calls.mock(return_value=answer)
    with pytest.raises(CarrierError) as failure:
        await twilio.hang_up(CALL)
    assert (failure.value.status, failure.value.code) == (status, code)
    assert (calls.call_count, sleeps) == (1, [])


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(429, text="slow down"),
        httpx.Response(503),
        error(500, 20500),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
    ],
)
async def test_what_may_pass_is_tried_again(
    twilio: TwilioRest, calls: respx.Route, sleeps: Sleeps, trouble: httpx.Response | httpx.TransportError
) -> None:
    calls.mock(side_effect=[trouble, trouble, httpx.Response(200)])
    await twilio.hang_up(CALL)
    assert calls.call_count == 3
    assert sleeps == [0.25, 0.5]


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [("1", 1), ("3600", rest.MAX_WAIT_S), ("Fri, 31 Dec 2027 23:59:59 GMT", 0.25), ("-1", 0.25)],
)
async def test_the_wait_is_twilios_within_reason(
    twilio: TwilioRest, calls: respx.Route, sleeps: Sleeps, retry_after: str, wait_s: float
) -> None:
    calls.mock(side_effect=[httpx.Response(429, headers={"Retry-After": retry_after}), httpx.Response(200)])
    await twilio.hang_up(CALL)
    assert sleeps == [wait_s]


async def test_trying_again_has_an_end(twilio: TwilioRest, calls: respx.Route, sleeps: Sleeps) -> None:
    calls.respond(429, json={"code": 20429, "message": "Too many requests"})
    with pytest.raises(CarrierError, match="Too many requests") as failure:
        await twilio.hang_up(CALL)
    assert (failure.value.status, failure.value.code) == (429, 20429)
    assert (calls.call_count, len(sleeps)) == (rest.ATTEMPTS, rest.ATTEMPTS - 1)


async def test_a_network_that_is_down_is_a_carrier_error(twilio: TwilioRest, calls: respx.Route) -> None:
    calls.mock(side_effect=httpx.ConnectError("no route"))
    with pytest.raises(CarrierError, match="ConnectError") as failure:
        await twilio.redirect(CALL, hang_up())
    assert (failure.value.status, failure.value.code) == (None, None)


async def test_an_answer_that_never_comes_is_given_up(calls: respx.Route, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    monkeypatch.setattr(rest, "TIMEOUT_S", 0)
    calls.mock(side_effect=never)
    api = TwilioRest(ACCOUNT, TOKEN)
    with pytest.raises(CarrierError, match="no answer"):
        await api.hang_up(CALL)
    await api.aclose()


async def test_an_error_tells_neither_secrets_nor_numbers(twilio: TwilioRest, calls: respx.Route) -> None:
    calls.mock(return_value=error(400, 21211, "The 'To' number +14155550100 is not valid" + "!" * 1000))
    with pytest.raises(CarrierError) as failure:
        await twilio.redirect(CALL, hang_up())
    assert TOKEN not in str(failure.value)
    assert "+…" in str(failure.value)
    assert "4155550100" not in str(failure.value)
    assert len(str(failure.value)) < 300


async def test_another_server_and_a_client_of_ones_own() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://127.0.0.1:9000/2010-04-01/Accounts/AC1/Calls/a%2F..%2Fb.json"
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        api = TwilioRest("AC1", TOKEN, "http://127.0.0.1:9000/", client)
        await api.hang_up("a/../b")
        await api.aclose()
        assert not client.is_closed


async def test_a_text_message(twilio: TwilioRest, messages: respx.Route) -> None:
    messages.respond(201, json={"sid": "SM1"})
    await twilio.send_message("+14155550100", "+18005550101", "Grüße & more")
    request = messages.calls.last.request
    fields = parse_qs(request.content.decode())
    assert fields == {"To": ["+14155550100"], "From": ["+18005550101"], "Body": ["Grüße & more"]}
    assert request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "trouble", [httpx.Response(429), httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
)
async def test_a_text_message_that_never_got_there_is_tried_again(
    twilio: TwilioRest, messages: respx.Route, sleeps: Sleeps, trouble: httpx.Response | httpx.TransportError
) -> None:
    messages.mock(side_effect=[trouble, httpx.Response(201)])
    await twilio.send_message("+14155550100", "+18005550101", "Hello")
    assert (messages.call_count, sleeps) == (2, [0.25])


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503),
        error(500, 20500),
        error(400, 21610),
        httpx.ReadTimeout("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_a_text_message_that_may_have_been_sent_is_not_sent_twice(
    twilio: TwilioRest, messages: respx.Route, sleeps: Sleeps, trouble: httpx.Response | httpx.TransportError
) -> None:
    messages.mock(side_effect=[trouble, httpx.Response(201)])
    with pytest.raises(CarrierError):
        await twilio.send_message("+14155550100", "+18005550101", "Hello")
    assert (messages.call_count, sleeps) == (1, [])


async def test_a_text_message_that_gets_no_answer_is_given_up(
    messages: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(201)

    monkeypatch.setattr(rest, "TIMEOUT_S", 0)
    messages.mock(side_effect=never)
    api = TwilioRest(ACCOUNT, TOKEN)
    with pytest.raises(CarrierError, match="no answer"):
        await api.send_message("+14155550100", "+18005550101", "Hello")
    await api.aclose()
