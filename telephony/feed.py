"""The live feed of a call: its journal over HTTP, line by line as it is written, for whoever holds the auth token."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from telephony.call.journal import Journal
from telephony.twilio.signature import SignatureChecker

logger = logging.getLogger(__name__)

KEPT = 200
"""Journals kept, the newest, those of ended calls among them."""


class CallFeed:
    """`GET /calls/{call_sid}/events`: newline-delimited JSON, from the call's start to its end.

    The request is signed like Twilio's own, with the auth token over the URL: a journal holds what was said.
    """

    def __init__(self, checker: SignatureChecker | None) -> None:
        self._checker = checker
        self._journals: OrderedDict[str, Journal] = OrderedDict()

    def publish(self, call_sid: str, journal: Journal) -> None:
        """Make a call's journal readable."""
        self._journals[call_sid] = journal
        self._journals.move_to_end(call_sid)
        while len(self._journals) > KEPT:
            self._journals.popitem(last=False)

    async def events(self, request: Request) -> Response:
        """The endpoint; follows a live call until it ends or the reader leaves."""
        signature = request.headers.get("x-twilio-signature")
        if self._checker is not None and not self._checker.webhook(request.url.path, (), signature):
            logger.warning("refused the feed of a call: it is signed with TWILIO_AUTH_TOKEN over its public URL")
            return PlainTextResponse("Forbidden", 403)
        journal = self._journals.get(request.path_params["call_sid"])
        if journal is None:
            return PlainTextResponse("no such call", 404)
        return StreamingResponse(_lines(journal), media_type="application/x-ndjson")


async def _lines(journal: Journal) -> AsyncIterator[bytes]:
    grown = asyncio.Event()
    journal.watchers.add(grown.set)
    try:
        position = 0
        while True:
            grown.clear()
            for entry in journal.entries[position:]:
                yield orjson.dumps(entry.as_dict(), option=orjson.OPT_APPEND_NEWLINE)
                position += 1
            if position == len(journal.entries):
                if journal.is_closed:
                    return
                await grown.wait()
    finally:
        journal.watchers.discard(grown.set)
