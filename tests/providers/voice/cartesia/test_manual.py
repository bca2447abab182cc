import json

import pytest
from hypothesis import given

from providers.errors import ProviderException
from providers.voice.cartesia.manual import ManualWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from tests.providers.voice.garbage import frames, recogniser_survives, told

SERVICE = Service(provider="cartesia", operation="stt", setting="CARTESIA_API_KEY")
FLUSHED = '{"type":"flush_done","request_id":"r"}'


def piece(text: str, *, is_final: bool) -> str:
    return json.dumps({"type": "transcript", "text": text, "is_final": is_final, "request_id": "r", "duration": 0.5})


@pytest.fixture
def wire() -> ManualWire:
    wire = ManualWire(SERVICE)
    wire.begin()
    return wire


def test_pieces_are_joined_as_they_are_and_stand_when_flushed(wire: ManualWire) -> None:
    wire.audio(bytes(1600))
    assert told(wire.receive(piece(" I want", is_final=False))) == [("I want", False)]
    assert told(wire.receive(piece(" I want a ta", is_final=True))) == [("I want a ta", False)]
    assert told(wire.receive(piece("ble for", is_final=False))) == [("I want a table for", False)]
    assert wire.finish() == ["finalize"]
    assert not wire.is_finished
    wire.receive(piece("ble for two.", is_final=True))
    (result,) = wire.receive(FLUSHED)
    assert (result.text, result.is_final, result.start_s, result.stop_s) == ("I want a table for two.", True, 0.0, 0.2)
    assert wire.is_finished


def test_a_flush_that_was_not_asked_for_says_nothing(wire: ManualWire) -> None:
    assert wire.receive(FLUSHED) == []


def test_another_utterance_starts_with_no_words_and_where_the_audio_is(wire: ManualWire) -> None:
    wire.audio(bytes(8000))
    wire.receive(piece("old", is_final=True))
    wire.begin()
    (result,) = wire.receive(piece("new", is_final=False))
    assert (result.text, result.start_s) == ("new", 1.0)
    assert wire.vad is None
    assert wire.opening() == wire.keep_alive() == []


def test_what_was_held_back_goes_before_finalize(wire: ManualWire) -> None:
    assert wire.audio(bytes(900)) == [bytes(800)]
    assert wire.finish() == [bytes(100), "finalize"]


def test_an_error_is_ours(wire: ManualWire) -> None:
    assert wire.receive('{"type":"done","request_id":"r"}') == []
    with pytest.raises(ProviderException, match="invalid_model"):
        wire.receive('{"type":"error","status_code":400,"error_code":"invalid_model","title":"","message":""}')


@given(frames(("transcript", "flush_done", "done", "error"), ("text", "is_final", "status_code", "error_code")))
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    recogniser_survives(ManualWire(SERVICE), received)
