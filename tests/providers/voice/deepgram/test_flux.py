import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import ProviderException
from providers.voice.deepgram.flux import FluxWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from tests.providers.voice.garbage import frames, recogniser_survives, told

SERVICE = Service(provider="deepgram", operation="stt", setting="DEEPGRAM_API_KEY")
FORCE_END = '{"type":"ForceEndTurn"}'


def info(event: str, text: str = "", *, turn: int = 0, end_s: float = 1.0, trigger: str | None = None) -> str:
    """As the service sends it, with all that we do not read."""
    words = [{"word": word, "confidence": 0.5, "start": 0.4, "end": 0.5} for word in text.split()]
    return json.dumps(
        {
            "type": "TurnInfo",
            "request_id": "uuid",
            "sequence_id": 7,
            "event": event,
            "turn_index": turn,
            "audio_window_start": 0.0,
            "audio_window_end": end_s,
            "transcript": text,
            "words": words,
            "end_of_turn_confidence": 0.12,
            "trigger": trigger,
            "languages": ["en"],
        }
    )


@pytest.fixture
def wire() -> FluxWire:
    wire = FluxWire(SERVICE)
    wire.begin()
    return wire


def is_over(wire: FluxWire) -> bool:
    return wire.vad is not None and wire.vad.is_turn_complete


@given(chunks=st.lists(st.binary(max_size=2000)))
def test_audio_goes_untouched_in_messages_of_80_ms(chunks: list[bytes]) -> None:
    wire = FluxWire(SERVICE)
    sent = [frame for chunk in chunks for frame in wire.audio(chunk)]
    assert {len(frame) for frame in sent} <= {640}
    heard_s = wire.audio_s
    frames = [frame for frame in [*sent, *wire.finish()] if isinstance(frame, bytes)]
    whole = b"".join(chunks)
    assert b"".join(frames)[: len(whole)] == whole
    assert set(b"".join(frames)[len(whole) :]) <= {0xFF}
    assert wire.audio_s >= heard_s


def test_a_turn_is_told_word_by_word_and_ends(wire: FluxWire) -> None:
    wire.receive('{"type":"Connected","request_id":"uuid","sequence_id":0}')
    assert wire.receive(info("Update")) == []
    assert told(wire.receive(info("StartOfTurn", "i"))) == [("i", False)]
    assert told(wire.receive(info("Update", "i would like"))) == [("i would like", False)]
    assert wire.receive(info("Update", "i would like")) == []
    assert not is_over(wire)
    (result,) = wire.receive(info("EndOfTurn", "I would like it.", end_s=2.0, trigger="model"))
    assert (result.text, result.is_final, result.start_s, result.stop_s) == ("I would like it.", True, 0.4, 2.0)
    assert result.confidence == 0.5
    assert is_over(wire)


def test_an_early_end_is_undone_when_the_caller_goes_on(wire: FluxWire) -> None:
    wire.receive(info("StartOfTurn", "a table"))
    assert told(wire.receive(info("EagerEndOfTurn", "a table"))) == [("a table", False)]
    assert is_over(wire)
    assert told(wire.receive(info("TurnResumed", "a table"))) == [("a table", False)]
    assert not is_over(wire)
    wire.receive(info("Update", "a table for two"))
    assert told(wire.receive(info("EagerEndOfTurn", "a table for two"))) == [("a table for two", False)]
    assert told(wire.receive(info("EndOfTurn", "a table for two", trigger="model"))) == [("a table for two", True)]
    assert is_over(wire)


def test_one_utterance_of_ours_may_hold_several_turns(wire: FluxWire) -> None:
    wire.receive(info("EndOfTurn", "Hello.", turn=0))
    wire.receive(info("StartOfTurn", "are", turn=1))
    assert not is_over(wire)
    assert told(wire.receive(info("EndOfTurn", "Are you open?", turn=1))) == [("Are you open?", True)]


def test_after_flux_ended_the_turn_an_utterance_is_finished_at_once(wire: FluxWire) -> None:
    wire.audio(bytes(8000))
    wire.receive(info("EndOfTurn", "Hello.", end_s=0.9, trigger="model"))
    assert FORCE_END not in wire.finish()
    assert wire.is_finished


def test_an_open_turn_is_ended_by_force(wire: FluxWire) -> None:
    wire.audio(bytes(8000))
    wire.receive(info("Update", "hello", end_s=0.8))
    assert FORCE_END in wire.finish()
    assert not wire.is_finished
    assert told(wire.receive(info("EndOfTurn", "Hello.", end_s=0.9, trigger="manual"))) == [("Hello.", True)]
    assert wire.is_finished


def test_audio_that_was_on_its_way_when_the_turn_was_ended_is_waited_for(wire: FluxWire) -> None:
    """A turn ends with what is transcribed by then: here the audio had been sent faster than it is heard."""
    wire.audio(bytes(32000))
    wire.finish()
    wire.receive(info("EndOfTurn", "Hello.", end_s=1.0, trigger="manual"))
    assert not wire.is_finished
    wire.receive(info("StartOfTurn", "are you", turn=1, end_s=2.0))
    assert told(wire.receive(info("Update", "are you open", turn=1, end_s=4.4))) == [("are you open", True)]
    assert wire.is_finished
    assert is_over(wire)


def test_a_turn_that_we_held_for_ended_is_cut_before_the_next_utterance(wire: FluxWire) -> None:
    wire.audio(bytes(8000))
    wire.finish()
    wire.receive(info("Update", "hello", end_s=1.4))
    wire.begin()
    assert wire.audio(bytes(640))[0] == FORCE_END
    assert wire.audio(bytes(640)) == [bytes(640)]
    assert wire.receive(info("EndOfTurn", "hello", end_s=1.5, trigger="manual")) == []
    assert told(wire.receive(info("StartOfTurn", "yes", turn=1, end_s=1.6))) == [("yes", False)]


def test_no_cut_is_needed_when_the_end_came_after_all(wire: FluxWire) -> None:
    wire.finish()
    wire.receive(info("Update", "hello", end_s=0.4))
    wire.receive(info("EndOfTurn", "hello", end_s=0.5, trigger="manual"))
    wire.begin()
    assert wire.audio(bytes(640)) == [bytes(640)]


def test_where_nothing_was_said_the_silence_behind_is_enough(wire: FluxWire) -> None:
    """`ForceEndTurn` is ignored between turns, and so not answered."""
    wire.audio(bytes(8000))
    wire.finish()
    wire.receive(info("Update", end_s=1.1))
    assert not wire.is_finished
    assert wire.receive(info("Update", end_s=1.35)) == []
    assert wire.is_finished


def test_silence_keeps_the_connection_and_counts_as_audio(wire: FluxWire) -> None:
    assert wire.keep_alive() == [b"\xff" * 640]
    assert wire.audio_s == 0.08
    assert wire.opening() == []


@pytest.mark.parametrize("frame", [info("Thinking", "hm"), '{"type":"Warning","code":"X","description":"y"}'])
def test_what_it_does_not_know_is_ignored(wire: FluxWire, frame: str) -> None:
    assert wire.receive(frame) == []


def test_an_error_is_told_by_its_code(wire: FluxWire) -> None:
    with pytest.raises(ProviderException, match="INTERNAL_SERVER_ERROR"):
        wire.receive('{"type":"Error","sequence_id":11,"code":"INTERNAL_SERVER_ERROR","description":"oh"}')


FIELDS = ("event", "turn_index", "audio_window_start", "audio_window_end", "transcript", "words", "code")


@given(frames(("TurnInfo", "Error", "Connected"), FIELDS))
def test_nothing_but_our_exception_comes_out(received: list[Frame]) -> None:
    recogniser_survives(FluxWire(SERVICE), received)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]), st.booleans()
        )
    )
)
def test_every_turn_is_told_once(steps: list[tuple[str, bool]]) -> None:
    """However the steps come, as long as the index counts the ends: one final result for each, and in order."""
    wire = FluxWire(SERVICE)
    wire.begin()
    finals, turn, ended = [], 0, []
    for event, says in steps:
        text = f"turn {turn}" if says else ""
        results = wire.receive(info(event, text, turn=turn))
        finals += [result.text for result in results if result.is_final]
        if event == "EndOfTurn":
            ended.append(text)
            turn += 1
    assert finals == ended
