from hypothesis import given
from hypothesis import strategies as st

from providers.voice.remote.turns import Step, Turn


def test_updates_between_turns_say_nothing() -> None:
    turn = Turn()
    assert not turn.take(Step.UPDATED, "")
    assert not turn.take(Step.UPDATED)
    assert not turn.is_open


def test_words_without_a_start_open_a_turn() -> None:
    turn = Turn()
    assert turn.take(Step.UPDATED, "and so")
    assert (turn.is_open, turn.is_over, turn.text) == (True, False, "and so")


def test_the_same_words_again_are_no_news_but_an_end_always_is() -> None:
    turn = Turn()
    assert turn.take(Step.STARTED)
    assert turn.take(Step.UPDATED, "yes")
    assert not turn.take(Step.UPDATED, "yes")
    assert turn.take(Step.ENDED, "yes")
    assert turn.take(Step.ENDED, "yes")


def test_a_new_turn_forgets_the_words_and_the_end_of_the_last() -> None:
    turn = Turn()
    turn.take(Step.ENDED, "Hello.")
    assert (turn.text, turn.is_over, turn.is_open) == ("Hello.", True, False)
    turn.take(Step.STARTED)
    assert (turn.text, turn.is_over, turn.is_open) == ("", False, True)


def test_steps_without_words_keep_them() -> None:
    turn = Turn()
    turn.take(Step.UPDATED, "a table")
    turn.take(Step.PAUSED)
    turn.take(Step.RESUMED)
    assert turn.text == "a table"


@given(st.lists(st.tuples(st.sampled_from(Step), st.none() | st.text(max_size=3))))
def test_a_turn_is_over_from_a_pause_or_an_end_until_something_else(steps: list[tuple[Step, str | None]]) -> None:
    turn = Turn()
    for step, text in steps:
        before = (turn.text, turn.is_open, turn.is_over)
        is_news = turn.take(step, text)
        assert is_news or before == (turn.text, turn.is_open, turn.is_over)
        if step is not Step.UPDATED:
            assert turn.is_over == (step in (Step.PAUSED, Step.ENDED))
            assert turn.is_open == (step is not Step.ENDED)
        elif before[1]:
            assert turn.is_over == before[2]
