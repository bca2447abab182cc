from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio.framer import Framer


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_frames_are_the_stream_re_cut(chunks: list[bytes], frame_bytes: int) -> None:
    framer = Framer(frame_bytes)
    frames = [frame for chunk in chunks for frame in framer.push(chunk)]
    rest = framer.flush()
    assert all(len(frame) == frame_bytes for frame in frames)
    assert len(rest) < frame_bytes
    assert b"".join(frames) + rest == b"".join(chunks)


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1), st.integers(1, 20))
def test_a_frame_comes_with_the_byte_that_completes_it(chunks: list[bytes], frame_bytes: int) -> None:
    framer = Framer(frame_bytes)
    ends = [0]
    for chunk in chunks:
        ends.append(ends[-1] + len(chunk))
    counts = [len(framer.push(chunk)) for chunk in chunks]
    assert counts == [after // frame_bytes - before // frame_bytes for before, after in pairwise(ends)]


def test_flush_starts_afresh() -> None:
    framer = Framer(4)
    framer.push(b"abc")
    assert framer.flush() == b"abc"
    assert framer.push(b"defgh") == [b"defg"]


def test_a_frame_needs_bytes() -> None:
    with pytest.raises(ValueError, match="0 bytes"):
        Framer(0)
