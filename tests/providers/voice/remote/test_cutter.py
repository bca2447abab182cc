from hypothesis import given
from hypothesis import strategies as st

from providers.voice.remote.cutter import Cutter


@given(size=st.integers(1, 50), chunks=st.lists(st.binary(max_size=120)))
def test_all_audio_comes_out_in_order_and_in_whole_messages(size: int, chunks: list[bytes]) -> None:
    cutter = Cutter(size)
    messages = [message for chunk in chunks for message in cutter.cut(chunk)]
    assert all(len(message) == size for message in messages)
    rest = cutter.rest()
    assert all(0 < len(message) < size for message in rest)
    out = b"".join(message for message in [*messages, *rest] if isinstance(message, bytes))
    assert out == b"".join(chunks)
    assert cutter.sent == len(out)


def test_what_is_forgotten_was_never_sent() -> None:
    cutter = Cutter(10)
    cutter.cut(b"x" * 14)
    cutter.forget()
    assert cutter.rest() == []
    assert cutter.sent == 10
