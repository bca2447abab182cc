import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException
from providers.voice.deepgram.flux_speak import FluxSpeakWire
from providers.voice.deepgram.speak import LONGEST_TEXT, SpeakWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from tests.providers.voice.garbage import frames, synthesiser_survives

SERVICE = Service(provider="deepgram", operation="tts", setting="DEEPGRAM_API_KEY")
METADATA = '{"type":"Metadata","request_id":"r","model_name":"aura-2","model_version":"1","model_uuid":"u"}'


@given(st.text(min_size=1, max_size=5000))
def test_a_text_goes_in_messages_that_are_short_enough(text: str) -> None:
    *speak, flush = map(json.loads, SpeakWire(SERVICE).speak(text))
    assert "".join(message["text"] for message in speak) == text
    assert all(message["type"] == "Speak" and len(message["text"]) <= LONGEST_TEXT for message in speak)
    assert flush == {"type": "Flush"}


def test_audio_is_of_the_text_until_it_is_flushed() -> None:
    wire = SpeakWire(SERVICE)
    assert wire.is_finished
    wire.speak("Hello.")
    assert wire.receive(METADATA) == []
    assert wire.receive(b"\x01\x02") == [b"\x01\x02"]
    assert not wire.is_finished
    wire.receive('{"type":"Flushed","sequence_id":0}')
    assert wire.is_finished
    assert wire.receive(b"stray") == []


def test_what_comes_before_cleared_is_of_the_dropped_text() -> None:
    wire = SpeakWire(SERVICE)
    wire.speak("One.")
    assert wire.drop() == ['{"type":"Clear"}']
    wire.speak("Two.")
    assert wire.receive(b"one") == []
    wire.receive('{"type":"Flushed","sequence_id":0}')
    assert not wire.is_finished
    wire.receive('{"type":"Cleared","sequence_id":1}')
    assert wire.receive(b"two") == [b"two"]
    wire.receive('{"type":"Flushed","sequence_id":1}')
    assert wire.is_finished


@pytest.mark.parametrize("kind", ["Warning", "Error"])
def test_a_warning_means_that_no_audio_comes(kind: str) -> None:
    """The known one is of too many flushes in a minute."""
    wire = SpeakWire(SERVICE)
    wire.speak("Hello.")
    with pytest.raises(ProviderException, match="DATA-0001"):
        wire.receive(json.dumps({"type": kind, "code": "DATA-0001", "description": "no"}))


def started(number: int) -> str:
    return json.dumps({"type": "SpeechStarted", "speech_id": f"dg_sp_{number:012x}"})


def done(number: int) -> str:
    return json.dumps({"type": "SpeechMetadata", "speech_id": f"dg_sp_{number:012x}", "audio_duration_ms": 480})


@pytest.fixture
def flux() -> FluxSpeakWire:
    wire = FluxSpeakWire(SERVICE)
    wire.receive('{"type":"Connected","request_id":"r","model_name":"flux","model_version":"1","model_uuids":[]}')
    assert [json.loads(frame)["type"] for frame in wire.speak("Hello.")] == ["Speak", "Flush"]
    return wire


def test_a_turn_of_flux_is_over_with_its_metadata(flux: FluxSpeakWire) -> None:
    flux.receive(started(1))
    assert flux.receive(b"hello") == [b"hello"]
    flux.receive(done(1))
    assert flux.is_finished
    assert flux.receive(b"stray") == []


@pytest.mark.parametrize(
    "answer",
    [
        '{"type":"SpeechInterrupted","audio_played_ms":20}',
        '{"type":"Warning","code":"NO_ACTIVE_SPEECH","description":""}',
    ],
)
def test_an_interrupted_turn_of_flux_does_not_come_back(flux: FluxSpeakWire, answer: str) -> None:
    flux.receive(started(1))
    assert flux.drop() == ['{"type":"Interrupt"}']
    flux.speak("Two.")
    assert flux.receive(b"one") == []
    flux.receive(done(1))
    flux.receive(answer)
    flux.receive(started(2))
    assert flux.receive(b"two") == [b"two"]
    assert not flux.is_finished
    flux.receive(done(1))
    assert not flux.is_finished
    flux.receive(done(2))
    assert flux.is_finished


def test_a_text_that_cannot_be_spoken_is_finished_without_audio(flux: FluxSpeakWire) -> None:
    flux.receive('{"type":"Warning","code":"SYNTHESIS_RETRYING","description":""}')
    assert not flux.is_finished
    flux.receive('{"type":"Warning","code":"NO_SYNTHESIZABLE_TEXT","description":""}')
    assert flux.is_finished


def test_a_text_without_audio_is_a_failure_of_the_service(flux: FluxSpeakWire) -> None:
    with pytest.raises(ProviderException) as caught:
        flux.receive('{"type":"Warning","code":"NO_AUDIO_GENERATED","description":""}')
    assert caught.value.fault is Fault.UNAVAILABLE
    with pytest.raises(ProviderException, match="NET-0003"):
        flux.receive('{"type":"Error","code":"NET-0003","description":""}')


@given(
    frames(
        ("Flushed", "Cleared", "Warning", "Error", "SpeechStarted", "SpeechMetadata", "SpeechInterrupted"),
        ("code", "speech_id", "sequence_id"),
    )
)
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    synthesiser_survives(SpeakWire(SERVICE), received)
    synthesiser_survives(FluxSpeakWire(SERVICE), received)
