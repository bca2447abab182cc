"""The simulator's REST API, asked in process."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import httpx
import pytest

from telephony.simulator import rest
from telephony.simulator.caller import ScriptedCaller
from telephony.simulator.identity import CallIdentity
from telephony.simulator.journal import Journal
from telephony.simulator.options import CallOptions
from telephony.simulator.phone import Phone, new_sid
from telephony.simulator.recording import NoRecording
from telephony.simulator.rest import RestApi, serve
from telephony.simulator.webhooks import WebhookClient
from telephony.twilio.rest import CarrierError, TwilioRest
from tests.telephony.simulator.bot import ACCOUNT_SID, TOKEN

BASE = "http://simulator"


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    options = CallOptions(url="http://127.0.0.1:9/voice", auth_token=TOKEN, account_sid=ACCOUNT_SID)
    identity = CallIdentity(new_sid("CA"), ACCOUNT_SID, "+1", "+2")
    async with WebhookClient.open(TOKEN) as webhooks:
        yield Phone(identity, options, ScriptedCaller([], began_at=0.0), webhooks, Journal(monotonic()), NoRecording())


@pytest.fixture
async def client(phone: Phone) -> AsyncIterator[httpx.AsyncClient]:
    api = RestApi(ACCOUNT_SID, TOKEN)
    api.add(phone)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), auth=(ACCOUNT_SID, TOKEN)) as client:
        yield client


def path(call_sid: str, account_sid: str = ACCOUNT_SID) -> str:
    return f"{BASE}/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}.json"


async def test_our_own_client_gets_on_with_it(phone: Phone, client: httpx.AsyncClient) -> None:
    api = TwilioRest(ACCOUNT_SID, TOKEN, BASE, client=client)
    await api.redirect(phone.identity.call_sid, "<Response><Hangup/></Response>")
    await api.hang_up(phone.identity.call_sid)
    phone.status = "completed"
    await api.hang_up(phone.identity.call_sid)
    with pytest.raises(CarrierError) as refused:
        await api.redirect(phone.identity.call_sid, "<Response/>")
    assert (refused.value.status, refused.value.code) == (400, 21220)


async def test_an_update_answers_with_the_call(phone: Phone, client: httpx.AsyncClient) -> None:
    response = await client.post(path(phone.identity.call_sid), data={"Status": "completed"})
    call = response.json()
    assert response.status_code == 200
    assert (call["sid"], call["status"], call["direction"]) == (phone.identity.call_sid, "ringing", "inbound")
    assert call["uri"] == path(phone.identity.call_sid).removeprefix(BASE)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, 20001),
        ({"Status": "ringing"}, 400, 20001),
        ({"Twiml": "<Response>" + " " * 4000 + "</Response>"}, 400, 32018),
        ({"Twiml": "<Answer/>"}, 400, 12100),
    ],
)
async def test_updates_that_are_refused(
    phone: Phone, client: httpx.AsyncClient, form: dict[str, str], status: int, code: int
) -> None:
    response = await client.post(path(phone.identity.call_sid), data=form)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_errors_look_like_twilios(phone: Phone, client: httpx.AsyncClient) -> None:
    unknown = await client.post(path("CA" + "0" * 32), data={"Status": "completed"})
    assert unknown.json() == {
        "code": 20404,
        "message": "The requested resource was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }
    other_account = await client.post(path(phone.identity.call_sid, "AC" + "b" * 32), data={"Status": "completed"})
    assert other_account.status_code == 404
    stranger = await client.post(path(phone.identity.call_sid), auth=(ACCOUNT_SID, "guess"))
    assert (stranger.status_code, stranger.json()["code"]) == (401, 20003)


async def test_the_oldest_calls_are_forgotten(
    phone: Phone, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_MAX_CALLS", 0)
    api = RestApi(ACCOUNT_SID, TOKEN)
    api.add(phone)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), auth=(ACCOUNT_SID, TOKEN)) as other:
        assert (await other.post(path(phone.identity.call_sid))).status_code == 404


async def test_a_server_says_where_it_is_and_stops() -> None:
    before = asyncio.all_tasks()
    async with serve(RestApi(ACCOUNT_SID, TOKEN).app) as base_url:
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(base_url + path("CA0").removeprefix(BASE))
        assert response.status_code == 401
    assert asyncio.all_tasks() == before


async def test_a_port_that_is_taken_raises() -> None:
    async with serve(RestApi(ACCOUNT_SID, TOKEN).app) as base_url:
        with pytest.raises(OSError, match="in use"):
            async with serve(RestApi(ACCOUNT_SID, TOKEN).app, int(base_url.rpartition(":")[2])):
                pytest.fail("two servers on one port")
