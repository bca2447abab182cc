import base64
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given

from providers.errors import Fault, TTSError
from providers.voice.elevenlabs.contexts import ContextsWire
from providers.voice.elevenlabs.provider import _SPEAKING as SPEAKING
from providers.voice.remote.sansio import Frame
from tests.providers.voice.garbage import frames, synthesiser_survives
from tests.providers.voice.messages import read


def speaking(text: str = "Hello there.") -> ContextsWire:
    wire = ContextsWire(SPEAKING)
    wire.speak(text)
    return wire


def speech(context: str, audio: bytes | None = None, **rest: Any) -> dict[str, Any]:
    encoded = None if audio is None else base64.b64encode(audio).decode()
    return {"audio": encoded, "isFinal": None, "contextId": context} | rest


def final(context: str) -> dict[str, Any]:
    return {"isFinal": True, "contextId": context}


def sent(messages: Sequence[Frame] | None) -> list[Any]:
    return [orjson.loads(message) for message in messages or ()]


def test_a_text_is_a_context_that_opens_speaks_and_closes() -> None:
    wire = ContextsWire(SPEAKING)
    assert sent(wire.speak("Hello there.")) == [
        {"context_id": "t1", "text": " "},
        {"context_id": "t1", "text": "Hello there. ", "flush": True},
        {"context_id": "t1", "close_context": True},
    ]
    assert sent(wire.speak("And you?"))[0]["context_id"] == "t2"


def test_audio_comes_until_the_context_is_final() -> None:
    wire = speaking()
    assert read(wire, speech("t1", b"\x01\x02"), speech("t1", b"\x03"), speech("t1"), speech("t1", b"")) == [
        b"\x01\x02",
        b"\x03",
    ]
    assert not wire.is_finished
    assert read(wire, final("t1")) == []
    assert wire.is_finished


def test_what_comes_late_of_a_dropped_context_is_not_heard() -> None:
    wire = speaking()
    assert sent(wire.drop()) == [{"context_id": "t1", "close_context": True}]
    assert read(wire, speech("t1", b"\x01")) == []
    wire.speak("Next.")
    assert read(wire, speech("t1", b"\x01"), final("t1"), speech("t2", b"\x02")) == [b"\x02"]
    assert not wire.is_finished


def test_too_many_dropped_contexts_go_with_the_connection() -> None:
    wire = speaking()
    for _ in range(3):
        assert wire.drop() is not None
        wire.speak("Again.")
    assert wire.drop() is None


def test_dropped_contexts_that_are_gone_make_room() -> None:
    wire = speaking()
    for number in range(1, 10):
        assert wire.drop() is not None
        read(wire, final(f"t{number}"))
        wire.speak("Again.")


@pytest.mark.parametrize("durations", ["charDurationsMs", "charsDurationsMs"])
def test_character_times_become_those_of_words_over_chunks(durations: str) -> None:
    wire = speaking("Hi you")
    first = {"chars": list("Hi yo"), "charStartTimesMs": [0, 100, 150, 200, 300], durations: [100, 50, 50, 100, 100]}
    second = {"chars": ["u", " "], "charStartTimesMs": [0, 80], durations: [80, 20]}
    read(wire, speech("t1", b"\x55" * 3200, alignment=first), speech("t1", b"\x55" * 800, alignment=second))
    assert [timing.word for timing in wire.timings] == ["Hi", "you"]
    assert [timing.start_s for timing in wire.timings] == pytest.approx([0.0, 0.2])
    assert [timing.stop_s for timing in wire.timings] == pytest.approx([0.15, 0.48])
    wire.speak("More.")
    assert not wire.timings


def test_failures_are_told_by_their_name() -> None:
    with pytest.raises(TTSError, match="max_active_conversations") as caught:
        read(speaking(), {"message": "secret", "error": "max_active_conversations", "code": 1008})
    assert caught.value.fault is Fault.RATE_LIMIT
    assert "secret" not in str(caught.value)


def test_audio_that_cannot_be_decoded_is_garbled() -> None:
    with pytest.raises(TTSError) as caught:
        read(speaking(), speech("t1") | {"audio": "a"})
    assert caught.value.fault is Fault.PROTOCOL


@given(frames(["t1", "t2"], ["audio", "isFinal", "alignment", "error"]))
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    named = [message.replace('"type"', '"contextId"') if isinstance(message, str) else message for message in messages]
    synthesiser_survives(speaking(), named)
