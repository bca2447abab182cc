"""What is left of a text: exact where words are timed, learned where they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.remainder import USUAL_S, Pace
from providers.voice.types import WordTiming

TEXT = "We open at noon."


def timings(*ends_s: float) -> list[WordTiming]:
    return [WordTiming(word, 0.0, end_s) for word, end_s in zip(TEXT.split(), ends_s, strict=False)]


@pytest.mark.parametrize(
    ("spoken_s", "rest"), [(0.0, TEXT), (0.1, TEXT), (0.5, "open at noon."), (1.0, "at noon."), (9.0, "")]
)
def test_timed_words_are_followed(spoken_s: float, rest: str) -> None:
    assert Pace().rest(TEXT, spoken_s, timings(0.3, 1.0, 1.2, 2.0)) == rest


def test_timings_that_are_not_all_there_are_not_trusted() -> None:
    assert Pace().rest(TEXT, 9 * USUAL_S, timings(0.1)) == "at noon."


def test_an_engine_that_speaks_slowly_is_known_by_what_it_said() -> None:
    pace = Pace()
    pace.learn("0123456789", 2.0)
    assert pace.rest(TEXT, 1.8) == "at noon."
    for _ in range(20):
        pace.learn("0123456789", 1.0)
    assert pace.rest(TEXT, 0.9) == "at noon."


def test_a_text_of_which_nothing_was_said_stays_whole() -> None:
    assert Pace().rest("  Hello. ", 0.0) == "  Hello. "


@given(st.text(), st.floats(0, 100), st.floats(0, 100))
def test_what_is_left_is_an_end_of_the_text_and_shrinks_as_it_is_said(text: str, one_s: float, other_s: float) -> None:
    pace = Pace()
    pace.learn("", 1.0)
    pace.learn("Hello.", 0.3)
    more, less = (pace.rest(text, spoken_s) for spoken_s in sorted((one_s, other_s)))
    assert text.endswith(more)
    assert more.endswith(less)
