from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException, TranscriptionError
from providers.voice.nvidia.frames import END
from providers.voice.nvidia.recognition import MESSAGE_BYTES, RecognitionWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult
from tests.fakes.protobuf import Value, fields, message

SERVICE = Service(provider="nvidia", operation="stt", setting="NVIDIA_API_KEY")
ONE_S = b"\x01\x00" * 8000


def wire(model: str = "") -> RecognitionWire:
    return RecognitionWire(SERVICE, "en-US", model)


def heard(seconds: int = 1) -> RecognitionWire:
    """A call over which so much audio has gone."""
    found = wire()
    found.audio(ONE_S * seconds)
    return found


def response(*results: bytes) -> bytes:
    return message(_1=list(results))


def result(text: str, *, is_final: bool = False, processed_s: float = 0.0, confidence: float = 0.5) -> bytes:
    return message(_1=message(_1=text, _2=confidence), _2=is_final, _3=0.9, _5=1, _6=processed_s)


def submessage(frame: Frame | Value, number: int) -> dict[int, list[Value]]:
    assert isinstance(frame, bytes)
    inner = fields(frame)[number][0]
    assert isinstance(inner, bytes)
    return fields(inner)


def told(results: list[TranscriptionResult]) -> list[tuple[str, bool]]:
    return [(result.text, result.is_final) for result in results]


def test_the_first_message_says_what_comes_and_the_next_bring_it() -> None:
    config, first, *_ = wire("parakeet").audio(ONE_S)
    streaming = submessage(config, 1)
    assert streaming[2] == [True]  # interim results
    assert fields(streaming[1][0]) == {1: [1], 2: [8000], 3: [b"en-US"], 4: [1], 7: [1], 11: [True], 13: [b"parakeet"]}  # type: ignore[arg-type]
    assert isinstance(first, bytes)
    assert fields(first) == {2: [ONE_S[:MESSAGE_BYTES]]}


def test_audio_goes_untouched_in_messages_of_one_size_and_a_rest() -> None:
    call = wire()
    audio = bytes(range(256)) * 40
    frames = [frame for at in range(0, len(audio), 320) for frame in call.audio(audio[at : at + 320])] + call.finish()
    assert frames[-1] == END
    pieces = [fields(frame)[2][0] for frame in frames[1:-1] if isinstance(frame, bytes)]
    assert [len(piece) for piece in pieces if isinstance(piece, bytes)] == [MESSAGE_BYTES] * 4
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == audio
    assert call.audio_s == len(audio) / 16000


def test_a_sound_shorter_than_a_message_goes_when_it_is_over() -> None:
    call = wire()
    assert call.audio(b"\x01\x00" * 80) == []
    config, audio, end = call.finish()
    assert isinstance(config, bytes)
    assert isinstance(audio, bytes)
    assert (fields(audio)[2], end) == ([b"\x01\x00" * 80], END)


def test_of_no_audio_nobody_is_asked() -> None:
    call = wire()
    assert call.finish() == []
    assert call.is_finished


def test_a_stable_beginning_and_its_tail_are_one_guess() -> None:
    call = heard()
    results = call.receive(response(result("hello wo", processed_s=0.5), result("rld", processed_s=0.5)))
    assert results == [TranscriptionResult("hello world", 0.0, 0.5)]


def test_a_final_result_stands_and_the_next_words_begin_where_it_ended() -> None:
    call = heard(3)
    (final,) = call.receive(response(result("One. ", is_final=True, processed_s=1.5)))
    assert final == TranscriptionResult("One.", 0.0, 1.5, is_final=True, confidence=0.5)
    (guess,) = call.receive(response(result("two", processed_s=2.0)))
    assert guess == TranscriptionResult("two", 1.5, 2.0)
    assert told(call.receive(response(result("Two.", is_final=True, processed_s=2.5), result("three")))) == [
        ("Two.", True),
        ("three", False),
    ]


def test_words_that_were_never_called_final_are_all_there_will_be() -> None:
    call = heard()
    call.receive(response(result("a table", processed_s=0.5)))
    call.receive(response(result("a table for two", processed_s=0.9)))
    call.finish()
    assert not call.is_finished
    assert call.receive(END) == [TranscriptionResult("a table for two", 0.0, 1.0, is_final=True)]
    assert call.is_finished


def test_what_was_called_final_is_not_told_again_at_the_end() -> None:
    call = heard()
    call.receive(response(result("yes")))
    call.receive(response(result("Yes.", is_final=True)))
    call.finish()
    assert call.receive(END) == []
    assert call.is_finished


def test_a_pause_that_the_server_hears_is_the_end_of_the_turn_until_words_come() -> None:
    call = heard(2)
    assert [is_over(call)] == [False]
    call.receive(response(result("One.", is_final=True)))
    assert is_over(call)
    call.receive(response())
    assert is_over(call)
    call.receive(response(result("and")))
    assert not is_over(call)


def is_over(call: RecognitionWire) -> bool:
    return call.vad is not None and call.vad.is_turn_complete


def test_a_server_that_does_not_say_how_far_it_is_is_taken_to_be_up_to_date() -> None:
    (final,) = heard(2).receive(response(result("Yes.", is_final=True)))
    assert final.stop_s == pytest.approx(heard(2).audio_s)


def test_a_result_is_never_ahead_of_the_audio_nor_behind_what_stands() -> None:
    call = heard(2)
    (first,) = call.receive(response(result("One.", is_final=True, processed_s=99.0)))
    (second,) = call.receive(response(result("two", processed_s=0.1)))
    assert first.stop_s == second.start_s == second.stop_s == call.audio_s


def test_a_call_that_ends_before_its_utterance_may_be_made_again() -> None:
    call = heard()
    call.receive(response(result("a table")))
    with pytest.raises(TranscriptionError) as caught:
        call.receive(END)
    assert caught.value.fault is Fault.UNAVAILABLE


@pytest.mark.parametrize(
    "frame",
    [b"{no protobuf", message(_1="seventeen"), response(message(_1=message(_1=b"\xff\xfe"))), "text"],
    ids=["garbage", "text for a message", "bytes that are no text", "text"],
)
def test_what_cannot_be_read_is_a_fault_of_the_protocol(frame: Frame) -> None:
    with pytest.raises(TranscriptionError) as caught:
        heard().receive(frame)
    assert caught.value.fault is Fault.PROTOCOL


def test_fields_that_are_not_known_here_do_not_matter() -> None:
    known = message(_1=message(_1="yes", _77="new"), _7=message(_1=0.5), _88=3)
    assert told(heard().receive(message(_1=known, _100=message(_1="id")))) == [("yes", False)]


@given(st.lists(st.one_of(st.text(), st.binary(), st.just(END)), max_size=5), st.booleans())
def test_whatever_comes_only_our_errors_leave(frames: list[Frame], finishing: bool) -> None:
    call = heard()
    if finishing:
        call.finish()
    for frame in frames:
        with suppress(ProviderException):
            call.receive(frame)


@given(st.lists(st.tuples(st.text(), st.booleans(), st.floats(width=32), st.floats(width=32)), max_size=6))
def test_results_of_any_content_lie_within_the_audio(content: list[tuple[str, bool, float, float]]) -> None:
    call = heard()
    for text, is_final, processed_s, confidence in content:
        frame = response(result(text, is_final=is_final, processed_s=processed_s, confidence=confidence))
        with suppress(ProviderException):
            for found in call.receive(frame):
                assert found.stop_s is not None
                assert 0.0 <= found.start_s <= found.stop_s <= call.audio_s
