import base64
from typing import Any

import orjson
import pytest
from hypothesis import given

from providers.errors import Fault, TTSError
from providers.voice.gradium.provider import _SPEAKING as SPEAKING
from providers.voice.gradium.speak import SpeakWire
from providers.voice.remote.sansio import Frame
from providers.voice.types import WordTiming
from tests.providers.voice.garbage import frames, synthesiser_survives
from tests.providers.voice.messages import read


def speaking(text: str = "Hello there.") -> SpeakWire:
    wire = SpeakWire(SPEAKING, "default", "v-1")
    wire.speak(text)
    return wire


def audio(data: bytes, request: str = "t1") -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"type": "audio", "audio": encoded, "start_s": 0.0, "stop_s": 0.08, "stream_id": 0, "client_req_id": request}


def end(request: str = "t1") -> dict[str, Any]:
    return {"type": "end_of_stream", "client_req_id": request}


def test_a_text_is_a_request_with_a_setup_of_its_own() -> None:
    setup, text, last = [orjson.loads(message) for message in SpeakWire(SPEAKING, "default", "v-1").speak("Hello.")]
    assert setup == {
        "type": "setup",
        "model_name": "default",
        "voice_id": "v-1",
        "output_format": "ulaw_8000",
        "close_ws_on_eos": False,
        "client_req_id": "t1",
    }
    assert text == {"type": "text", "text": "Hello.", "client_req_id": "t1"}
    assert last == end()


def test_audio_comes_until_the_end_of_the_stream() -> None:
    wire = speaking()
    ready = {"type": "ready", "sample_rate": 8000, "client_req_id": "t1"}
    assert read(wire, ready, audio(b"\x01\x02"), {"type": "need_more_text", "client_req_id": "t1"}) == [b"\x01\x02"]
    assert not wire.is_finished
    assert read(wire, end()) == []
    assert wire.is_finished


def test_what_comes_of_another_request_is_passed_over() -> None:
    wire = speaking()
    wire.speak("And you?")
    assert read(wire, audio(b"\x01", "t1"), end("t1"), audio(b"\x02", "t2")) == [b"\x02"]
    assert not wire.is_finished


def test_a_request_that_is_dropped_takes_its_connection_with_it() -> None:
    assert speaking().drop() is None


def test_words_are_timed() -> None:
    wire = speaking()
    read(wire, {"type": "text", "text": "Hello", "start_s": 0.05, "stop_s": 0.31, "client_req_id": "t1"})
    assert wire.timings == (WordTiming("Hello", 0.05, 0.31),)
    wire.speak("More.")
    assert not wire.timings


@pytest.mark.parametrize(("is_ready", "fault"), [(False, Fault.AUTHENTICATION), (True, Fault.UNAVAILABLE)])
def test_before_it_is_ready_a_refusal_is_about_the_key(is_ready: bool, fault: Fault) -> None:
    wire = speaking()
    if is_ready:
        read(wire, {"type": "ready", "client_req_id": "t1"})
    with pytest.raises(TTSError) as caught:
        read(wire, {"type": "error", "message": "secret", "code": 1008})
    assert caught.value.fault is fault
    assert "secret" not in str(caught.value)


@given(
    frames(
        ["ready", "audio", "text", "need_more_text", "end_of_stream", "error"],
        ["audio", "text", "start_s", "stop_s", "client_req_id", "code"],
    )
)
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    synthesiser_survives(speaking(), messages)
