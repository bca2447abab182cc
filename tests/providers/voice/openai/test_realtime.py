"""Realtime transcription, frame by frame as the reference shows them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException
from providers.voice.openai.realtime import RealtimeWire, Session
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from providers.voice.types import TranscriptionResult

SERVICE = Service(
    provider="openai",
    operation="stt",
    setting="OPENAI_API_KEY",
    model_setting="OPENAI_STT_MODEL",
    code_faults={"insufficient_quota": Fault.QUOTA, "session_expired": Fault.UNAVAILABLE},
)
LIVE = Session("gpt-live-transcribe", "en", finds_turns=False)
FINDING_TURNS = Session("gpt-transcribe", "en", finds_turns=True)


class Talk:
    """A wire that is set up, and the service's side of it."""

    def __init__(self, session: Session) -> None:
        self.wire = RealtimeWire(SERVICE, session)
        self.wire.opening()
        self.says("session.updated")
        self.wire.begin()

    def hears(self, seconds: float) -> list[dict[str, Any]]:
        return events(self.wire.audio(b"\x55" * round(8000 * seconds)))

    def says(self, type_: str, **fields: Any) -> list[TranscriptionResult]:
        return self.wire.receive(json.dumps({"type": type_, "event_id": "event_1"} | fields))

    def transcribes(self, what: str, item_id: str = "item_1", **fields: Any) -> list[TranscriptionResult]:
        return self.says(
            f"conversation.item.input_audio_transcription.{what}", item_id=item_id, content_index=0, **fields
        )

    def commits(self, item_id: str = "item_1") -> None:
        self.says("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)

    def finds(self, start_ms: int, stop_ms: int, item_id: str = "item_1") -> None:
        """A stretch of speech from one end to the other."""
        self.says("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms)
        self.says("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=stop_ms)
        self.commits(item_id)


def events(frames: list[Frame]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames]


def types(frames: list[Frame]) -> list[str]:
    return [event["type"].removeprefix("input_audio_buffer.") for event in events(frames)]


@pytest.mark.parametrize(("session", "turns"), [(LIVE, None), (FINDING_TURNS, {"type": "semantic_vad"})])
def test_a_session_is_set_up_before_anything_is_asked(session: Session, turns: object) -> None:
    wire = RealtimeWire(SERVICE, session)
    (update,) = events(wire.opening())
    assert update == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": session.model, "language": "en"},
                    "turn_detection": turns,
                }
            },
        },
    }
    wire.receive('{"type":"session.created","session":{"type":"transcription","id":"sess_1"}}')
    assert not wire.is_ready
    wire.receive('{"type":"session.updated","session":{"type":"transcription"}}')
    assert wire.is_ready


@given(st.lists(st.binary(max_size=3000)))
def test_no_byte_is_lost_or_changed_however_the_audio_is_cut(chunks: list[bytes]) -> None:
    talk = Talk(LIVE)
    frames = [frame for chunk in chunks for frame in talk.wire.audio(chunk)] + talk.wire.finish()
    appended = [event["audio"] for event in events(frames) if event["type"] == "input_audio_buffer.append"]
    assert b"".join(map(base64.b64decode, appended)) == b"".join(chunks)
    assert all(appended)
    assert talk.wire.audio_s == sum(map(len, chunks)) / 8000


def test_a_live_model_tells_words_at_once_and_the_rest_when_it_is_asked() -> None:
    talk = Talk(LIVE)
    talk.hears(1.0)
    assert talk.transcribes("delta", delta="Hel") == [TranscriptionResult("Hel", 0.0)]
    assert talk.transcribes("delta", delta="lo") == [TranscriptionResult("Hello", 0.0)]
    assert types(talk.wire.finish()) == ["commit"]
    assert not talk.wire.is_finished
    talk.commits()
    assert not talk.wire.is_finished
    assert talk.transcribes("completed", transcript="Hello. ") == [
        TranscriptionResult("Hello.", 0.0, 1.0, is_final=True)
    ]
    assert talk.wire.is_finished
    assert talk.wire.vad is None


def test_the_next_utterance_begins_where_the_last_one_ended() -> None:
    talk = Talk(LIVE)
    talk.hears(1.0)
    talk.wire.finish()
    talk.commits()
    talk.transcribes("completed", transcript="One.")
    talk.wire.begin()
    assert not talk.wire.is_finished
    talk.hears(0.5)
    talk.wire.finish()
    talk.commits("item_2")
    assert talk.transcribes("completed", "item_2", transcript="Two.") == [
        TranscriptionResult("Two.", 1.0, 1.5, is_final=True)
    ]


def test_a_model_that_finds_turns_says_when_the_caller_has_finished() -> None:
    talk = Talk(FINDING_TURNS)
    talk.hears(2.0)
    talk.says("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=400)
    assert talk.wire.vad is not None
    assert not talk.wire.vad.is_turn_complete
    talk.says("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=1600)
    assert talk.wire.vad.is_turn_complete
    assert talk.wire.vad.total_duration_s == 2.0
    talk.commits()
    assert talk.transcribes("delta", delta="Yes.") == [TranscriptionResult("Yes.", 0.4, 1.6)]
    assert types(talk.wire.finish()) == []  # only silence is left
    assert not talk.wire.is_finished
    assert talk.transcribes("completed", transcript="Yes.") == [TranscriptionResult("Yes.", 0.4, 1.6, is_final=True)]
    assert talk.wire.is_finished


def test_speech_that_goes_on_is_asked_for() -> None:
    talk = Talk(FINDING_TURNS)
    talk.hears(2.0)
    talk.finds(0, 900)
    talk.says("input_audio_buffer.speech_started", item_id="item_2", audio_start_ms=1200)
    assert types(talk.wire.finish()) == ["commit"]
    talk.commits("item_2")
    talk.transcribes("completed", transcript="One.")
    assert not talk.wire.is_finished
    assert talk.transcribes("completed", "item_2", transcript="Two.") == [
        TranscriptionResult("Two.", 1.2, 2.0, is_final=True)
    ]
    assert talk.wire.is_finished


def test_what_is_completed_out_of_order_is_told_in_order() -> None:
    talk = Talk(FINDING_TURNS)
    talk.hears(3.0)
    talk.finds(0, 900, "item_1")
    talk.finds(1000, 1900, "item_2")
    talk.finds(2000, 2900, "item_3")
    assert talk.transcribes("completed", "item_2", transcript="Two.") == []
    told = talk.transcribes("completed", "item_1", transcript="One.")
    assert [(result.text, result.is_final) for result in told] == [("One.", True), ("Two.", True)]
    talk.wire.finish()
    assert not talk.wire.is_finished
    assert [result.text for result in talk.transcribes("completed", "item_3", transcript="Three.")] == ["Three."]


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_what_comes_late_of_an_earlier_utterance_is_not_of_this_one(end: str) -> None:
    talk = Talk(FINDING_TURNS)
    talk.hears(1.0)
    talk.finds(0, 900)
    talk.wire.begin()
    talk.says("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=1000)
    assert talk.wire.vad is not None
    assert not talk.wire.vad.is_turn_complete
    assert talk.transcribes("delta", delta="Old") == []
    assert talk.transcribes(end, transcript="Old.", error={"type": "server_error"}) == []
    talk.wire.finish()
    assert talk.wire.is_finished


def test_nothing_to_commit_is_nothing_to_wait_for() -> None:
    talk = Talk(LIVE)
    talk.hears(0.05)
    assert types(talk.wire.finish()) == ["append", "commit"]
    talk.says("error", error={"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty"})
    assert talk.wire.is_finished
    talk.wire.begin()
    assert talk.wire.finish() == []
    assert talk.wire.is_finished


def test_events_nobody_has_heard_of_are_ignored() -> None:
    talk = Talk(LIVE)
    assert talk.says("conversation.item.added", item={"id": "item_1"}) == []
    assert talk.says("input_audio_buffer.dtmf_event_received", event="9") == []
    assert talk.says("rate_limits.updated", rate_limits=[]) == []


@pytest.mark.parametrize(
    ("error", "fault", "setting"),
    [
        ({"type": "invalid_request_error", "code": "invalid_value"}, Fault.BAD_REQUEST, "OPENAI_STT_MODEL"),
        ({"type": "invalid_request_error", "code": "session_expired"}, Fault.UNAVAILABLE, ""),
        ({"type": "server_error", "code": None}, Fault.UNAVAILABLE, ""),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, Fault.QUOTA, "OPENAI_API_KEY"),
        ({}, Fault.UNAVAILABLE, ""),
    ],
)
def test_what_the_service_refuses_is_an_error_in_our_words(
    error: dict[str, object], fault: Fault, setting: str
) -> None:
    with pytest.raises(ProviderException) as caught:
        Talk(LIVE).says("error", error=error | {"message": "secret", "param": None, "event_id": None})
    assert (caught.value.fault, caught.value.setting) == (fault, setting)
    assert "secret" not in str(caught.value)


def test_an_item_that_fails_is_an_error() -> None:
    talk = Talk(LIVE)
    talk.commits()
    with pytest.raises(ProviderException, match="audio_unintelligible") as caught:
        talk.transcribes("failed", error={"type": "transcription_error", "code": "audio_unintelligible"})
    assert caught.value.retryable


_TYPES = st.sampled_from(
    ["error", "session.updated"]
    + [f"input_audio_buffer.{name}" for name in ("speech_started", "speech_stopped", "committed")]
    + [f"conversation.item.input_audio_transcription.{name}" for name in ("delta", "completed", "failed")]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["item_1", "item_2"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(["item_id", "delta", "transcript", "audio_start_ms", "audio_end_ms", "error", "code"])
_MESSAGES = st.builds(
    lambda type_, fields: json.dumps(fields | {"type": type_}), _TYPES, st.dictionaries(_NAMES, _VALUES)
)


@given(st.lists(st.text() | st.binary() | _MESSAGES | _VALUES.map(json.dumps)), st.booleans())
def test_whatever_comes_nothing_but_our_own_errors_come_out(frames: list[Frame], finds_turns: bool) -> None:
    wire = RealtimeWire(SERVICE, FINDING_TURNS if finds_turns else LIVE)
    wire.begin()
    for frame in frames:
        try:
            results = wire.receive(frame)
        except ProviderException:
            continue
        assert all(isinstance(result, TranscriptionResult) for result in results)
    wire.finish()
    assert isinstance(wire.is_finished, bool)
