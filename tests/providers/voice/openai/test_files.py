"""What is posted to have a file recognised or a text spoken, and what the answers say."""

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException
from providers.voice.openai import files
from providers.voice.remote.service import Service

SERVICE = Service(provider="openai", operation="stt", setting="OPENAI_API_KEY")


@given(st.binary(max_size=1000), st.sampled_from([8000, 16000]))
def test_the_file_holds_the_very_samples(pcm16: bytes, rate_hz: int) -> None:
    with wave.open(io.BytesIO(files.wav(pcm16, rate_hz))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate_hz)
        assert file.readframes(file.getnframes()) == pcm16[: len(pcm16) // 2 * 2]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"text":"Hello.","usage":{"type":"duration","seconds":2}}', "Hello."),
        (b'{"text":" Hi \\n","logprobs":[],"languages":["en"]}', "Hi"),
        (b'{"text":""}', ""),
    ],
)
def test_the_answer_holds_the_words(body: bytes, text: str) -> None:
    assert files.transcript(SERVICE, body) == text


@given(st.binary() | st.sampled_from([b"[]", b"{}", b'{"text":7}', b'{"text":null}', b"Hello."]))
def test_an_answer_that_is_none_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(ProviderException) as caught:
        files.transcript(SERVICE, body)
    assert caught.value.fault is Fault.PROTOCOL


def test_a_text_is_spoken_in_as_few_requests_as_are_allowed() -> None:
    assert files.speech("tts-1", "alloy", "Good morning.") == [
        {"model": "tts-1", "voice": "alloy", "input": "Good morning.", "response_format": "pcm"}
    ]
    assert files.speech("tts-1", "alloy", " ") == []


@given(st.lists(st.text("abc", min_size=1, max_size=300), max_size=100).map(" ".join))
def test_a_long_text_is_cut_between_words(text: str) -> None:
    pieces = [request["input"] for request in files.speech("tts-1", "alloy", text)]
    assert all(0 < len(piece) <= files.LONGEST_TEXT for piece in pieces)
    assert " ".join(pieces) == text
