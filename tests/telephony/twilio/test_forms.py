"""Forms that break off or never end, which no client in a test would send: the ASGI messages are given by hand."""

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from telephony.twilio import forms
from telephony.twilio.forms import SignedForms

BROKEN_OFF: list[Message] = [
    {"type": "http.request", "body": b"CallSid=", "more_body": True},
    {"type": "http.disconnect"},
]


def posted(messages: list[Message]) -> Request:
    """A form that arrives as these messages, and then no further."""

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return Request(scope, receive)


async def test_refused_when_it_breaks_off() -> None:
    with pytest.raises(HTTPException) as refusal:
        await SignedForms(None, "https://bot.example.com").read(posted(BROKEN_OFF.copy()))
    assert refusal.value.status_code == 400


async def test_refused_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "READ_LIMIT_S", 0)
    with pytest.raises(HTTPException) as refusal:
        await SignedForms(None, "https://bot.example.com").read(posted([]))
    assert refusal.value.status_code == 408
