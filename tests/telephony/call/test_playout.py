"""The ledger: how far ahead audio goes, what marks prove, and what a clear leaves unheard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call.playout import Begun, Cut, Heard, Outgoing, Playout, SendAudio, SendMark

SECOND = b"\x01" * 8000


def audio(outgoing: list[Outgoing]) -> bytes:
    return b"".join(item.payload for item in outgoing if isinstance(item, SendAudio))


def marks(outgoing: list[Outgoing]) -> list[str]:
    return [item.name for item in outgoing if isinstance(item, SendMark)]


def test_audio_goes_out_up_to_the_lead_and_then_in_step_with_playback() -> None:
    playout = Playout(lead_s=1.0, message_s=0.2)
    playout.add(1, 0, SECOND * 3)

    first = playout.take(now=10.0)
    assert len(audio(first)) == 8000 + 1600  # the lead, and the message that reaches beyond it
    assert playout.queued_s == pytest.approx(1.8)
    assert playout.wakes_at() == pytest.approx(10.2)
    assert playout.take(now=10.1) == []
    assert len(audio(playout.take(now=10.2))) == 1600


def test_messages_are_full_whatever_the_chunks_were() -> None:
    playout = Playout(lead_s=10.0, message_s=0.2)
    for _ in range(25):
        playout.add(1, 0, b"\x02" * 100)
    playout.finish(1, 0)

    sizes = [len(item.payload) for item in playout.take(0.0) if isinstance(item, SendAudio)]
    assert sizes == [1600, 900]


def test_a_mark_tells_that_a_sentence_began_and_another_that_it_ended() -> None:
    playout = Playout()
    playout.add(3, 2, b"\x01" * 400)
    playout.finish(3, 2)
    sent = playout.take(now=5.0)

    assert sent[0] == SendAudio(b"\x01" * 400, begins=(3, 2))
    assert marks(sent) == ["3:2:begin", "3:2:end"]
    assert playout.echoed("3:2:begin") == [Begun(3, 2)]
    assert playout.echoed("3:2:end") == [Heard(3, 2)]
    assert playout.wakes_at() is None


def test_an_echo_of_a_later_sentence_proves_the_earlier_ones() -> None:
    playout = Playout()
    for sentence in range(3):
        playout.add(1, sentence, b"\x01" * 160)
        playout.finish(1, sentence)
    playout.take(0.0)

    assert playout.echoed("1:2:end") == [Heard(1, 0, lost_mark=True), Heard(1, 1, lost_mark=True), Heard(1, 2)]


def test_a_lost_echo_is_waited_for_no_longer_than_the_limit() -> None:
    playout = Playout(mark_limit_s=2.0)
    playout.add(1, 0, SECOND)
    playout.finish(1, 0)
    playout.take(now=0.0)

    assert playout.wakes_at() == pytest.approx(3.0)
    assert playout.overdue(2.9) == []
    assert playout.overdue(3.0) == [Heard(1, 0, lost_mark=True)]


def test_a_sentence_is_not_over_while_more_of_it_may_come() -> None:
    playout = Playout()
    playout.add(1, 0, b"\x01" * 160)
    assert marks(playout.take(0.0)) == ["1:0:begin"]
    playout.add(1, 0, b"\x01" * 160)
    playout.finish(1, 0)
    assert marks(playout.take(1.0)) == ["1:0:end"]


def test_a_sentence_behind_an_unfinished_one_is_no_reason_to_wake() -> None:
    playout = Playout()
    playout.add(1, 0, b"\x01" * 160)
    playout.take(0.0)
    playout.add(1, 1, b"\x01" * 160)

    assert playout.take(5.0) == []
    assert playout.wakes_at() is None


def test_after_a_clear_the_echoes_that_come_back_stand_for_nothing_heard() -> None:
    playout = Playout(lead_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.finish(1, 0)
    playout.add(1, 1, SECOND)
    playout.finish(1, 1)
    sent = playout.take(now=0.0)

    assert playout.clear(now=0.5) == Cut(1, 0, 0.5 / 4)
    assert playout.clear(now=0.6) is None
    assert [playout.echoed(name) for name in marks(sent)] == [[]]
    assert playout.wakes_at() is None


def test_speech_after_a_clear_starts_at_once() -> None:
    playout = Playout(lead_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)
    playout.clear(now=0.1)
    playout.add(2, 0, SECOND)

    assert len(audio(playout.take(now=0.1))) == 8000


def test_what_was_cleared_before_it_was_sent_was_not_heard_at_all() -> None:
    playout = Playout()
    playout.finish(1, 0)
    assert playout.clear(now=9.0) == Cut(1, 0, 0.0)


@given(
    st.lists(st.lists(st.binary(max_size=4000), max_size=5), max_size=6),
    st.lists(st.floats(0.0, 0.5), min_size=1, max_size=200),
)
def test_everything_given_is_sent_in_order_once_and_never_beyond_the_lead(
    sentences: list[list[bytes]], steps: list[float]
) -> None:
    playout = Playout(lead_s=0.5, message_s=0.1)
    for number, chunks in enumerate(sentences):
        for chunk in chunks:
            playout.add(1, number, chunk)
        playout.finish(1, number)
    sent: list[Outgoing] = []
    now = 0.0
    played_until = 0.0
    for step in [*steps, *[1000.0] * 100]:
        now += step
        fresh = playout.take(now)
        for item in fresh:
            if isinstance(item, SendAudio):
                assert played_until <= now + 0.5
                played_until = max(now, played_until) + len(item.payload) / 8000
        sent += fresh
    assert audio(sent) == b"".join(chunk for chunks in sentences for chunk in chunks)
    ends = [name for name in marks(sent) if name.endswith("end")]
    assert ends == [f"1:{number}:end" for number in range(len(sentences))]
    heard = [fact for name in marks(sent) for fact in playout.echoed(name) if isinstance(fact, Heard)]
    assert heard == [Heard(1, number) for number in range(len(sentences))]
