"""The live feed over HTTP: who may read it, and how it follows a call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from telephony.call.journal import Journal, Kind
from telephony.feed import KEPT, CallFeed
from telephony.simulator.rest import serve
from telephony.twilio.signature import SignatureChecker, sign
from tests.telephony.twilio.frames import CALL

TOKEN = "0123456789abcdef0123456789abcdef"
PATH = f"/calls/{CALL}/events"


@asynccontextmanager
async def listening(feed: CallFeed) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/calls/{call_sid}/events", feed.events)])
    async with serve(app) as base_url, httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
        yield client


@pytest.fixture
def feed() -> CallFeed:
    return CallFeed(None)


def ended_journal() -> Journal:
    journal = Journal(started_at=100.0)
    journal.note(Kind.CALL_STARTED, 100.0, call_sid=CALL)
    journal.note(Kind.CALL_ENDED, 101.23456, reason="caller hung up")
    return journal


async def test_the_journal_of_an_ended_call_is_read_to_its_end(feed: CallFeed) -> None:
    feed.publish(CALL, ended_journal())
    async with listening(feed) as client:
        response = await client.get(PATH)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [orjson.loads(line) for line in response.text.splitlines()] == [
        {"at_s": 0.0, "kind": "call_started", "call_sid": CALL},
        {"at_s": 1.2346, "kind": "call_ended", "reason": "caller hung up"},
    ]


async def test_a_live_call_is_followed_line_by_line(feed: CallFeed) -> None:
    journal = Journal(started_at=0.0)
    feed.publish(CALL, journal)
    journal.note(Kind.CALL_STARTED, 0.0)
    async with listening(feed) as client, asyncio.timeout(5), client.stream("GET", PATH) as response:
        lines = response.aiter_lines()
        assert "call_started" in await anext(lines)
        journal.note(Kind.CALLER_SAID, 1.0, turn=1, text="Grüß Gott")
        assert "Grüß Gott" in await anext(lines)
        journal.note(Kind.CALL_ENDED, 2.0, reason="caller hung up")
        assert "call_ended" in await anext(lines)
        assert [line async for line in lines] == []
    assert not journal.watchers


async def test_a_reader_who_leaves_is_forgotten(feed: CallFeed) -> None:
    journal = Journal(started_at=0.0)
    feed.publish(CALL, journal)
    journal.note(Kind.CALL_STARTED, 0.0)
    async with listening(feed) as client, asyncio.timeout(5):
        async with client.stream("GET", PATH) as response:
            await anext(response.aiter_lines())
            assert journal.watchers
        await client.get("/")  # by the time this is answered the server has noticed
        assert not journal.watchers


async def test_a_call_that_nobody_knows_is_not_found(feed: CallFeed) -> None:
    async with listening(feed) as client:
        assert (await client.get(PATH)).status_code == 404


async def test_the_oldest_journals_are_forgotten(feed: CallFeed) -> None:
    for number in range(KEPT):
        feed.publish(f"CA{number}", ended_journal())
    feed.publish("CA0", ended_journal())  # of a stream that was taken up again: the youngest now
    feed.publish("CAlast", ended_journal())
    async with listening(feed) as client:
        found = [(await client.get(f"/calls/{name}/events")).status_code for name in ("CA0", "CA1", "CA2", "CAlast")]
    assert found == [200, 404, 200, 200]


@pytest.mark.parametrize("signature", [None, "", "nonsense", sign("http://elsewhere" + PATH, TOKEN)])
async def test_a_journal_is_for_the_holder_of_the_token(
    caplog: pytest.LogCaptureFixture, signature: str | None
) -> None:
    base_url = "https://bot.example.com"
    feed = CallFeed(SignatureChecker(TOKEN, base_url))
    feed.publish(CALL, ended_journal())
    async with listening(feed) as client:
        good = await client.get(PATH, headers={"X-Twilio-Signature": sign(base_url + PATH, TOKEN)})
        assert good.status_code == 200
        refused = await client.get(PATH, headers={} if signature is None else {"X-Twilio-Signature": signature})
    assert (refused.status_code, refused.text) == (403, "Forbidden")
    assert "refused the feed of a call" in caplog.text
    assert CALL not in refused.text
