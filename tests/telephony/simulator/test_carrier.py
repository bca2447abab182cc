"""The carrier's end of a stream, in invented time."""

from dataclasses import dataclass
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator import carrier
from telephony.simulator.carrier import BYTES_PER_S, FRAME_BYTES, FrameClock, Line, PlayoutQueue
from telephony.twilio.messages import (
    Connected,
    Mark,
    Media,
    Start,
    Stop,
    decode_from_twilio,
    encode_clear,
    encode_mark,
    encode_media,
)

STREAM_SID = "MZ" + "d" * 32
START = Start(STREAM_SID, "CA" + "b" * 32, "AC" + "a" * 32, parameters={"call_token": "k3J"})


@dataclass(frozen=True)
class Send:
    """Something the bot does after `wait_s`: audio of so many bytes, a mark, or a clear."""

    wait_s: float
    kind: str
    size: int = 0


sends = st.lists(
    st.builds(
        Send,
        wait_s=st.floats(0, 0.5),
        kind=st.sampled_from(["media", "media", "mark", "clear", "tick"]),
        size=st.integers(0, 3000),
    ),
    max_size=40,
)


@given(sends)
def test_every_mark_comes_back_once_and_in_order(script: list[Send]) -> None:
    queue, now = PlayoutQueue(0.0), 0.0
    sent: list[str] = []
    echoed: list[str] = []
    for number, send in enumerate(script):
        now += send.wait_s
        match send.kind:
            case "media":
                echoed += queue.media(b"x" * send.size, now)
            case "mark":
                sent.append(str(number))
                echoed += queue.mark(str(number), now)
            case "clear":
                reached, dropped = queue.clear(now)
                echoed += reached + dropped
            case _:
                echoed += queue.advance(now)
        assert echoed == sent[: len(echoed)]
        if queue.buffered_bytes == 0:
            assert echoed == sent
    echoed += queue.advance(now + queue.buffered_bytes / BYTES_PER_S + 0.001)
    assert echoed == sent


@given(sends)
def test_playback_keeps_real_time_and_drops_what_was_cleared(script: list[Send]) -> None:
    queue, now = PlayoutQueue(100.0), 100.0
    heard = bytearray()
    arrived = cleared = 0
    for number, send in enumerate(script):
        now += send.wait_s
        if send.kind == "media":
            queue.media(bytes((number % 250,)) * send.size, now)
            arrived += send.size
        elif send.kind == "clear":
            queue.advance(now)
            cleared += queue.buffered_bytes
            queue.clear(now)
            assert queue.buffered_bytes == 0
        else:
            queue.advance(now)
        piece = queue.take_heard()
        assert piece.began_at == pytest.approx(100.0 + len(heard) / BYTES_PER_S)
        heard += piece.audio
        assert len(heard) == int((now - 100.0) * BYTES_PER_S)
    played = len(heard) - heard.count(carrier.SILENCE)
    assert arrived == played + cleared + queue.buffered_bytes


def test_audio_is_played_from_the_moment_it_arrives() -> None:
    queue = PlayoutQueue(0.0)
    queue.media(b"a" * 800, now=0.5)
    queue.advance(0.55)
    queue.media(b"b" * 100, now=0.55)
    queue.advance(1.0)
    heard = queue.take_heard()
    assert heard.audio == b"\xff" * 4000 + b"a" * 800 + b"b" * 100 + b"\xff" * 3100
    assert heard.began_at == 0.0


def test_a_mark_is_echoed_the_moment_playback_reaches_it() -> None:
    queue = PlayoutQueue(0.0)
    queue.media(b"a" * 160, now=0.0)
    queue.mark("after", now=0.0)
    assert queue.advance(0.0199) == []
    assert queue.advance(0.02) == ["after"]
    assert queue.mark("idle", now=0.02) == ["idle"]


def test_nothing_is_played_when_the_clock_goes_backwards() -> None:
    queue = PlayoutQueue(0.0)
    queue.media(b"a" * 1600, now=0.1)
    queue.advance(0.2)
    before = queue.buffered_bytes
    assert queue.advance(0.15) == []
    assert queue.buffered_bytes == before


def test_the_frame_clock_agrees_with_a_captured_stream() -> None:
    clock = FrameClock(155)
    frames = [clock.next() for _ in range(73)]
    assert frames[0] == (1, 155)
    assert frames[-1] == (73, 1593)


@given(st.integers(100, 171), st.integers(2, 3000))
def test_frame_timestamps_step_by_twenty_ms_or_one_less(first_ms: int, count: int) -> None:
    clock = FrameClock(first_ms)
    frames = [clock.next() for _ in range(count)]
    steps = {later[1] - earlier[1] for earlier, later in pairwise(frames)}
    assert steps <= {19, 20}
    assert abs(frames[-1][1] - first_ms - 19.97 * (count - 1)) <= 0.5


def test_a_stream_from_connected_to_stop_on_the_wire() -> None:
    line = Line(START, 0.0, first_timestamp_ms=155)
    texts = [*line.open(), line.frame(b"\xff" * FRAME_BYTES)]
    texts += line.receive(encode_mark(STREAM_SID, "turn-7:3"), 0.1)
    texts += [line.press("1"), line.stop()]
    assert texts[0] == '{"event":"connected","protocol":"Call","version":"1.0.0"}'
    assert texts[1] == (
        '{"event":"start","sequenceNumber":"1","start":{"accountSid":"' + START.account_sid + '","streamSid":"'
        "" + STREAM_SID + '","callSid":"' + START.call_sid + '","tracks":["inbound"],"mediaFormat":{"encoding":'
        '"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"call_token":"k3J"}},"streamSid":"'
        "" + STREAM_SID + '"}'
    )
    media = orjson.loads(texts[2])
    assert media["media"].pop("payload").endswith("w==")
    assert media["sequenceNumber"] == "2"
    assert media["media"] == {"track": "inbound", "chunk": "1", "timestamp": "155"}
    assert len(texts[2]) < 380
    assert texts[3] == (
        '{"event":"mark","sequenceNumber":"3","streamSid":"' + STREAM_SID + '","mark":{"name":"turn-7:3"}}'
    )
    assert orjson.loads(texts[4])["dtmf"] == {"track": "inbound_track", "digit": "1"}
    assert texts[5] == (
        '{"event":"stop","sequenceNumber":"5","streamSid":"' + STREAM_SID + '","stop":{"accountSid":"'
        "" + START.account_sid + '","callSid":"' + START.call_sid + '"}}'
    )


def test_clear_echoes_outstanding_marks_and_counts_them_as_unheard() -> None:
    line = Line(START, 0.0)
    line.receive(encode_media(STREAM_SID, b"a" * 160), 0.0)
    line.receive(encode_mark(STREAM_SID, "heard"), 0.0)
    line.receive(encode_media(STREAM_SID, b"a" * 8000), 0.0)
    line.receive(encode_mark(STREAM_SID, "cut"), 0.0)
    echoes = [decode_from_twilio(text) for text in line.receive(encode_clear(STREAM_SID), 0.5)]
    assert [echo.name for echo in echoes if isinstance(echo, Mark)] == ["heard", "cut"]
    assert (line.stats.marks_echoed, line.stats.marks_cleared, line.stats.clears) == (2, 1, 1)
    assert line.stats.cleared_bytes == 160 + 8000 - 4000
    assert line.tick(9.0) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        '{"event":"media"}',
        '{"event":"hello","streamSid":"' + STREAM_SID + '"}',
        '{"event":"clear","streamSid":"MZother"}',
        '{"event":"clear","streamSid":"' + STREAM_SID + '","sequenceNumber":"1"}',
        '{"event":"media","streamSid":"' + STREAM_SID + '","media":{"payload":"//8=","track":"outbound"}}',
        '{"event":"media","streamSid":"' + STREAM_SID + '","media":{"payload":"?"}}',
    ],
)
def test_a_message_that_is_not_exact_is_ignored_with_one_warning(text: str) -> None:
    line = Line(START, 0.0)
    assert line.receive(text, 0.0) == []
    assert line.receive(text, 0.1) == []
    assert [warning.code for warning in line.take_warnings()] == [31951]
    assert line.take_warnings() == []
    assert (line.stats.ignored, line.buffered_bytes) == (2, 0)


@given(st.one_of(st.binary(), st.text()))
def test_nothing_received_raises(message: str | bytes) -> None:
    line = Line(START, 0.0)
    assert line.receive(message, 0.0) == []
    [warning] = line.take_warnings()
    assert warning.code == (31950 if isinstance(message, bytes) else 31951)


def test_a_full_buffer_takes_nothing_but_a_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "MAX_BUFFERED_BYTES", 320)
    line = Line(START, 0.0)
    line.receive(encode_media(STREAM_SID, b"a" * 320), 0.0)
    line.receive(encode_media(STREAM_SID, b"b"), 0.0)
    assert [warning.code for warning in line.take_warnings()] == [carrier.BUFFER_FULL]
    line.receive(encode_clear(STREAM_SID), 0.0)
    assert line.buffered_bytes == 0


@given(st.lists(st.sampled_from(["frame", "press", "mark", "stop"]), max_size=30))
def test_one_counter_runs_through_all_messages(kinds: list[str]) -> None:
    line = Line(START, 0.0)
    line.open()
    texts = []
    for kind in kinds:
        match kind:
            case "frame":
                texts.append(line.frame(b"\xff" * FRAME_BYTES))
            case "press":
                texts.append(line.press("#"))
            case "mark":
                texts += line.receive(encode_mark(STREAM_SID, "m"), 0.0)
            case _:
                texts.append(line.stop())
    messages = [decode_from_twilio(text) for text in texts]
    assert not any(isinstance(message, Connected) for message in messages)
    assert [int(orjson.loads(text)["sequenceNumber"]) for text in texts] == list(range(2, len(texts) + 2))
    chunks = [message.chunk for message in messages if isinstance(message, Media)]
    assert chunks == list(range(1, len(chunks) + 1))
    assert sum(isinstance(message, Stop) for message in messages) == kinds.count("stop")
