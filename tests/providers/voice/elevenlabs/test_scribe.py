import base64
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given

from providers.errors import Fault, TranscriptionError
from providers.voice.elevenlabs.provider import _LISTENING as LISTENING
from providers.voice.elevenlabs.scribe import FAILURES, Commit, ScribeWire
from providers.voice.remote.sansio import Frame
from tests.providers.voice.garbage import frames, recogniser_survives
from tests.providers.voice.messages import read

STARTED = {"message_type": "session_started", "session_id": "s-1", "config": {"sample_rate": 8000}}


def wire(commit: Commit = Commit.MANUAL) -> ScribeWire:
    made = ScribeWire(LISTENING, commit, pause_s=0.5)
    made.begin()
    return made


def partial(text: str) -> dict[str, Any]:
    return {"message_type": "partial_transcript", "text": text}


def committed(text: str) -> dict[str, Any]:
    return {"message_type": "committed_transcript", "text": text}


def sent(messages: Sequence[Frame]) -> list[tuple[int, bool]]:
    """The audio in bytes, and whether it is committed, message by message."""
    found = [orjson.loads(message) for message in messages]
    return [(len(base64.b64decode(message["audio_base_64"])), message["commit"]) for message in found]


def test_it_is_ready_once_the_session_has_started() -> None:
    scribe = wire()
    assert not scribe.is_ready
    read(scribe, STARTED)
    assert scribe.is_ready


def test_audio_goes_in_messages_of_100_ms_and_the_rest_with_the_commit() -> None:
    scribe = wire()
    assert sent(scribe.audio(b"\x55" * 790)) == []
    assert sent(scribe.audio(b"\x55" * 900)) == [(800, False), (800, False)]
    assert sent(scribe.finish()) == [(90, True)]
    assert scribe.audio_s == pytest.approx(1690 / 8000)


def test_partial_transcripts_replace_each_other_until_they_are_committed() -> None:
    scribe = wire()
    scribe.audio(b"\x55" * 8000)
    results = read(scribe, partial("i would"), partial("I would like"))
    scribe.finish()
    assert not scribe.is_finished
    results += read(scribe, committed("I would like a table."))
    assert [(result.text, result.is_final) for result in results] == [
        ("i would", False),
        ("I would like", False),
        ("I would like a table.", True),
    ]
    assert (results[-1].start_s, results[-1].stop_s) == (0.0, 1.0)
    assert scribe.is_finished


def test_what_the_service_commits_by_itself_ends_where_it_grew_quiet() -> None:
    scribe = wire(Commit.VAD)
    scribe.audio(b"\x55" * 16000)
    [first] = read(scribe, committed("Hello."))
    scribe.audio(b"\x55" * 8000)
    [second] = read(scribe, partial("are you"))
    assert (first.start_s, first.stop_s, second.start_s) == (0.0, 1.5, 1.5)
    assert not scribe.is_finished


def test_with_nothing_left_to_commit_there_is_nothing_to_wait_for() -> None:
    scribe = wire(Commit.VAD)
    scribe.audio(b"\x55" * 16000)
    read(scribe, committed("Hello."))
    scribe.finish()
    assert not read(scribe, {"message_type": "commit_throttled", "error": "only 0.01s of uncommitted audio"})
    assert scribe.is_finished


def test_a_throttled_commit_of_an_earlier_utterance_ends_nothing() -> None:
    scribe = wire()
    read(scribe, {"message_type": "commit_throttled", "error": "…"})
    scribe.finish()
    assert not scribe.is_finished


def test_its_own_voice_detection_says_when_the_turn_is_over() -> None:
    scribe = wire(Commit.VAD)
    assert scribe.vad is not None
    assert not scribe.vad.is_turn_complete
    read(scribe, partial("hello"), committed("Hello."))
    assert scribe.vad.is_turn_complete
    read(scribe, partial(""))
    assert scribe.vad.is_turn_complete
    read(scribe, partial("and"))
    assert not scribe.vad.is_turn_complete


def test_without_it_there_is_no_view_of_the_turn() -> None:
    scribe = wire()
    read(scribe, committed("Hello."))
    assert scribe.vad is None


def test_silence_keeps_the_connection_alive() -> None:
    assert sent(wire().keep_alive()) == [(800, False)]


@pytest.mark.parametrize("kind", sorted(FAILURES))
def test_failures_are_told_by_their_kind(kind: str) -> None:
    expected = {
        "auth_error": Fault.AUTHENTICATION,
        "unaccepted_terms": Fault.AUTHENTICATION,
        "quota_exceeded": Fault.QUOTA,
        "rate_limited": Fault.RATE_LIMIT,
        "input_error": Fault.BAD_REQUEST,
        "invalid_request": Fault.BAD_REQUEST,
        "chunk_size_exceeded": Fault.BAD_REQUEST,
    }
    with pytest.raises(TranscriptionError, match=kind) as caught:
        read(wire(), {"message_type": kind, "error": "somebody said secret words"})
    assert caught.value.fault is expected.get(kind, Fault.UNAVAILABLE)
    assert "secret" not in str(caught.value)


def test_messages_of_other_kinds_are_passed_over() -> None:
    others = ("committed_transcript_with_timestamps", "warning", "edited_transcript", "what comes next year")
    assert not read(wire(), *({"message_type": kind, "text": "Hello."} for kind in others))


@given(
    frames(
        ["session_started", "partial_transcript", "committed_transcript", "commit_throttled", *FAILURES],
        ["text", "error"],
    )
)
def test_whatever_comes_only_our_errors_go_out(messages: list[Frame]) -> None:
    named = [
        message.replace('"type"', '"message_type"') if isinstance(message, str) else message for message in messages
    ]
    recogniser_survives(wire(), named)
