import base64
from typing import Any

import orjson
import pytest
from hypothesis import given

from providers.errors import Fault, TTSError
from providers.voice.assemblyai.provider import _SPEAKING as SPEAKING
from providers.voice.assemblyai.speak import SpeakWire
from providers.voice.remote.sansio import Frame
from tests.providers.voice.garbage import frames, synthesiser_survives
from tests.providers.voice.messages import read


def speaking(text: str = "Hello there.") -> SpeakWire:
    wire = SpeakWire(SPEAKING)
    read(wire, {"type": "Begin", "id": "s-1", "expires_at": 1_800_000_000, "configuration": {}})
    wire.speak(text)
    return wire


def audio(data: bytes, flush_id: int = 0) -> dict[str, Any]:
    return {"type": "Audio", "flush_id": flush_id, "audio": base64.b64encode(data).decode()}


def done(flush_id: int = 0) -> dict[str, Any]:
    return {"type": "FlushDone", "flush_id": flush_id, "audio_duration_ms": 60}


def test_it_is_ready_once_the_session_has_begun() -> None:
    wire = SpeakWire(SPEAKING)
    assert not wire.is_ready
    read(wire, {"type": "Begin", "id": "s-1"})
    assert wire.is_ready


def test_a_long_text_goes_in_pieces_that_make_it_again() -> None:
    text = "äöü " * 1200
    *pieces, flush = [orjson.loads(message) for message in SpeakWire(SPEAKING).speak(text)]
    assert [len(piece["text"]) for piece in pieces] == [2000, 2000, 800]
    assert "".join(piece["text"] for piece in pieces) == text
    assert flush == {"type": "Flush"}


def test_audio_comes_until_the_flush_is_done() -> None:
    wire = speaking()
    assert read(wire, audio(b"\x01"), audio(b"\x02")) == [b"\x01", b"\x02"]
    assert not wire.is_finished
    assert read(wire, done(), {"type": "WordBoundaries", "flush_id": 0}) == []
    assert wire.is_finished


def test_what_comes_until_the_cancel_is_confirmed_is_of_the_dropped_text() -> None:
    wire = speaking()
    assert [orjson.loads(message) for message in wire.drop()] == [{"type": "Cancel"}]
    wire.speak("Next.")
    assert read(wire, audio(b"\x01"), done()) == []
    assert not wire.is_finished
    assert read(wire, {"type": "Cancelled", "audio_duration_seconds": 0.1}, audio(b"\x02", 2), done(2)) == [b"\x02"]
    assert wire.is_finished


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"error_code": 1008, "error_type": "unauthorized"}, Fault.AUTHENTICATION),
        ({"error_code": 1008, "error_type": "rate_limited", "retry_after_seconds": 12}, Fault.RATE_LIMIT),
        ({"error_code": 1011, "error_type": "auth_unavailable"}, Fault.UNAVAILABLE),
        ({"error_code": 3006, "error_type": "voice_not_found", "param": "voice_id"}, Fault.BAD_REQUEST),
        ({"error_code": 3008}, Fault.UNAVAILABLE),
        ({"error_code": 3009}, Fault.RATE_LIMIT),
    ],
)
def test_failures_are_told_by_their_name_or_their_code(error: dict[str, Any], fault: Fault) -> None:
    with pytest.raises(TTSError) as caught:
        read(speaking(), {"type": "Error", "error": "secret", **error})
    assert caught.value.fault is fault
    assert caught.value.request_id == "s-1"
    assert caught.value.retry_after_s == error.get("retry_after_seconds")
    assert "secret" not in str(caught.value)


@given(
    frames(
        ["Begin", "Audio", "FlushDone", "WordBoundaries", "Cancelled", "Termination", "Error"],
        ["id", "audio", "flush_id", "error_code", "error_type", "retry_after_seconds"],
    )
)
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    synthesiser_survives(speaking(), messages)
