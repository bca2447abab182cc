"""The server's event feed, line by line."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator import feed
from telephony.simulator.events import BotReported
from telephony.simulator.feed import follow_feed, parse_line
from telephony.simulator.journal import Journal
from telephony.simulator.webhooks import WebhookClient


def test_a_line_is_moved_to_the_time_of_the_call() -> None:
    line = '{"at_s": 1.5, "kind": "caller_said", "turn": 2, "text": "hello", "more": [1]}'
    event = parse_line(line, started_at_s=0.25)
    assert event == BotReported(1.75, "caller_said", 2, {"text": "hello", "more": [1]})
    assert event is not None
    assert (event.text(), event.text("more"), event.text("missing")) == ("hello", "", "")


def test_a_line_without_a_turn_is_of_turn_zero() -> None:
    assert parse_line('{"at_s": 0, "kind": "call_started"}', 0.0) == BotReported(0.0, "call_started", 0, {})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  ",
        "nonsense",
        "[]",
        '{"kind": "x"}',
        '{"at_s": "1", "kind": "x"}',
        '{"at_s": true, "kind": "x"}',
        '{"at_s": 1, "kind": 2}',
        '{"at_s": 1, "kind": "' + "x" * 70_000 + '"}',
    ],
)
def test_what_is_no_event_is_passed_over(line: str) -> None:
    assert parse_line(line, 0.0) is None


@given(st.text())
def test_no_line_raises(line: str) -> None:
    assert parse_line(line, 0.0) is None or line.strip()


LINES = "".join(f'{{"at_s": {number}, "kind": "caller_said", "turn": {number}}}\nnoise\n' for number in range(3))


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_RETRY_S", 0.0)


async def _follow(*replies: httpx.Response) -> tuple[bool, list[int]]:
    waiting = list(replies)
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: waiting.pop(0)))
    journal = Journal(began_at=100.0)
    found = await follow_feed(WebhookClient(http, "token"), "http://127.0.0.1/calls/CA1/events", journal, 100.5)
    assert all(isinstance(event, BotReported) and event.at_s == event.turn + 0.5 for event in journal.events)
    return found, [event.turn for event in journal.events if isinstance(event, BotReported)]


async def test_a_feed_that_begins_with_the_stream_is_waited_for() -> None:
    assert await _follow(httpx.Response(404), httpx.Response(200, text=LINES)) == (True, [0, 1, 2])


async def test_a_server_without_a_feed_is_left_alone() -> None:
    assert await _follow(*[httpx.Response(404)] * feed._ATTEMPTS) == (False, [])
    assert await _follow(httpx.Response(403)) == (False, [])


async def test_a_feed_that_breaks_is_given_up() -> None:
    http = httpx.AsyncClient(transport=httpx.MockTransport(_refuse))
    assert not await follow_feed(WebhookClient(http, "token"), "http://127.0.0.1/", Journal(0.0), 0.0)


async def test_a_feed_without_end_has_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_MAX_EVENTS", 3)
    assert await _follow(httpx.Response(200, text=LINES)) == (True, [0, 1])
