from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, TranscriptionError
from providers.voice.assemblyai.listen import TurnsWire
from providers.voice.assemblyai.provider import _LISTENING as LISTENING
from providers.voice.remote.sansio import Frame
from tests.providers.voice.garbage import frames, recogniser_survives
from tests.providers.voice.messages import read

FORCE = {"type": "ForceEndpoint"}


def wire(audio_s: float = 0.0) -> TurnsWire:
    made = TurnsWire(LISTENING)
    read(made, {"type": "Begin", "id": "s-1", "expires_at": 1_800_000_000})
    made.begin()
    made.audio(b"\x55" * round(audio_s * 8000))
    return made


def turn(words: str, *, order: int = 0, start_ms: int = 480, ended: bool = False, formatted: bool = False) -> Any:
    spelled = words.split()
    return {
        "type": "Turn",
        "turn_order": order,
        "turn_is_formatted": formatted,
        "end_of_turn": ended,
        "transcript": " ".join(spelled if ended else spelled[:-1]),
        "end_of_turn_confidence": 0.6,
        "words": [
            {
                "start": start_ms + 200 * n,
                "end": start_ms + 200 * n + 160,
                "text": word,
                "word_is_final": ended or n < len(spelled) - 1,
            }
            for n, word in enumerate(spelled)
        ],
    }


def heartbeat(received_ms: int, speech: float = 0.1) -> Any:
    return {"type": "Heartbeat", "total_audio_received_ms": received_ms, "max_speech_probability": speech}


def sizes(messages: Sequence[Frame]) -> list[object]:
    """Audio by its size, text by what it says."""
    return [len(message) if isinstance(message, bytes) else orjson.loads(message) for message in messages]


def test_it_is_ready_once_the_session_has_begun() -> None:
    made = TurnsWire(LISTENING)
    assert not made.is_ready
    read(made, {"type": "Begin", "id": "s-1"})
    assert made.is_ready


def test_audio_goes_in_messages_of_100_ms_and_a_backlog_in_long_ones() -> None:
    made = wire()
    assert sizes(made.audio(b"\x55" * 700)) == []
    assert sizes(made.audio(b"\x55" * 160)) == [860]
    assert sizes(made.audio(b"\x55" * 8100)) == [8000]


def test_the_last_message_is_long_enough_to_be_taken() -> None:
    made = wire()
    made.audio(b"\x55" * 100)
    [last, force] = made.finish()
    assert last == b"\x55" * 100 + b"\xff" * 300
    assert sizes([force]) == [FORCE]


@given(st.lists(st.integers(0, 9000)))
def test_every_message_is_of_a_length_the_service_takes_and_none_is_lost(chunks: list[int]) -> None:
    made = wire()
    messages = [message for size in chunks for message in made.audio(b"\x55" * size)] + made.finish()
    audio = [message for message in messages if isinstance(message, bytes)]
    assert all(400 <= len(message) <= 8000 for message in audio)
    assert b"".join(audio).rstrip(b"\xff") == b"\x55" * sum(chunks)
    assert made.audio_s == sum(map(len, audio)) / 8000


def test_words_are_told_at_once_and_stand_when_they_will_not_change() -> None:
    results = read(wire(2.0), turn("eye"), turn("i would"), turn("i would"), turn("i would like two"))
    assert [(result.text, result.is_final) for result in results] == [
        ("eye", False),
        ("i", True),
        ("would", False),
        ("would", False),
        ("would like", True),
        ("two", False),
    ]
    assert (results[-2].start_s, results[-2].stop_s) == (0.68, 1.04)


def test_the_first_end_of_a_turn_counts_and_the_formatted_one_adds_nothing() -> None:
    made = wire(2.0)
    [result] = read(made, turn("i would", ended=True), turn("I would.", ended=True, formatted=True))
    assert (result.text, result.is_final, result.start_s, result.stop_s) == ("i would", True, 0.48, 0.84)
    assert made.vad.is_turn_complete
    read(made, turn("and", order=1, start_ms=1500))
    assert not made.vad.is_turn_complete


def test_an_open_turn_is_forced_to_end_and_waited_for() -> None:
    made = wire(2.0)
    read(made, turn("i would"))
    assert sizes(made.finish()) == [FORCE]
    assert not made.is_finished
    read(made, turn("i would", ended=True))
    assert made.is_finished


def test_a_turn_that_has_ended_by_itself_is_not_waited_for() -> None:
    made = wire(2.0)
    read(made, turn("i would", ended=True))
    assert sizes(made.finish()) == []
    assert made.is_finished


def test_where_nothing_was_said_a_heartbeat_ends_the_waiting() -> None:
    made = wire(2.0)
    read(made, heartbeat(2000))
    made.finish()
    assert not made.is_finished
    read(made, heartbeat(1900))
    assert not made.is_finished  # there is audio it has not heard
    read(made, heartbeat(2000, speech=0.9))
    assert not made.is_finished  # there is speech whose words are still to come
    read(made, heartbeat(2000))
    assert made.is_finished


def test_turns_of_an_earlier_utterance_are_not_of_this_one() -> None:
    made = wire(2.0)
    read(made, turn("i would"))
    made.begin()
    assert read(made, turn("i would", ended=True), turn("i would", ended=True, formatted=True)) == []
    assert not made.vad.is_turn_complete
    assert [result.text for result in read(made, turn("new", order=1, start_ms=2100))] == ["new"]


def test_a_turn_without_words_is_not_open() -> None:
    made = wire(2.0)
    assert read(made, turn("")) == []
    read(made, turn("yes", ended=True))
    made.finish()
    assert made.is_finished


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (1008, Fault.AUTHENTICATION),
        (3005, Fault.UNAVAILABLE),
        (3006, Fault.BAD_REQUEST),
        (3007, Fault.PROTOCOL),
        (3008, Fault.UNAVAILABLE),
        (3009, Fault.RATE_LIMIT),
    ],
)
def test_failures_are_told_in_a_message_or_by_a_close_alone(code: int, fault: Fault) -> None:
    with pytest.raises(TranscriptionError, match=str(code)) as caught:
        read(wire(), {"type": "Error", "error_code": code, "error": "secret"})
    assert caught.value.fault is LISTENING.closed(code).fault is fault
    assert "secret" not in str(caught.value)


def test_messages_of_other_kinds_are_passed_over() -> None:
    kinds = ("SpeechStarted", "Silence", "Warning", "SpeakerRevision", "LLMGatewayResponse", "Termination", "new")
    assert not read(wire(), *({"type": kind, "turn_order": "x"} for kind in kinds))


@given(
    frames(
        ["Begin", "Turn", "Heartbeat", "Error"],
        ["turn_order", "end_of_turn", "transcript", "words", "total_audio_received_ms", "error_code"],
    )
)
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    recogniser_survives(wire(), messages)
