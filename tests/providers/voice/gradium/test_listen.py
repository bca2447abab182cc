import base64
from typing import Any

import orjson
import pytest
from hypothesis import given

from providers.errors import Fault, TranscriptionError
from providers.voice.gradium.listen import ListenWire
from providers.voice.gradium.provider import _LISTENING as LISTENING
from providers.voice.remote.sansio import Frame
from providers.voice.types import VADInfo
from tests.providers.voice.garbage import frames, recogniser_survives
from tests.providers.voice.messages import read

READY = {"type": "ready", "request_id": "r-1", "sample_rate": 24000, "frame_size": 1920, "delay_in_frames": 10}
STEP = 640
"""Bytes of μ-law in 80 ms."""


def wire() -> ListenWire:
    made = ListenWire(LISTENING, "default", "en", delay_frames=10)
    read(made, READY)
    made.begin()
    return made


def word(text: str, start_s: float) -> dict[str, Any]:
    return {"type": "text", "text": text, "start_s": start_s, "stream_id": 0}


def word_end(stop_s: float) -> dict[str, Any]:
    return {"type": "end_text", "stop_s": stop_s, "stream_id": 0}


def step(over: float, total_s: float, number: int = 25) -> dict[str, Any]:
    views = [(0.5, 0.1), (1.0, 0.2), (2.0, over), (3.0, 0.3)]
    return {
        "type": "step",
        "step_idx": number,
        "step_duration_s": 0.08,
        "total_duration_s": total_s,
        "vad": [{"horizon_s": horizon_s, "inactivity_prob": prob} for horizon_s, prob in views],
    }


def test_the_setup_is_the_first_message() -> None:
    made = ListenWire(LISTENING, "default", "fr", delay_frames=8)
    assert not made.is_ready
    assert [orjson.loads(message) for message in made.opening()] == [
        {
            "type": "setup",
            "model_name": "default",
            "input_format": "ulaw_8000",
            "json_config": {"language": "fr", "delay_in_frames": 8},
        }
    ]
    read(made, READY)
    assert made.is_ready


def test_audio_goes_in_steps_and_the_end_with_silence_and_a_flush() -> None:
    made = wire()
    assert len(made.audio(b"\x55" * (STEP - 1))) == 0
    assert len(made.audio(b"\x55" * (STEP + 2))) == 2
    *audio, flush = [orjson.loads(message) for message in made.finish()]
    sent = b"".join(base64.b64decode(message["audio"]) for message in audio)
    assert sent == b"\x55" + b"\xff" * 2 * STEP
    assert flush == {"type": "flush", "flush_id": 1}
    assert made.audio_s == pytest.approx((4 * STEP + 1) / 8000)


def test_a_word_stands_once_it_has_ended() -> None:
    results = read(wire(), word("hello", 0.48), word_end(0.92), word("there", 1.0), word_end(1.2))
    assert [(result.text, result.start_s, result.stop_s, result.is_final) for result in results] == [
        ("hello", 0.48, None, False),
        ("hello", 0.48, 0.92, True),
        ("there", 1.0, None, False),
        ("there", 1.0, 1.2, True),
    ]


def test_a_word_that_never_ends_ends_with_the_next_and_the_last_with_the_flush() -> None:
    made = wire()
    made.finish()
    results = read(made, word("hello", 0.5), word("there", 1.0), {"type": "flushed", "flush_id": 1})
    assert [(result.text, result.stop_s) for result in results if result.is_final] == [("hello", 1.0), ("there", 1.0)]


def test_another_reading_of_a_word_replaces_it() -> None:
    results = read(wire(), word("their", 0.5), word("there", 0.5), word_end(0.9))
    assert [result.text for result in results if result.is_final] == ["there"]


def test_it_is_finished_once_its_own_flush_is_answered() -> None:
    made = wire()
    for number in (1, 2):
        made.begin()
        made.finish()
        read(made, {"type": "flushed", "flush_id": number - 1})
        assert not made.is_finished
        read(made, {"type": "flushed", "flush_id": number})
        assert made.is_finished


def test_the_view_of_the_turn_is_that_of_two_seconds_and_counts_from_the_first_word_on() -> None:
    made = wire()
    read(made, step(0.9, 1.0))
    assert made.vad is None
    read(made, word("hello", 0.48), step(0.4, 1.9, 24), step(0.7, 2.0))
    view: VADInfo | None = made.vad
    assert view == VADInfo(inactivity_prob=0.7, horizon_s=2.0, step_idx=25, total_duration_s=2.0)
    made.begin()
    assert made.vad is None


def test_words_and_views_of_an_earlier_utterance_are_not_of_this_one() -> None:
    made = wire()
    made.audio(b"\x55" * 8000)
    made.begin()
    results = read(made, word("late", 0.5), word_end(0.7), word("new", 1.1), step(0.9, total_s=0.9))
    assert [result.text for result in results] == ["new"]
    assert made.vad is None


@pytest.mark.parametrize(
    ("code", "is_ready", "fault"),
    [
        (1008, False, Fault.AUTHENTICATION),
        (1008, True, Fault.UNAVAILABLE),
        (1011, True, Fault.UNAVAILABLE),
        (None, False, Fault.UNAVAILABLE),
    ],
)
def test_before_it_is_ready_a_refusal_is_about_the_key(code: int | None, is_ready: bool, fault: Fault) -> None:
    made = wire() if is_ready else ListenWire(LISTENING, "default", "en", delay_frames=10)
    with pytest.raises(TranscriptionError) as caught:
        read(made, {"type": "error", "message": "secret", "code": code})
    assert caught.value.fault is fault
    assert (caught.value.setting == "GRADIUM_API_KEY") == (fault is Fault.AUTHENTICATION)
    assert "secret" not in str(caught.value)


def test_messages_of_other_kinds_are_passed_over() -> None:
    assert not read(wire(), {"type": "end_of_stream"}, {"type": "what comes next year", "text": 5})


@given(
    frames(
        ["ready", "text", "end_text", "step", "flushed", "error"],
        ["text", "start_s", "stop_s", "vad", "flush_id", "code", "total_duration_s"],
    )
)
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    recogniser_survives(wire(), messages)
