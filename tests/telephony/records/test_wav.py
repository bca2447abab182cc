"""A recording as bytes: both sides in step, and a header that players read."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.records.wav import HEADER_BYTES, MOST_QUEUED, SILENCE, Tracks, header

FRAME = 160


@pytest.mark.parametrize("audio_bytes", [0, 320, 16_000])
def test_the_header_says_what_the_file_holds(audio_bytes: int) -> None:
    made = header(audio_bytes)
    assert len(made) == HEADER_BYTES
    riff, size, wave, fmt, fmt_size = struct.unpack_from("<4sI4s4sI", made)
    assert (riff, wave, fmt, fmt_size) == (b"RIFF", b"WAVE", b"fmt ", 18)
    assert size == HEADER_BYTES - 8 + audio_bytes
    assert struct.unpack_from("<HHIIHHH", made, 20) == (7, 2, 8000, 16_000, 2, 8, 0)
    assert struct.unpack_from("<4sII", made, 38) == (b"fact", 4, audio_bytes // 2)
    assert struct.unpack_from("<4sI", made, 50) == (b"data", audio_bytes)


def frame(value: int) -> bytes:
    return bytes((value,)) * FRAME


def test_the_caller_is_left_and_the_bot_right() -> None:
    tracks = Tracks()
    tracks.bot(frame(2))
    stereo = tracks.caller(frame(1))
    assert (stereo[0::2], stereo[1::2]) == (frame(1), frame(2))


def test_the_bot_is_heard_when_its_turn_comes_and_is_silent_when_nothing_is_left() -> None:
    tracks = Tracks()
    tracks.bot(frame(2) + frame(3)[:40])
    right = [tracks.caller(frame(1))[1::2] for _ in range(3)]
    assert right == [frame(2), frame(3)[:40] + bytes((SILENCE,)) * 120, frame(SILENCE)]


def test_what_was_cleared_is_not_heard() -> None:
    tracks = Tracks()
    tracks.bot(frame(2) * 3)
    tracks.caller(frame(1))
    tracks.clear()
    tracks.bot(frame(4))
    assert tracks.caller(frame(1))[1::2] == frame(4)


def test_a_pause_is_silence_in_which_time_goes_on() -> None:
    tracks = Tracks()
    tracks.bot(frame(2) + frame(3) + frame(4))
    tracks.is_paused = True
    assert tracks.caller(frame(1)) == bytes((SILENCE,)) * 2 * FRAME
    tracks.is_paused = False
    assert tracks.caller(frame(1))[1::2] == frame(3)


def test_a_bot_that_sends_without_end_takes_no_more_memory() -> None:
    tracks = Tracks()
    tracks.bot(bytes(MOST_QUEUED))
    tracks.bot(frame(2))
    assert SILENCE not in tracks.caller(bytes(MOST_QUEUED))
    assert tracks.caller(frame(1))[1::2] == frame(SILENCE)


def sounds(ulaw: bytes) -> bytes:
    return ulaw.replace(bytes((SILENCE,)), b"")


@given(st.lists(st.one_of(st.binary(max_size=400), st.integers(1, 400))))
def test_both_sides_are_as_long_as_the_caller_was_heard(happenings: list[bytes | int]) -> None:
    tracks, spoken, length, stereo = Tracks(), b"", 0, b""
    for happening in happenings:
        if isinstance(happening, int):
            stereo += tracks.caller(bytes((1,)) * happening)
            length += happening
        else:
            tracks.bot(happening)
            spoken += happening
    assert stereo[0::2] == bytes((1,)) * length
    played = stereo[1::2]
    assert len(played) == length
    assert sounds(spoken).startswith(sounds(played))
