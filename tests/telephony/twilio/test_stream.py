import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio.messages import (
    MAX_TEXT,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    MediaFormat,
    Start,
    Stop,
    Unknown,
    encode_from_twilio,
)
from telephony.twilio.stream import MAX_GAP_MS, Fault, FaultKind, Gap, MediaStream, Received, State
from tests.telephony.twilio.frames import (
    ACCOUNT,
    CALL,
    CLEAR,
    CONNECTED,
    MARK,
    SEND_MARK,
    SEND_MEDIA,
    START,
    STOP,
    STREAM,
)

OTHER = "MZ" + "e" * 32


def started(max_refused: int = 100) -> MediaStream:
    stream = MediaStream(max_refused)
    stream.receive(CONNECTED)
    assert isinstance(stream.receive(START)[0], Start)
    return stream


def frame(n: int, *, sequence: int | None = None, timestamp_ms: int | None = None, stream_sid: str = STREAM) -> Media:
    """The n-th frame of caller audio, from 0, as Twilio would number it."""
    at_ms = 155 + 20 * n if timestamp_ms is None else timestamp_ms
    return Media(stream_sid, n + 2 if sequence is None else sequence, n + 1, at_ms, bytes(160))


def give(stream: MediaStream, message: FromTwilio) -> tuple[Received, ...]:
    return stream.receive(encode_from_twilio(message))


def refused(received: tuple[Received, ...]) -> FaultKind:
    (fault,) = received
    assert isinstance(fault, Fault)
    assert not fault.is_fatal
    return fault.kind


def test_a_call_from_connected_to_stop() -> None:
    stream = MediaStream()
    assert stream.receive(CONNECTED) == ()
    (start,) = stream.receive(START)
    assert isinstance(start, Start)
    assert (start.call_sid, start.account_sid, stream.stream_sid) == (CALL, ACCOUNT, STREAM)
    messages: list[Media | Dtmf | Mark | Stop] = [
        frame(0),
        Dtmf(STREAM, 3, "#"),
        frame(1, sequence=4),
        Mark(STREAM, 5, "turn-7:3"),
        Stop(STREAM, 6, CALL, ACCOUNT),
    ]
    for message in messages:
        assert not stream.is_over
        assert give(stream, message) == (message,)
    assert stream.is_over
    assert stream.state is State.OVER
    assert not stream.faults


def test_what_is_sent_carries_the_stream() -> None:
    stream = started()
    assert [stream.media(b"\xff\xff"), stream.mark("turn-7:3"), stream.clear()] == [SEND_MEDIA, SEND_MARK, CLEAR]


def test_nothing_can_be_sent_before_the_start() -> None:
    stream = MediaStream()
    stream.receive(CONNECTED)
    with pytest.raises(RuntimeError):
        stream.media(b"")
    with pytest.raises(RuntimeError):
        stream.mark("")
    with pytest.raises(RuntimeError):
        stream.clear()


@pytest.mark.parametrize("message", [START, MARK, STOP, encode_from_twilio(frame(0))])
def test_refused_before_connected(message: str) -> None:
    stream = MediaStream()
    assert refused(stream.receive(message)) is FaultKind.ORDER
    assert stream.state is State.UNCONNECTED


@pytest.mark.parametrize("message", [CONNECTED, MARK, STOP, encode_from_twilio(frame(0))])
def test_refused_before_start(message: str) -> None:
    stream = MediaStream()
    stream.receive(CONNECTED)
    assert refused(stream.receive(message)) is FaultKind.ORDER
    assert stream.state is State.CONNECTED


@pytest.mark.parametrize("message", [CONNECTED, START, START.replace(STREAM, OTHER)])
def test_refused_a_second_time(message: str) -> None:
    stream = started()
    assert refused(stream.receive(message)) is FaultKind.ORDER
    assert stream.stream_sid == STREAM
    assert give(stream, frame(0)) == (frame(0),)


@pytest.mark.parametrize("message", [CONNECTED, START, MARK, STOP, encode_from_twilio(frame(0))])
def test_refused_after_stop(message: str) -> None:
    stream = started()
    stream.receive(STOP)
    assert refused(stream.receive(message)) is FaultKind.ORDER
    assert stream.is_over


@pytest.mark.parametrize(
    "message", [frame(0, stream_sid=OTHER), Dtmf(OTHER, 2, "1"), Mark(OTHER, 2, "m"), Stop(OTHER, 2, CALL, ACCOUNT)]
)
def test_refused_for_another_stream(message: FromTwilio) -> None:
    stream = started()
    assert refused(give(stream, message)) is FaultKind.STREAM
    assert give(stream, frame(0)) == (frame(0),)


def test_refused_audio_of_another_track() -> None:
    stream = started()
    assert refused(give(stream, Media(STREAM, 2, 1, 155, b"", track="outbound"))) is FaultKind.TRACK
    assert give(stream, frame(0)) == (frame(0),)


@pytest.mark.parametrize(
    ("data", "kind", "detail"),
    [
        (b"\x00\x01", FaultKind.BINARY, "binary"),
        (START.encode(), FaultKind.BINARY, "binary"),
        ("hello", FaultKind.MALFORMED, "not JSON"),
        ("", FaultKind.MALFORMED, "not JSON"),
        ("[]", FaultKind.MALFORMED, "Expected `object`"),
        ('{"event":"media"}', FaultKind.MALFORMED, "missing required field"),
        (MARK.replace('"4"', '"-4"'), FaultKind.MALFORMED, "sequenceNumber"),
        (" " * (MAX_TEXT + 1), FaultKind.MALFORMED, "longer than"),
    ],
)
def test_refused_whatever_it_waits_for(data: str | bytes, kind: FaultKind, detail: str) -> None:
    connected, over = MediaStream(), started()
    connected.receive(CONNECTED)
    over.receive(STOP)
    for stream in (MediaStream(), connected, started(), over):
        state = stream.state
        (fault,) = stream.receive(data)
        assert isinstance(fault, Fault)
        assert (fault.kind, fault.is_fatal) == (kind, False)
        assert detail in fault.detail
        assert stream.state is state
        assert stream.faults == {kind: 1}


@pytest.mark.parametrize(
    "media_format", [MediaFormat(encoding="audio/x-alaw"), MediaFormat(sample_rate=16000), MediaFormat(channels=2)]
)
def test_audio_we_cannot_hear_is_fatal(media_format: MediaFormat) -> None:
    stream = MediaStream()
    stream.receive(CONNECTED)
    (fault,) = give(stream, Start(STREAM, CALL, ACCOUNT, media_format=media_format))
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.is_fatal) == (FaultKind.FORMAT, True)
    assert stream.is_over
    assert stream.receive(START) == ()
    with pytest.raises(RuntimeError):
        _ = stream.stream_sid


def test_too_many_refusals_are_fatal() -> None:
    stream = started(max_refused=3)
    for _ in range(3):
        assert refused(stream.receive("nonsense")) is FaultKind.MALFORMED
        assert give(stream, frame(0, sequence=2))[-1] is not None
    (fault,) = stream.receive(b"more")
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.is_fatal) == (FaultKind.TOO_MANY, True)
    assert stream.state is State.FAILED
    assert give(stream, frame(1)) == ()
    assert stream.receive("nonsense") == ()


def test_a_start_that_is_never_valid_is_fatal() -> None:
    stream = MediaStream(max_refused=10)
    stream.receive(CONNECTED)
    assert refused(stream.receive(START.replace("callSid", "call"))) is FaultKind.MALFORMED
    for n in range(9):
        assert refused(give(stream, frame(n))) is FaultKind.ORDER
    assert not stream.is_over
    give(stream, frame(9))
    assert stream.is_over


def test_unknown_events_are_ignored_however_many() -> None:
    stream = started(max_refused=1)
    for _ in range(10):
        assert give(stream, Unknown("close")) == ()
    assert not stream.faults


def test_an_exact_repetition_is_dropped() -> None:
    stream = started()
    give(stream, frame(0))
    give(stream, Dtmf(STREAM, 3, "1"))
    assert refused(give(stream, Dtmf(STREAM, 3, "1"))) is FaultKind.SEQUENCE
    assert refused(give(stream, frame(0))) is FaultKind.SEQUENCE
    assert give(stream, frame(1, sequence=4)) == (frame(1, sequence=4),)


def test_a_missing_message_is_told_and_the_next_one_let_through() -> None:
    stream = started()
    give(stream, frame(0))
    mark = Mark(STREAM, 6, "m")
    assert give(stream, mark) == (Fault(FaultKind.SEQUENCE, "3 messages are missing"), mark)


def test_a_late_message_is_told_and_let_through_without_a_gap() -> None:
    stream = started()
    give(stream, frame(0))
    assert give(stream, frame(2))[1:] == (Gap(20), frame(2))
    assert give(stream, frame(1)) == (Fault(FaultKind.SEQUENCE, "a message came late"), frame(1))
    assert give(stream, frame(3)) == (frame(3),)


def test_a_repeated_stop_is_a_stop() -> None:
    stream = started()
    stop = Stop(STREAM, 1, CALL, ACCOUNT)
    assert give(stream, stop) == (stop,)
    assert stream.is_over


def test_sequence_oddities_never_end_the_call() -> None:
    stream = started(max_refused=1)
    for _ in range(50):
        assert give(stream, frame(0, sequence=10**17))
    assert not stream.is_over


def test_counters_that_start_again_leave_the_bot_hearing() -> None:
    stream = started()
    for n in range(100):
        give(stream, frame(n))
    for n in range(120):
        assert give(stream, frame(n))[-1] == frame(n)


def test_what_is_numbered_before_the_start_is_late() -> None:
    stream = started()
    early = frame(0, sequence=0)
    assert give(stream, early) == (Fault(FaultKind.SEQUENCE, "a message came late"), early)
    assert refused(give(stream, early)) is FaultKind.SEQUENCE


@given(st.lists(st.integers(2, 64), max_size=100))
def test_in_whatever_order_they_come_each_is_let_through_once(numbers: list[int]) -> None:
    stream = started()
    heard = [item for number in numbers for item in give(stream, frame(0, sequence=number)) if isinstance(item, Media)]
    assert [item.sequence for item in heard] == list(dict.fromkeys(numbers))


def test_the_first_frame_has_no_gap_before_it() -> None:
    assert give(started(), frame(0, timestamp_ms=30_000)) == (frame(0, timestamp_ms=30_000),)


@pytest.mark.parametrize(
    ("next_ms", "missing_ms"),
    [(174, 0), (175, 0), (194, 0), (195, 20), (235, 60), (100_000, MAX_GAP_MS), (10**17, MAX_GAP_MS), (155, 0), (0, 0)],
)
def test_a_gap_is_measured_by_twilios_clock(next_ms: int, missing_ms: int) -> None:
    stream = started()
    give(stream, frame(0))
    after = frame(1, timestamp_ms=next_ms)
    assert give(stream, after) == ((Gap(missing_ms), after) if missing_ms else (after,))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60))
def test_the_gaps_are_the_audio_that_was_left_out(steps: list[int]) -> None:
    """Frames exactly on their grid, some left out: what is heard and what is told missing add up to the call."""
    stream = started()
    places = [sum(steps[: i + 1]) + i for i in range(len(steps))]
    told = [item for n in places for item in give(stream, frame(n))]
    missing_ms = sum(item.missing_ms for item in told if isinstance(item, Gap))
    assert missing_ms == 20 * (places[-1] - places[0] + 1 - len(places))


ANY_DATA: st.SearchStrategy[str | bytes] = st.one_of(
    st.text(),
    st.binary(),
    st.sampled_from([CONNECTED, START, MARK, STOP]),
    st.builds(
        lambda n, sequence: encode_from_twilio(frame(n, sequence=sequence)), st.integers(0, 9), st.integers(0, 9)
    ),
)


@given(st.lists(ANY_DATA, max_size=40), st.integers(0, 10))
def test_whatever_comes_the_order_holds(incoming: list[str | bytes], max_refused: int) -> None:
    stream = MediaStream(max_refused)
    handled: list[Received] = []
    for data in incoming:
        was_over = stream.is_over
        received = stream.receive(data)
        assert not (was_over and any(not isinstance(item, Fault) for item in received))
        handled += received
    facts = [item for item in handled if not isinstance(item, Fault)]
    assert sum(isinstance(item, Start) for item in facts) <= 1
    assert not facts or isinstance(facts[0], Start)
    assert not any(isinstance(item, Stop) for item in facts[:-1])
    assert sum(stream.faults.values()) >= sum(isinstance(item, Fault) for item in handled)
