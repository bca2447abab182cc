"""Requests that go wrong in every way a server can think of."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from providers.errors import Fault, ProviderException
from providers.voice.remote import http
from providers.voice.remote.service import Service
from tests.fakes.fake import Opened
from tests.fakes.requests import Reply, RequestFake

SERVICE = Service(provider="acme", operation="tts", setting="ACME_KEY")


class Acme(RequestFake):
    """Answers as it is told to."""

    reply = Reply(b'{"text":"Hello."}')

    async def respond(self, asked: Opened, body: bytes) -> Reply:
        return self.reply


@pytest.fixture
async def acme() -> AsyncIterator[Acme]:
    async with Acme() as fake:
        yield fake
        await http.close_shared_client()
        await fake.until(lambda: fake.open_connections == 0)


async def streamed(acme: Acme) -> bytes:
    return b"".join([chunk async for chunk in http.stream(SERVICE, acme.http_url, {}, json={})])


async def pieces(*audio: bytes) -> AsyncIterator[bytes]:
    for piece in audio:
        yield piece


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_an_answer_that_breaks_off_anywhere_is_an_error(acme: Acme, is_streamed: bool) -> None:
    """Every byte in turn is the last that comes, until one is reached behind the end."""
    faults = []
    for drops_at in range(1, 400):
        acme.drops_at = drops_at
        acme.reply = Reply(pieces(b"abc", b"d"), "audio/pcm") if is_streamed else Reply(b"abcd", "audio/pcm")
        try:
            audio = await streamed(acme)
        except ProviderException as error:
            faults.append(error.fault)
        else:
            break
    assert audio == b"abcd"
    assert len(faults) > 60
    assert set(faults) <= {Fault.PROTOCOL, Fault.UNAVAILABLE}


@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=utf-8"])
async def test_what_is_no_audio_is_not_played(acme: Acme, content_type: str) -> None:
    acme.reply = Reply(b'{"error":{}}', content_type)
    with pytest.raises(ProviderException) as caught:
        await streamed(acme)
    assert caught.value.fault is Fault.PROTOCOL


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_is_not_read_for_ever(acme: Acme, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 3)
    acme.reply = Reply(status=status, body=b"four")
    with pytest.raises(ProviderException, match="far too much"):
        await http.post(SERVICE, acme.http_url, {})


async def test_an_answer_that_does_not_end_is_given_up(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT_S", 0.0)
    acme.reply = Reply(_endless())
    with pytest.raises(ProviderException) as caught:
        await http.post(SERVICE, acme.http_url, {})
    assert caught.value.fault is Fault.TIMEOUT
    await acme.hung_up.wait()


async def _endless() -> AsyncIterator[bytes]:
    yield b"a"
    await asyncio.Event().wait()


async def test_warming_leaves_a_connection_that_is_used(acme: Acme) -> None:
    await http.warm(SERVICE, acme.http_url, {})
    await http.post(SERVICE, acme.http_url, {})
    assert [opened.is_open for opened in acme.connections] == [True, True]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (httpx.InvalidURL("secret"), Fault.BAD_REQUEST),
        (httpx.UnsupportedProtocol("secret"), Fault.BAD_REQUEST),
        (httpx.PoolTimeout("secret"), Fault.TIMEOUT),
        (httpx.ReadTimeout("secret"), Fault.TIMEOUT),
        (httpx.RemoteProtocolError("secret"), Fault.PROTOCOL),
        (httpx.DecodingError("secret"), Fault.PROTOCOL),
        (httpx.ConnectError("secret"), Fault.UNAVAILABLE),
        (httpx.ReadError("secret"), Fault.UNAVAILABLE),
    ],
)
def test_a_request_without_an_answer_is_one_of_our_errors(
    error: httpx.HTTPError | httpx.InvalidURL, fault: Fault
) -> None:
    ours = http.failure(SERVICE, error)
    assert ours.fault is fault
    assert "secret" not in str(ours)


@pytest.mark.parametrize("url", ["no-scheme/v1", "ftp://host/v1", ""])
async def test_an_address_that_is_none_is_an_error_of_ours(url: str) -> None:
    with pytest.raises(ProviderException) as caught:
        await http.post(SERVICE, url, {})
    assert caught.value.fault is Fault.BAD_REQUEST
    await http.close_shared_client()
