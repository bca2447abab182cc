"""Which URLs Twilio asks for and signs."""

import pytest

from telephony.simulator.addresses import StreamAddress, origin, signed_form, stream_address, webhook_url
from telephony.simulator.twiml import Fault

HERE = "https://bot.example.com/voice/incoming"


@pytest.mark.parametrize(
    ("reference", "base", "url"),
    [
        ("wss://bot.example.com/media", HERE, "wss://bot.example.com/media"),
        ("wss://bot.example.com", HERE, "wss://bot.example.com/"),
        ("/media", HERE, "wss://bot.example.com/media"),
        ("media", HERE, "wss://bot.example.com/voice/media"),
        ("/media", "http://127.0.0.1:8000/voice", "ws://127.0.0.1:8000/media"),
        ("ws://localhost:8000/media#x", HERE, "ws://localhost:8000/media"),
        ("ws://[::1]:8000/media", HERE, "ws://[::1]:8000/media"),
    ],
)
def test_stream_addresses_are_resolved(reference: str, base: str, url: str) -> None:
    assert stream_address(reference, base) == StreamAddress(url)


def test_a_query_is_dropped_with_a_warning() -> None:
    address = stream_address("wss://bot.example.com/media?token=x", HERE)
    assert isinstance(address, StreamAddress)
    assert address.url == "wss://bot.example.com/media"
    assert address.warning is not None
    assert address.warning.code == 31920


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("ws://bot.example.com/media", 31922),
        ("https://bot.example.com/media", 31922),
        ("wss:///media", 31923),
        ("wss://[::/media", 31923),
        ("wss://host:port/media", 31923),
    ],
)
def test_stream_addresses_that_are_refused(reference: str, code: int) -> None:
    fault = stream_address(reference, HERE)
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://bot.example.com:8443/voice?a=%20b", "https://bot.example.com/voice?a=%20b"),
        ("https://user:secret@bot.example.com/voice", "https://bot.example.com/voice"),
        ("http://127.0.0.1:8000/voice", "http://127.0.0.1:8000/voice"),
        ("https://bot.example.com/voice#rc=2", "https://bot.example.com/voice"),
    ],
)
def test_the_signed_form_drops_what_twilio_drops(url: str, signed: str) -> None:
    assert signed_form(url) == signed


def test_callbacks_are_relative_to_their_document() -> None:
    assert webhook_url("after?x=1#rc=2", HERE) == "https://bot.example.com/voice/after?x=1"
    assert webhook_url("http://other/after", HERE) == "http://other/after"
    assert origin("http://127.0.0.1:8000/voice?x") == "http://127.0.0.1:8000"
