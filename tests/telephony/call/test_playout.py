"""The ledger: how far ahead audio goes, what marks prove, and what a clear leaves unheard."""

import math

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
    sizes = [len(item.payload) for item in first if isinstance(item, SendAudio)]
    assert sizes == [160, *[1600] * 5]  # a short one first; the last reaches beyond the lead
    assert playout.queued_s == pytest.approx(1.98)
    assert playout.ahead_s(now=10.0) == pytest.approx(3.0)
    assert playout.ahead_s(now=10.5) == pytest.approx(2.5)
    assert playout.wakes_at() == pytest.approx(10.02)
    assert playout.take(now=10.01) == []
    assert len(audio(playout.take(now=10.02))) == 1600


def test_by_default_a_second_is_sent_ahead_in_messages_of_two_fifths() -> None:
    playout = Playout()
    playout.add(1, 0, SECOND * 9)
    playout.finish(1, 0)

    sizes = [len(item.payload) for item in playout.take(now=0.0) if isinstance(item, SendAudio)]
    assert sizes == [160, *[3200] * 3]
    playout.hold(now=0.5)
    playout.resume()
    playout.take(now=99.0)
    playout.echoed("1:0:begin:1", 99.0)
    playout.hold(now=100.0)
    playout.resume()
    assert playout.queued_s == pytest.approx(9.0 - 1.0 + 0.3, abs=0.03)  # a little is said again


def test_a_lost_echo_is_waited_for_two_seconds_by_default() -> None:
    playout = Playout()
    playout.finish(1, 0)
    playout.take(now=10.0)

    assert playout.wakes_at() == 2.0


def test_audio_may_go_out_the_very_moment_that_was_told() -> None:
    playout = Playout(lead_s=0.02)
    playout.add(1, 0, SECOND)

    assert len(audio(playout.take(now=0.0))) == 160 + 3200


def test_a_sentence_is_sent_while_the_one_before_it_is_still_to_be_heard() -> None:
    playout = Playout()
    playout.add(1, 0, b"\x01" * 160)
    playout.finish(1, 0)
    playout.take(now=0.0)
    playout.add(1, 1, b"\x02" * 160)
    playout.finish(1, 1)

    assert marks(playout.take(now=0.01)) == ["1:1:begin:0", "1:1:end:0"]


def test_messages_are_full_whatever_the_chunks_were() -> None:
    playout = Playout(lead_s=10.0, message_s=0.2)
    for _ in range(25):
        playout.add(1, 0, b"\x02" * 100)
    playout.finish(1, 0)

    sizes = [len(item.payload) for item in playout.take(0.0) if isinstance(item, SendAudio)]
    assert sizes == [160, 1600, 740]


def test_a_mark_tells_that_a_sentence_began_and_another_that_it_ended() -> None:
    playout = Playout()
    playout.add(3, 2, b"\x01" * 400)
    playout.finish(3, 2)
    sent = playout.take(now=5.0)

    assert sent[0] == SendAudio(b"\x01" * 160, begins=(3, 2))
    assert marks(sent) == ["3:2:begin:0", "3:2:end:0"]
    assert playout.echoed("3:2:begin:0", 5.1) == [Begun(3, 2)]
    assert playout.echoed("3:2:begin:0", 5.1) == []
    assert playout.echoed("3:2:end:0", 5.2) == [Heard(3, 2)]
    assert playout.wakes_at() is None


def test_a_long_sentence_has_marks_within() -> None:
    playout = Playout(lead_s=100.0, mark_s=2.0)
    playout.add(1, 0, SECOND * 5)
    playout.finish(1, 0)

    assert marks(playout.take(0.0)) == ["1:0:begin:0", "1:0:16000:0", "1:0:32000:0", "1:0:end:0"]


def test_a_mark_within_proves_that_the_sentence_began() -> None:
    playout = Playout(lead_s=100.0)
    playout.add(1, 0, SECOND * 5)
    playout.take(0.0)

    assert playout.echoed("1:0:16000:0", 2.0) == [Begun(1, 0)]


def test_a_sentence_begins_once_however_many_marks_come_back() -> None:
    playout = Playout(lead_s=100.0)
    playout.add(1, 0, SECOND * 5)
    playout.take(0.0)

    assert [playout.echoed(f"1:0:{part}:0", 2.0) for part in ("begin", "16000", "32000")] == [[Begun(1, 0)], [], []]


def test_an_echo_of_a_later_sentence_proves_the_earlier_ones() -> None:
    playout = Playout()
    for sentence in range(3):
        playout.add(1, sentence, b"\x01" * 160)
        playout.finish(1, sentence)
    playout.take(0.0)

    assert playout.echoed("1:2:end:0", 0.1) == [Heard(1, 0, lost_mark=True), Heard(1, 1, lost_mark=True), Heard(1, 2)]


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
    assert marks(playout.take(0.0)) == ["1:0:begin:0"]
    playout.add(1, 0, b"\x01" * 160)
    playout.finish(1, 0)
    assert marks(playout.take(1.0)) == ["1:0:end:0"]


def test_a_sentence_behind_an_unfinished_one_is_no_reason_to_wake() -> None:
    playout = Playout()
    playout.add(1, 0, b"\x01" * 160)
    playout.take(0.0)
    playout.add(1, 1, b"\x01" * 160)

    assert playout.take(5.0) == []
    assert playout.wakes_at() is None


def test_after_a_drop_the_echoes_that_come_back_stand_for_nothing_heard() -> None:
    playout = Playout(lead_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.finish(1, 0)
    playout.add(1, 1, SECOND)
    playout.finish(1, 1)
    sent = playout.take(now=0.0)

    playout.echoed("1:0:begin:0", 0.02)
    assert playout.drop(now=0.5) == Cut(1, 0, 0.5 / 4, 0.5)
    assert playout.drop(now=0.6) is None
    assert [playout.echoed(name, 0.7) for name in marks(sent)] == [[]]
    assert playout.wakes_at() is None


def test_speech_after_a_drop_starts_at_once() -> None:
    playout = Playout(lead_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)
    playout.drop(now=0.1)
    playout.add(2, 0, SECOND)
    playout.finish(2, 0)

    assert len(audio(playout.take(now=0.1))) == 8000


def test_what_was_dropped_before_it_was_sent_was_not_heard_at_all() -> None:
    playout = Playout()
    playout.finish(1, 0)
    assert playout.drop(now=9.0) == Cut(1, 0, 0.0, 0.0)


def test_the_clock_of_playback_is_set_by_the_carriers_echoes() -> None:
    playout = Playout()
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)

    playout.echoed("1:0:begin:0", 0.32)  # 300 ms later than if the carrier had played at once
    cut = playout.drop(now=0.8)
    assert cut is not None
    assert cut.fraction == pytest.approx(0.5 / 4)


def test_what_a_mark_denies_is_not_counted_as_heard() -> None:
    playout = Playout(lead_s=100.0, mark_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)
    playout.echoed("1:0:begin:0", 0.02)

    assert playout.drop(now=1.4) == Cut(1, 0, 1 / 4, 1.0)  # the mark after one second has not come back


def test_a_mark_whose_echo_is_long_due_denies_nothing_any_more() -> None:
    playout = Playout(lead_s=100.0, mark_s=1.0)
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)
    playout.echoed("1:0:begin:0", 0.02)

    assert playout.drop(now=1.6) == Cut(1, 0, 1.6 / 4, 1.6)


def test_nothing_is_counted_as_heard_while_the_first_echo_may_be_on_its_way() -> None:
    playout = Playout()
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)

    assert playout.drop(now=0.4) == Cut(1, 0, 160 / 32000, 0.02)


def test_sentences_whose_time_is_long_up_were_heard_though_their_marks_are_lost() -> None:
    playout = Playout()
    for sentence in range(3):
        playout.add(1, sentence, SECOND)
        playout.finish(1, sentence)
    for now in (0.0, 1.0, 2.0):
        playout.take(now)

    assert playout.hold(now=2.6) == [Heard(1, 0, lost_mark=True), Heard(1, 1, lost_mark=True)]
    cut = playout.drop(now=2.7)
    assert cut is not None
    assert (cut.sentence, round(cut.fraction, 2)) == (2, 0.6)


def test_dropping_speech_that_was_all_played_tells_so() -> None:
    playout = Playout()
    playout.add(1, 0, SECOND)
    playout.finish(1, 0)
    playout.take(0.0)

    assert playout.drop(now=1.6) == Cut(1, 0, 1.0, math.inf)


def test_speech_that_a_stalled_line_held_up_is_late_from_there_on() -> None:
    playout = Playout(lead_s=1.0)
    playout.add(1, 0, SECOND * 4)
    sent = playout.take(now=0.0)
    playout.echoed("1:0:begin:0", 0.42)  # 0.4 s late
    sent += playout.take(now=0.9)

    assert len(audio(sent)) == 1.62 * 8000  # a second ahead of the half that was heard, and the rest of a message
    cut = playout.drop(now=0.9)
    assert cut is not None
    assert cut.heard_s == pytest.approx(0.5, abs=0.001)


def test_held_speech_goes_on_a_little_before_where_it_was_cut() -> None:
    playout = Playout(lead_s=1.0, repeat_s=0.3)
    whole = bytes(n // 160 % 250 for n in range(32000))
    playout.add(1, 0, whole)
    playout.finish(1, 0)
    playout.take(now=0.0)
    playout.echoed("1:0:begin:0", 0.02)

    playout.hold(now=1.0)
    assert playout.is_held
    assert playout.take(now=5.0) == []
    assert playout.wakes_at() is None
    playout.resume()
    resumed = playout.take(now=5.0)
    assert audio(resumed) == whole[5600 : 5600 + len(audio(resumed))]
    assert not any(item.begins for item in resumed if isinstance(item, SendAudio))


def test_what_was_cut_near_its_beginning_is_said_again_from_the_first_sound() -> None:
    playout = Playout(repeat_s=0.3)
    whole = bytes(n % 250 for n in range(4000))
    playout.add(1, 0, whole)
    playout.finish(1, 0)
    playout.take(now=0.0)
    playout.hold(now=0.1)
    playout.resume()

    assert audio(playout.take(now=1.0)) == whole


def test_a_message_is_sent_when_it_is_full_or_the_carrier_would_run_dry() -> None:
    playout = Playout(lead_s=1.0, message_s=0.2, reserve_s=0.2)
    playout.add(1, 0, SECOND[:3360])
    assert [len(each.payload) for each in playout.take(now=0.0) if isinstance(each, SendAudio)] == [160, 1600, 1600]

    playout.add(1, 0, SECOND[:800])
    assert playout.take(now=0.0) == []
    assert playout.wakes_at() == pytest.approx(0.22)
    assert len(audio(playout.take(now=0.221))) == 800

    playout.add(1, 0, SECOND[:400])
    playout.finish(1, 0)
    assert len(audio(playout.take(now=0.23))) == 400


def test_nothing_is_counted_as_heard_of_sentences_behind_the_one_that_was_held() -> None:
    playout = Playout(lead_s=10.0)
    for sentence in range(2):
        playout.add(1, sentence, SECOND)
        playout.finish(1, sentence)
    playout.take(now=0.0)
    playout.hold(now=1.25)  # by the clock the second has begun, but no echo says so
    playout.resume()
    playout.take(now=2.0)
    playout.echoed("1:0:end:1", 2.25)

    assert playout.drop(now=2.25) == Cut(1, 1, 0.0, 0.0)


def test_marks_of_before_every_pause_prove_nothing_after_the_last() -> None:
    playout = Playout()
    playout.add(1, 0, b"\x01" * 400)
    playout.finish(1, 0)
    before: list[str] = []
    for now in (0.0, 1.0, 2.0):
        before += marks(playout.take(now))
        playout.hold(now)
        playout.resume()
    playout.take(now=3.0)

    assert [playout.echoed(name, 3.1) for name in before] == [[]] * 6


def test_marks_of_before_a_pause_prove_nothing_after_it() -> None:
    playout = Playout()
    playout.add(1, 0, SECOND)
    playout.finish(1, 0)
    before = marks(playout.take(now=0.0))
    playout.hold(now=0.5)
    playout.resume()
    after = marks(playout.take(now=1.0))

    assert [playout.echoed(name, 1.1) for name in before] == [[], []]
    assert [playout.echoed(name, 2.0) for name in after][-1] == [Heard(1, 0)]


def test_a_sentence_cut_twice_keeps_what_was_heard_the_first_time() -> None:
    playout = Playout(repeat_s=0.0)
    playout.add(1, 0, SECOND * 4)
    playout.take(now=0.0)
    playout.echoed("1:0:begin:0", 0.02)
    playout.hold(now=1.0)
    playout.resume()
    playout.take(now=2.0)
    playout.hold(now=2.5)

    cut = playout.drop(now=3.0)
    assert cut is not None
    assert cut.fraction == pytest.approx(1.5 / 4, abs=0.01)


@given(st.floats(0.0, 1e6), st.floats(0.1, 2.0), st.floats(0.1, 5.0), st.lists(st.integers(0, 9000), max_size=5))
def test_whoever_wakes_when_told_has_something_to_do(
    began_at: float, lead: float, limit: float, sizes: list[int]
) -> None:
    playout = Playout(lead_s=lead, mark_limit_s=limit)
    for number, size in enumerate(sizes):
        playout.add(1, number, bytes(size))
        playout.finish(1, number)
    playout.take(began_at)
    while (at := playout.wakes_at()) is not None:
        assert playout.take(at) or playout.overdue(at)


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
    ends = [name for name in marks(sent) if ":end:" in name]
    assert ends == [f"1:{number}:end:0" for number in range(len(sentences))]
    heard = [fact for name in marks(sent) for fact in playout.echoed(name, now) if isinstance(fact, Heard)]
    assert heard == [Heard(1, number) for number in range(len(sentences))]
