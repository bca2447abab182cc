from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio.board import CallBoard, Dial, Fate, HangUp, Lost, Reconnect

NUMBER = "+14155550100"


def test_a_call_that_was_ended_is_hung_up() -> None:
    board = CallBoard()
    board.expected("CA1", 0)
    board.streaming("CA1", 1)
    board.ended("CA1", 2)
    assert board.after_stream("CA1", 3) == HangUp()
    assert board.after_stream("CA1", 4) == HangUp()


def test_a_call_that_is_transferred_is_put_through_however_often_twilio_asks() -> None:
    board = CallBoard()
    board.streaming("CA1", 1)
    board.transferring("CA1", NUMBER, 2)
    assert board.after_stream("CA1", 3) == board.after_stream("CA1", 4) == Dial(NUMBER)
    board.ended("CA1", 5)
    assert board.after_stream("CA1", 6) == HangUp()


@pytest.mark.parametrize("post", [None, CallBoard.expected, CallBoard.streaming])
def test_a_stream_that_nobody_ended_was_lost(post: Callable[[CallBoard, str, float], None] | None) -> None:
    board = CallBoard()
    if post:
        post(board, "CA1", 0)
    assert board.after_stream("CA1", 1) == Lost()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("no-answer", "nobody answered"),
        ("busy", "the line was busy"),
        ("failed", "the number could not be reached"),
        ("canceled", "the call to it was given up"),
    ],
)
def test_a_caller_who_was_not_put_through_may_come_back(status: str, reason: str) -> None:
    board = CallBoard()
    board.transferring("CA1", NUMBER, 1)
    assert board.after_dial("CA1", status, 2) == Reconnect(reason)
    board.returning("CA1", 3)
    assert board.after_dial("CA1", status, 4) == Reconnect(reason)
    assert board.after_stream("CA1", 5) == Lost()  # the stream they came back to could not be opened


@pytest.mark.parametrize("status", ["completed", "answered", "", "nonsense"])
def test_a_caller_who_was_put_through_is_done(status: str) -> None:
    board = CallBoard()
    board.transferring("CA1", NUMBER, 1)
    assert board.after_dial("CA1", status, 2) == HangUp()


@pytest.mark.parametrize("post", [None, CallBoard.expected, CallBoard.streaming, CallBoard.ended])
def test_a_transfer_of_another_process_cannot_come_back(post: Callable[[CallBoard, str, float], None] | None) -> None:
    board = CallBoard()
    if post:
        post(board, "CA1", 0)
    assert board.after_dial("CA1", "busy", 1) == Lost()


def test_a_number_is_in_no_repr() -> None:
    assert "415" not in repr(Dial(NUMBER))


def test_calls_are_forgotten_after_their_lifetime_since_the_last_touch() -> None:
    board = CallBoard(lifetime_s=10)
    board.ended("CA1", 0)
    board.expected("CA2", 1)
    board.ended("CA2", 5)
    assert board.fate("CA1", 9.9) is Fate.ENDED
    assert board.fate("CA1", 10) is None
    assert board.after_stream("CA1", 10) == Lost()
    assert board.fate("CA2", 14) is Fate.ENDED
    assert board.fate("CA2", 15) is None


def test_a_full_board_forgets_the_call_touched_longest_ago() -> None:
    board = CallBoard(capacity=2)
    board.expected("CA1", 0)
    board.expected("CA2", 1)
    board.streaming("CA1", 2)
    board.expected("CA3", 3)
    assert [board.fate(sid, 4) for sid in ("CA1", "CA2", "CA3")] == [Fate.STREAMING, None, Fate.EXPECTED]


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["expected", "streaming", "ended"]), st.floats(0, 9)))
)
def test_the_last_statement_within_its_lifetime_counts(posts: list[tuple[str, str, float]]) -> None:
    board, now, last = CallBoard(capacity=5, lifetime_s=20), 0.0, dict[str, tuple[str, float]]()
    for sid, statement, step_s in posts:
        now += step_s
        getattr(board, statement)(sid, now)
        last[sid] = (statement, now)
    for sid in "abcde":
        statement, posted_at = last.get(sid, ("", now))
        assert board.fate(sid, now) == (statement if statement and now < posted_at + 20 else None)
