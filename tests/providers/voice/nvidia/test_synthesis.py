from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException, TTSError
from providers.voice.nvidia.frames import END
from providers.voice.nvidia.synthesis import LONGEST_TEXT, SynthesisWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import WordTiming
from tests.fakes.protobuf import fields, message

SERVICE = Service(provider="nvidia", operation="tts", setting="NVIDIA_API_KEY")


def wire() -> SynthesisWire:
    return SynthesisWire(SERVICE, "en-US", "Aria")


def word(text: str, start_ms: int, stop_ms: int) -> bytes:
    return message(_1=text, _2=start_ms, _3=stop_ms)


def texts(frames: list[Frame]) -> list[str]:
    found = [fields(frame)[1][0] for frame in frames if isinstance(frame, bytes)]
    return [text.decode() for text in found if isinstance(text, bytes)]


def test_a_text_is_one_message_and_the_end() -> None:
    request, end = wire().speak("Good morning.")
    assert isinstance(request, bytes)
    assert fields(request) == {1: [b"Good morning."], 2: [b"en-US"], 3: [1], 4: [8000], 5: [b"Aria"], 9: [True]}
    assert end == END


def test_audio_passes_untouched_until_the_server_ends() -> None:
    call = wire()
    call.speak("Yes.")
    audio = bytes(range(256))
    assert call.receive(message(_1=audio[:101], _2=message(_1="Yes."))) == [audio[:101]]
    assert call.receive(message(_1=audio[101:])) == [audio[101:]]
    assert call.receive(message(_1=b"")) == []
    assert not call.is_finished
    assert call.receive(END) == []
    assert call.is_finished


@given(st.lists(st.text("ab.", min_size=1, max_size=250), min_size=1, max_size=60))
def test_a_long_text_goes_in_pieces_that_lose_nothing(words: list[str]) -> None:
    text = " ".join(words)
    pieces = texts(wire().speak(text))
    assert all(0 < len(piece) <= LONGEST_TEXT for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert len(pieces) > 1 or text == pieces[0]


def test_the_times_of_words_are_gathered_as_they_come() -> None:
    call = wire()
    call.speak("Good morning.")
    call.receive(message(_1=b"\0\0", _2=message(_9=[word("Good", 0, 250)])))
    call.receive(message(_1=b"\0\0", _2=message(_9=[word("morning.", 250, 900)])))
    assert call.timings == [WordTiming("Good", 0.0, 0.25), WordTiming("morning.", 0.25, 0.9)]


def test_the_times_of_a_text_in_pieces_are_not_told() -> None:
    call = wire()
    call.speak("word " * LONGEST_TEXT)
    call.receive(message(_1=b"\0\0", _2=message(_9=[word("word", 0, 250)])))
    assert call.timings == ()


@pytest.mark.parametrize("frame", [b"{no protobuf", message(_2="seventeen"), "text", END])
def test_what_cannot_be_read_and_a_speech_without_sound_are_faults_of_the_protocol(frame: Frame) -> None:
    call = wire()
    call.speak("Yes.")
    with pytest.raises(TTSError) as caught:
        call.receive(frame)
    assert caught.value.fault is Fault.PROTOCOL


def test_only_the_end_of_the_call_frees_the_server() -> None:
    call = wire()
    call.speak("Yes.")
    assert call.drop() is None  # type: ignore[func-returns-value]


@given(st.lists(st.one_of(st.text(), st.binary(), st.just(END)), max_size=5))
def test_whatever_comes_only_our_errors_leave(frames: list[Frame]) -> None:
    call = wire()
    call.speak("Yes.")
    for frame in frames:
        with suppress(ProviderException):
            call.receive(frame)
