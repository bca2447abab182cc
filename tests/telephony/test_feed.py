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
from telephony.feed import CallFeed
from telephony.records.database import DatabaseAway
from telephony.records.log import RecordedCall
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


class Past:
    """The records, of one call or out of order."""

    call: RecordedCall | None = None
    error: DatabaseAway | None = None

    async def of(self, call_sid: str) -> RecordedCall | None:
        if self.error is not None:
            raise self.error
        return self.call if self.call is not None and self.call.call_sid == call_sid else None


@pytest.fixture
def past() -> Past:
    return Past()


@pytest.fixture
def feed(past: Past) -> CallFeed:
    return CallFeed(None, past)


def ended_journal() -> Journal:
    journal = Journal(started_at=100.0)
    journal.note(Kind.CALL_STARTED, 100.0, call_sid=CALL)
    journal.note(Kind.CALL_ENDED, 101.23456, reason="caller hung up")
    return journal


async def test_the_journal_of_an_ended_call_is_read_to_its_end(feed: CallFeed) -> None:
    feed.publish(CALL, journal := ended_journal())
    async with listening(feed) as client:
        response = await client.get(PATH)
    assert len(response.text.splitlines()) == len(journal.entries)
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


async def test_a_call_that_is_over_is_read_from_the_records(feed: CallFeed, past: Past) -> None:
    past.call = RecordedCall(CALL, "AC1", "", "", 1.0, 1, "p", 2.0, "over", tuple(ended_journal().entries))
    async with listening(feed) as client:
        response = await client.get(PATH)
        assert response.headers["content-type"] == "application/x-ndjson"
        assert [orjson.loads(line)["kind"] for line in response.text.splitlines()] == ["call_started", "call_ended"]
        feed.publish(CALL, Journal(0.0))
        feed.publish(CALL, journal := ended_journal())
        past.call = None
        assert (await client.get(PATH)).text == response.text  # the journal here says the same, and is asked first
        del journal  # nobody keeps it any more
        assert (await client.get(PATH)).status_code == 404


async def test_records_that_cannot_be_read_are_no_missing_call(feed: CallFeed, past: Past) -> None:
    past.error = DatabaseAway("ConnectionRefusedError")
    async with listening(feed) as client:
        assert (await client.get(PATH)).status_code == 503


async def test_a_live_call_is_followed_however_many_others_have_begun_since(feed: CallFeed) -> None:
    journals = [Journal(started_at=0.0) for _ in range(1000)]
    for number, journal in enumerate(journals):
        feed.publish(f"CA{number}", journal)
        journal.note(Kind.CALL_STARTED, 0.0)
    url = "/calls/CA0/events"
    async with listening(feed) as client, asyncio.timeout(5), client.stream("GET", url) as response:
        lines = response.aiter_lines()
        assert "call_started" in await anext(lines)
        journals[0].note(Kind.CALL_ENDED, 1.0, reason="caller hung up")
        assert "call_ended" in await anext(lines)


@pytest.mark.parametrize("signature", [None, "", "nonsense", sign("http://elsewhere" + PATH, TOKEN)])
async def test_a_journal_is_for_the_holder_of_the_token(
    caplog: pytest.LogCaptureFixture, signature: str | None
) -> None:
    base_url = "https://bot.example.com"
    feed = CallFeed(SignatureChecker(TOKEN, base_url), Past())
    feed.publish(CALL, journal := ended_journal())
    async with listening(feed) as client:
        good = await client.get(PATH, headers={"X-Twilio-Signature": sign(base_url + PATH, TOKEN)})
        assert good.status_code == 200
        assert len(good.text.splitlines()) == len(journal.entries)
        refused = await client.get(PATH, headers={} if signature is None else {"X-Twilio-Signature": signature})
    assert (refused.status_code, refused.text) == (403, "Forbidden")
    assert "refused the feed of a call" in caplog.text
    assert CALL not in refused.text
