"""Twilio's HTTP client, against a server made of a function."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from telephony.simulator import webhooks
from telephony.simulator.twiml import Fault, Hangup
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.signature import SignatureChecker
from tests.telephony.simulator.bot import TOKEN

BASE = "http://127.0.0.1:8000"
OK = "<Response><Hangup/></Response>"

type Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> WebhookClient:
    return WebhookClient(httpx.AsyncClient(transport=httpx.MockTransport(handler)), TOKEN)


def twiml(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=OK, headers={"content-type": "text/xml"})


async def test_a_get_has_its_fields_in_the_query_and_signs_them() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return twiml(request)

    document = await client(handler).fetch(f"{BASE}/voice?tenant=a%20b", "GET", {"From": "+1", "Place": ""})
    assert document == Document(f"{BASE}/voice?tenant=a%20b", (Hangup(),))
    [request] = seen
    assert (request.method, request.url.raw_path) == ("GET", b"/voice?tenant=a%20b&From=%2B1&Place=")
    assert SignatureChecker(TOKEN, BASE).webhook(
        request.url.raw_path.decode(), {}, request.headers["x-twilio-signature"]
    )


@pytest.mark.parametrize(("status", "methods"), [(307, ["POST", "POST"]), (302, ["POST", "GET"])])
async def test_redirects_are_followed_and_signed_anew(status: int, methods: list[str]) -> None:
    seen: list[tuple[str, bool]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        checker = SignatureChecker(TOKEN, BASE)
        path = request.url.raw_path.decode()
        seen.append((request.method, checker.webhook(path, form, request.headers["x-twilio-signature"])))
        return twiml(request) if request.url.path == "/there" else httpx.Response(status, headers={"location": "there"})

    document = await client(handler).fetch(f"{BASE}/here", "POST", {"CallSid": "CA1"})
    assert document == Document(f"{BASE}/there", (Hangup(),))
    assert seen == [(method, True) for method in methods]


async def test_redirects_have_an_end() -> None:
    fault = await client(lambda _: httpx.Response(307, headers={"location": "/again"})).fetch(BASE, "POST", {})
    assert fault == Fault(11215, "more than ten redirects")


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("handler", "url", "code"),
    [
        (_refuse, BASE, 11205),
        (twiml, "http://[::/", 11205),
        (lambda _: httpx.Response(500), BASE, 11200),
        (lambda _: httpx.Response(200, content=b"x" * 70_000, headers={"content-type": "text/xml"}), BASE, 11750),
    ],
)
async def test_failures_have_twilios_numbers(handler: Handler, url: str, code: int) -> None:
    fault = await client(handler).fetch(url, "POST", {})
    assert isinstance(fault, Fault)
    assert fault.code == code


async def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(webhooks, "CEILING_S", 0.01)
    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    assert await WebhookClient(http, TOKEN).fetch(BASE, "POST", {}) == Fault(11205, "no answer within 0.01 s")


async def test_status_callbacks_take_any_2xx() -> None:
    assert await client(lambda _: httpx.Response(204)).notify(BASE, "POST", {}) is None
    assert await client(lambda _: httpx.Response(404)).notify(BASE, "POST", {}) == Fault(11200, "HTTP status 404")
    fault = await client(_refuse).notify(BASE, "POST", {})
    assert isinstance(fault, Fault)
    assert fault.code == 11205


async def test_cookies_are_kept_for_the_call() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie", ""))
        return httpx.Response(200, headers={"set-cookie": "a=1"})

    webhook = client(handler)
    await webhook.notify(BASE, "POST", {})
    await webhook.notify(BASE, "POST", {})
    assert seen == ["", "a=1"]


async def test_lines_are_followed_as_they_come() -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in (b"one\nt", b"wo\n"):
            yield piece

    following = client(lambda _: httpx.Response(200, content=body())).stream_lines(BASE)
    assert [line async for line in following] == ["one", "two"]


async def test_a_feed_that_is_refused_raises() -> None:
    with pytest.raises(httpx.HTTPStatusError):
        await anext(client(lambda _: httpx.Response(403)).stream_lines(BASE))
