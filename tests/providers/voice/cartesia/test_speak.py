import base64
import json

import pytest
from hypothesis import given

from providers.errors import Fault, ProviderException
from providers.voice.cartesia.speak import SpeakWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming
from tests.providers.voice.garbage import frames, synthesiser_survives

SERVICE = Service(
    provider="cartesia",
    operation="tts",
    setting="CARTESIA_API_KEY",
    code_faults={"concurrency_limited": Fault.RATE_LIMIT},
)
REQUEST = {"model_id": "sonic-3.5", "language": "en"}


@pytest.fixture
def wire() -> SpeakWire:
    return SpeakWire(SERVICE, REQUEST)


def context_of(sent: list[Frame]) -> str:
    context: str = json.loads(sent[-1])["context_id"]
    return context


def message(kind: str, context: str, **fields: object) -> str:
    return json.dumps({"type": kind, "context_id": context, "done": False, "status_code": 206, **fields})


def chunk(context: str, audio: bytes) -> str:
    return message("chunk", context, data=base64.b64encode(audio).decode(), step_time=1.5, flush_id=1)


def test_a_text_is_a_whole_context_of_its_own(wire: SpeakWire) -> None:
    first, second = json.loads(wire.speak("Hello.")[0]), json.loads(wire.speak("Bye.")[0])
    assert first == {
        **REQUEST,
        "context_id": first["context_id"],
        "transcript": "Hello.",
        "continue": False,
        "add_timestamps": True,
        "max_buffer_delay_ms": 0,
    }
    assert first["context_id"] != second["context_id"]


def test_audio_comes_until_it_is_done(wire: SpeakWire) -> None:
    context = context_of(wire.speak("Hello."))
    every_byte = bytes(range(256))
    assert wire.receive(chunk(context, every_byte)) == [every_byte]
    assert wire.receive(chunk(context, b"")) == []
    assert not wire.is_finished
    wire.receive(message("done", context, done=True))
    assert wire.is_finished


def test_two_contexts_interleaved_are_told_apart(wire: SpeakWire) -> None:
    old = context_of(wire.speak("One."))
    assert json.loads(wire.drop()[0]) == {"context_id": old, "cancel": True}
    assert wire.is_finished
    assert wire.receive(chunk(old, b"late")) == []
    new = context_of(wire.speak("Two."))
    assert wire.receive(chunk(new, b"two")) == [b"two"]
    assert wire.receive(chunk(old, b"late")) == []
    wire.receive(message("timestamps", old, word_timestamps={"words": ["One."], "start": [0], "end": [1]}))
    wire.receive(message("error", old, status_code=400, error_code="context_expired"))
    wire.receive(message("done", old, done=True))
    assert not wire.is_finished
    assert wire.timings == []


def test_words_are_timed(wire: SpeakWire) -> None:
    context = context_of(wire.speak("Hello, you."))
    for words, start, end in ((["Hello,"], [0.0], [0.42]), (["you."], [0.5], [0.9])):
        told = {"words": words, "start": start, "end": end}
        wire.receive(message("timestamps", context, word_timestamps=told))
    wire.receive(message("timestamps", context))
    assert wire.timings == [WordTiming("Hello,", 0.0, 0.42), WordTiming("you.", 0.5, 0.9)]
    wire.speak("Again.")
    assert wire.timings == []


def test_an_error_is_of_its_text_or_of_the_connection(wire: SpeakWire) -> None:
    context = context_of(wire.speak("Hello."))
    error = message("error", context, status_code=429, error_code="concurrency_limited", message="Hello.")
    with pytest.raises(ProviderException, match="concurrency_limited") as caught:
        wire.receive(error)
    assert caught.value.fault is Fault.RATE_LIMIT
    with pytest.raises(ProviderException):
        wire.receive('{"type":"error","status_code":500}')


def test_audio_that_is_none_is_garbled(wire: SpeakWire) -> None:
    context = context_of(wire.speak("Hello."))
    for data in ("not base64!", "é"):
        with pytest.raises(ProviderException) as caught:
            wire.receive(message("chunk", context, data=data))
        assert caught.value.fault is Fault.PROTOCOL


def test_nothing_is_sent_when_nothing_is_said(wire: SpeakWire) -> None:
    assert wire.opening() == wire.keep_alive() == []
    assert wire.receive('{"type":"flush_done","flush_id":1}') == []


@given(
    frames(
        ("chunk", "timestamps", "done", "error", "flush_done"),
        ("context_id", "data", "word_timestamps", "status_code", "error_code"),
    )
)
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    synthesiser_survives(SpeakWire(SERVICE, REQUEST), received)
