import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException
from providers.voice.deepgram.listen import MESSAGE_BYTES, ListenWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from tests.providers.voice.garbage import frames, recogniser_survives, told

SERVICE = Service(
    provider="deepgram", operation="stt", setting="DEEPGRAM_API_KEY", code_faults={"NET-0001": Fault.TIMEOUT}
)


def results(
    text: str,
    *,
    start: float = 0.0,
    duration: float = 1.0,
    final: bool = False,
    speech_final: bool = False,
    from_finalize: bool = False,
) -> str:
    """As the service sends it, with all that we do not read."""
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": duration,
            "start": start,
            "is_final": final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {
                "alternatives": [
                    {
                        "transcript": text,
                        "confidence": 0.99,
                        "languages": ["en"],
                        "words": [{"word": "hello", "start": 3.5, "end": 3.8, "confidence": 0.99, "speaker": 0}],
                    }
                ]
            },
            "metadata": {"request_id": "uuid", "model_uuid": "uuid", "model_info": {"name": "general-nova-3"}},
        }
    )


UTTERANCE_END = '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":4.1}'
SPEECH_STARTED = '{"type":"SpeechStarted","channel":[0],"timestamp":3.42}'
METADATA = '{"type":"Metadata","transaction_key":"deprecated","request_id":"uuid","duration":12.3,"channels":1}'


@pytest.fixture
def wire() -> ListenWire:
    wire = ListenWire(SERVICE)
    wire.begin()
    return wire


def is_over(wire: ListenWire) -> bool:
    return wire.vad is not None and wire.vad.is_turn_complete


@given(chunks=st.lists(st.binary(max_size=3000)))
def test_audio_goes_untouched_in_messages_of_100_ms_and_never_in_an_empty_one(chunks: list[bytes]) -> None:
    wire = ListenWire(SERVICE)
    sent: list[Frame] = []
    for chunk in chunks:
        sent += wire.audio(chunk)
    assert {len(frame) for frame in sent} <= {MESSAGE_BYTES}
    *rest, finalize = wire.finish()
    audio = [frame for frame in [*sent, *rest] if isinstance(frame, bytes)]
    assert b"".join(audio) == b"".join(chunks)
    assert all(audio)
    assert finalize == '{"type":"Finalize"}'
    assert wire.audio_s == len(b"".join(chunks)) / 8000


def test_interims_replace_each_other_and_finals_stand(wire: ListenWire) -> None:
    wire.audio(bytes(32000))
    assert told(wire.receive(results("hello"))) == [("hello", False)]
    assert told(wire.receive(results("hello there", duration=2.0, final=True))) == [("hello there", True)]
    (result,) = wire.receive(results("and so on", start=2.0, duration=1.5, final=True))
    assert (result.start_s, result.stop_s, result.confidence) == (2.0, 3.5, 0.99)


def test_speech_final_ends_the_turn_and_what_follows_opens_it_again(wire: ListenWire) -> None:
    wire.receive(results("hello", final=True))
    assert not is_over(wire)
    wire.receive(results("there", start=1.0, final=True, speech_final=True))
    assert is_over(wire)
    wire.receive(results("", start=2.0))
    assert is_over(wire)
    wire.receive(results("but", start=2.0))
    assert not is_over(wire)


def test_an_utterance_end_after_speech_final_says_nothing_new(wire: ListenWire) -> None:
    wire.receive(results("hello", final=True, speech_final=True))
    assert wire.receive(UTTERANCE_END) == []
    assert is_over(wire)


def test_an_utterance_end_where_noise_hid_the_silence_is_told_with_the_words_there_are(wire: ListenWire) -> None:
    wire.receive(results("hello", final=True))
    assert told(wire.receive(UTTERANCE_END)) == [("", False)]
    assert is_over(wire)
    assert told(wire.receive(SPEECH_STARTED)) == [("", False)]
    assert not is_over(wire)
    assert wire.receive(SPEECH_STARTED) == []
    wire.receive(results("and", start=1.0))
    assert told(wire.receive(UTTERANCE_END)) == [("and", False)]


def test_an_utterance_is_finished_when_finalize_is_answered(wire: ListenWire) -> None:
    wire.audio(bytes(16000))
    wire.receive(results("hello", duration=1.0))
    wire.finish()
    assert not wire.is_finished
    wire.receive(results("hello there", duration=2.0, final=True, from_finalize=True))
    assert wire.is_finished


def test_without_an_answer_it_is_finished_when_all_audio_is_told_of(wire: ListenWire) -> None:
    wire.audio(bytes(16000))
    wire.finish()
    wire.receive(results("hello", duration=1.0, final=True))
    assert not wire.is_finished
    wire.receive(results("", start=1.0, duration=1.0, final=True))
    assert wire.is_finished


def test_after_the_end_of_the_turn_no_answer_is_waited_for(wire: ListenWire) -> None:
    """`Finalize` need not be answered when next to nothing was buffered: the turn would fail by a timeout."""
    wire.audio(bytes(16000))
    wire.receive(results("hello", duration=1.7, final=True, speech_final=True))
    wire.finish()
    assert wire.is_finished


def test_words_that_are_not_final_are_waited_for(wire: ListenWire) -> None:
    wire.audio(bytes(16000))
    wire.receive(results("hello", duration=1.9))
    wire.finish()
    assert not wire.is_finished


def test_an_utterance_that_nothing_was_heard_of_is_waited_for(wire: ListenWire) -> None:
    wire.audio(bytes(800))
    wire.finish()
    assert not wire.is_finished


@pytest.mark.parametrize("duration", [1.0, 2.0, 2.0000001])
def test_what_still_comes_of_an_earlier_utterance_is_not_of_this_one(wire: ListenWire, duration: float) -> None:
    wire.audio(bytes(16000))
    wire.begin()
    assert wire.receive(results("late", duration=duration, final=True, speech_final=True, from_finalize=True)) == []
    assert not is_over(wire)
    wire.audio(bytes(16000))
    wire.finish()
    assert not wire.is_finished
    assert told(wire.receive(results("mine", start=2.0, duration=2.0, final=True))) == [("mine", True)]
    assert wire.is_finished


def test_audio_held_back_when_an_utterance_is_given_up_is_not_sent_with_the_next(wire: ListenWire) -> None:
    wire.audio(b"old")
    wire.begin()
    wire.audio(b"new")
    assert wire.finish()[0] == b"new"


def test_a_keep_alive_is_a_text_message(wire: ListenWire) -> None:
    assert wire.keep_alive() == ['{"type":"KeepAlive"}']
    assert wire.opening() == []


@pytest.mark.parametrize("frame", [METADATA, '{"type":"SomethingNew"}', '{"no":"type"}'])
def test_what_it_does_not_know_is_ignored(wire: ListenWire, frame: str) -> None:
    assert wire.receive(frame) == []


def test_an_error_is_the_services_and_quotes_nothing(wire: ListenWire) -> None:
    with pytest.raises(ProviderException) as caught:
        wire.receive('{"type":"Error","variant":"x","description":"I live in Elm Street","code":"NET-0001"}')
    assert caught.value.fault is Fault.TIMEOUT
    assert "NET-0001" in str(caught.value)
    assert "Elm" not in str(caught.value)


@given(frames(("Results", "UtteranceEnd", "SpeechStarted", "Error"), ("start", "duration", "is_final", "channel")))
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    recogniser_survives(ListenWire(SERVICE), received)
