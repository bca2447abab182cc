import json

import pytest
from hypothesis import given

from providers.errors import Fault, ProviderException
from providers.voice.cartesia.turns import TurnsWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from tests.providers.voice.garbage import frames, recogniser_survives, told

SERVICE = Service(provider="cartesia", operation="stt", setting="CARTESIA_API_KEY")
CLOSE = '{"type":"close"}'


def event(kind: str, transcript: str | None = None) -> str:
    return json.dumps({"type": kind, "request_id": "r"} | ({} if transcript is None else {"transcript": transcript}))


@pytest.fixture
def wire() -> TurnsWire:
    wire = TurnsWire(SERVICE)
    wire.begin()
    return wire


def is_over(wire: TurnsWire) -> bool:
    return wire.vad is not None and wire.vad.is_turn_complete


def test_a_turn_as_the_documentation_tells_it(wire: TurnsWire) -> None:
    wire.audio(bytes(800))
    assert wire.receive(event("connected")) == []
    assert told(wire.receive(event("turn.start"))) == [("", False)]
    assert told(wire.receive(event("turn.update", "I need to cancel"))) == [("I need to cancel", False)]
    wire.receive(event("turn.eager_end", "I need to cancel"))
    assert is_over(wire)
    assert told(wire.receive(event("turn.resume"))) == [("I need to cancel", False)]
    assert not is_over(wire)
    wire.receive(event("turn.update", "I need to cancel please."))
    wire.receive(event("turn.eager_end", "I need to cancel please."))
    (result,) = wire.receive(event("turn.end", "I need to cancel please."))
    assert (result.text, result.is_final, result.start_s) == ("I need to cancel please.", True, 0.1)
    assert is_over(wire)


def test_after_the_end_of_a_turn_the_connection_stays(wire: TurnsWire) -> None:
    wire.receive(event("turn.end", "Hello."))
    wire.audio(b"rest")
    assert wire.finish() == [b"rest"]
    assert wire.is_finished


@pytest.mark.parametrize("last", [None, event("turn.update", "Hello"), event("turn.eager_end", "Hello")])
def test_before_the_end_of_a_turn_only_closing_brings_the_rest(wire: TurnsWire, last: str | None) -> None:
    if last is not None:
        wire.receive(last)
    wire.audio(b"rest")
    assert wire.finish() == [b"rest", CLOSE]
    assert not wire.is_finished


def test_another_utterance_knows_nothing_of_the_last(wire: TurnsWire) -> None:
    wire.receive(event("turn.end", "Hello."))
    wire.audio(b"old")
    wire.begin()
    assert not is_over(wire)
    assert wire.finish() == [CLOSE]


def test_audio_goes_in_messages_of_100_ms(wire: TurnsWire) -> None:
    assert wire.audio(bytes(1700)) == [bytes(800), bytes(800)]
    assert wire.audio_s == 0.2
    assert wire.opening() == wire.keep_alive() == []


def test_an_error_is_told_by_its_status_and_code(wire: TurnsWire) -> None:
    error = {"type": "error", "title": "My name is Ann", "message": "x", "status_code": 429, "request_id": "r-9"}
    with pytest.raises(ProviderException) as caught:
        wire.receive(json.dumps(error))
    assert (caught.value.fault, caught.value.status, caught.value.request_id) == (Fault.RATE_LIMIT, 429, "r-9")
    assert "Ann" not in str(caught.value)


def test_an_error_without_a_status_is_the_services_own(wire: TurnsWire) -> None:
    with pytest.raises(ProviderException) as caught:
        wire.receive('{"type":"error","title":"oh","message":"no"}')
    assert caught.value.fault is Fault.UNAVAILABLE


KINDS = ("turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end", "error", "connected")


@given(frames(KINDS, ("transcript", "status_code", "error_code", "request_id")))
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    recogniser_survives(TurnsWire(SERVICE), received)
