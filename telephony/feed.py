"""The feed of a call: its journal over HTTP, live or from the records, for whoever holds the auth token."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Protocol
from weakref import WeakValueDictionary

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from telephony.call.journal import Entry, Journal
from telephony.records.database import DatabaseAway
from telephony.records.log import RecordedCall
from telephony.twilio.refusals import refused
from telephony.twilio.signature import SignatureChecker

logger = logging.getLogger(__name__)


class PastCalls(Protocol):
    """What the records know of calls; raises `DatabaseAway`."""

    async def of(self, call_sid: str) -> RecordedCall | None: ...


class CallFeed:
    """`GET /calls/{call_sid}/events`: newline-delimited JSON, from the call's start to its end.

    A journal that nobody in this process keeps comes from the records: all the streams of the call, as far as they are
    recorded. The request is signed like Twilio's own, with the auth token over the URL: a journal holds what was said.
    """

    def __init__(self, checker: SignatureChecker | None, past: PastCalls) -> None:
        self._checker = checker
        self._past = past
        self._journals: WeakValueDictionary[str, Journal] = WeakValueDictionary()

    def publish(self, call_sid: str, journal: Journal) -> None:
        """Make a call's journal readable for as long as anybody keeps it, as whoever serves the call does."""
        self._journals[call_sid] = journal

    async def events(self, request: Request) -> Response:
        """The endpoint; follows a live call until it ends or the reader leaves."""
        signature = request.headers.get("x-twilio-signature")
        if self._checker is not None and not self._checker.webhook(request.url.path, (), signature):
            reason = "unsigned" if signature is None else "signature"
            refused(reason, "refused the feed of a call: it is signed with TWILIO_AUTH_TOKEN over its public URL")
            return PlainTextResponse("Forbidden", 403)
        call_sid: str = request.path_params["call_sid"]
        journal = self._journals.get(call_sid)
        return await self._past_events(call_sid) if journal is None else _feed(_lines(journal))

    async def _past_events(self, call_sid: str) -> Response:
        try:
            call = await self._past.of(call_sid)
        except DatabaseAway as away:
            logger.warning("the feed of a call cannot be read: %s", away)
            return PlainTextResponse("the records cannot be read now", 503)
        return PlainTextResponse("no such call", 404) if call is None else _feed(map(_line, call.entries))


def _feed(lines: AsyncIterator[bytes] | Iterable[bytes]) -> Response:
    return StreamingResponse(lines, media_type="application/x-ndjson")


def _line(entry: Entry) -> bytes:
    return orjson.dumps(entry.as_dict(), option=orjson.OPT_APPEND_NEWLINE)


async def _lines(journal: Journal) -> AsyncIterator[bytes]:
    grown = asyncio.Event()
    journal.watchers.add(grown.set)
    try:
        position = 0
        while True:
            grown.clear()
            for entry in journal.entries[position:]:
                yield _line(entry)
                position += 1
            if position == len(journal.entries):
                if journal.is_closed:
                    return
                await grown.wait()
    finally:
        journal.watchers.discard(grown.set)
