"""Follows the server's live event feed: what the bot says of itself, beside what can be heard of it.

`GET {server}/calls/{CallSid}/events`, signed like any GET of Twilio's, answers with JSON objects, one a line:
`{"at_s": …, "kind": …, "turn": …, …}`, where `at_s` counts from the moment the server got `start`.
"""

import asyncio

import httpx
import orjson

from telephony.simulator.events import BotReported
from telephony.simulator.journal import Journal
from telephony.simulator.webhooks import WebhookClient

_MAX_LINE = 64 * 1024
_MAX_EVENTS = 100_000
_ATTEMPTS = 25
_RETRY_S = 0.1


async def follow_feed(webhooks: WebhookClient, url: str, journal: Journal, started_at: float) -> bool:
    """Note what the feed says until it ends; False for a server that has none. Cancelling drops the request.

    `started_at` is the instant at which `start` was sent. A server that has not yet read it answers 404, as does one
    without a feed, so that is asked a few times.
    """
    for _ in range(_ATTEMPTS):
        try:
            await _follow(webhooks, url, journal, started_at)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 404:
                return False
            await asyncio.sleep(_RETRY_S)
        except httpx.HTTPError:
            return False
        else:
            return True
    return False


async def _follow(webhooks: WebhookClient, url: str, journal: Journal, started_at: float) -> None:
    seen = 0
    async for line in webhooks.stream_lines(url):
        event = parse_line(line, journal.at_s(started_at))
        if event is not None:
            journal.note(event)
        seen += 1
        if seen >= _MAX_EVENTS:
            return


def parse_line(line: str, started_at_s: float) -> BotReported | None:
    """One line of the feed, its time moved by `started_at_s`; None for a blank line and for what is no event."""
    if not line.strip() or len(line) > _MAX_LINE:
        return None
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict):
        return None
    at_s, kind, turn = fields.pop("at_s", None), fields.pop("kind", None), fields.pop("turn", None)
    if not isinstance(at_s, int | float) or isinstance(at_s, bool) or not isinstance(kind, str):
        return None
    return BotReported(started_at_s + at_s, kind, turn if isinstance(turn, int) else 0, fields)
