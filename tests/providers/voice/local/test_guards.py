import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.guards import (
    Decoded,
    is_doubtful,
    is_runaway,
    is_speech,
    longest_run,
    token_limit,
    without_runaway,
    words_of,
)

WORDS = st.lists(st.sampled_from(["yes", "no", "seven", "table", "please", "four"]), max_size=12)


def decoded(text: str, tokens: int = 3, log_probability: float = -0.3, no_speech: float = 0.05) -> Decoded:
    return Decoded(text, tokens, log_probability, no_speech)


@given(st.floats(0, 30), st.floats(0, 30))
def test_longer_speech_may_hold_more_tokens(shorter: float, more: float) -> None:
    assert 5 <= token_limit(shorter) <= token_limit(shorter + more)


@pytest.mark.parametrize(
    ("text", "tokens", "active_s"),
    [
        ("Please send it to my office. Please send it to my office. Please send it", 30, 2.0),
        ("5 5 5 5 5 5 5 5 5 5 5 5 5 5", 14, 1.5),
        ("Yes. Yes. Yes. Yes. Yes. Yes. Yes. Yes.", 16, 0.4),
        (". . . . . . . . . . . . . . . . . . . .", 40, 3.0),
    ],
)
def test_more_than_fits_into_the_time_is_a_runaway(text: str, tokens: int, active_s: float) -> None:
    assert is_runaway(decoded(text, tokens), active_s)


@pytest.mark.parametrize(
    ("text", "tokens", "active_s"),
    [
        ("No, no, no, no!", 8, 0.9),
        ("5 5 5 5", 4, 1.0),
        ("Hello? Hello? Is anybody there?", 8, 1.6),
        ("And Mr. John Dashwood had then leisure to consider how much there might be.", 17, 3.5),
        ("Bye bye bye.", 4, 0.5),
    ],
)
def test_what_people_do_say_twice_is_not(text: str, tokens: int, active_s: float) -> None:
    assert not is_runaway(decoded(text, tokens), active_s)


@pytest.mark.parametrize(
    "text",
    [
        "487 487",
        "805805805",
        "My number is 00615. My number is 00615.",
        "Yes, that is correct. Yes, that is correct.",
        "no no no no",
    ],
)
def test_what_is_said_twice_in_a_row_is_worth_a_second_look(text: str) -> None:
    assert is_doubtful(decoded(text), 10.0)


@pytest.mark.parametrize("text", ["", "Yes yes.", "555-201-8469", "I said I would", "no, no, no", "$1,000"])
def test_what_is_not_is_taken_at_once(text: str) -> None:
    assert not is_doubtful(decoded(text), 10.0)


@given(st.text(), st.integers(0, 100), st.floats(0, 30))
def test_a_runaway_is_always_doubtful(text: str, tokens: int, active_s: float) -> None:
    result = decoded(text, tokens)
    assert is_doubtful(result, active_s) >= is_runaway(result, active_s)


@pytest.mark.parametrize(
    ("text", "length"),
    [("a b c", 0), ("a a", 0), ("a a a", 3), ("x a a a a y", 4), ("a b a b a b", 6), ("a b a b c a b", 0)],
)
def test_a_run_is_three_times_the_same(text: str, length: int) -> None:
    assert longest_run(text.split()) == length


@given(WORDS, st.integers(3, 6))
def test_what_is_repeated_makes_a_run_at_least_as_long(words: list[str], times: int) -> None:
    assert longest_run(words * times) == len(words) * times


@given(WORDS)
def test_a_run_is_never_longer_than_the_text(words: list[str]) -> None:
    assert longest_run(words) <= len(words)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Send it to my office. Send it to my office. Send it", "Send it to my office."),
        ("Yes. Yes. Yes. Yes. Yes.", "Yes."),
        ("I want to to to to to", "I want to"),
        ("My code is 5 5 5 5 5 5 5", ""),
        ("4 7 2 4 7 2 4 7 2", ""),
        ("nothing comes back here", ""),
        ("", ""),
    ],
)
def test_a_runaway_is_kept_up_to_where_it_starts_over(text: str, kept: str) -> None:
    assert without_runaway(text) == kept


@given(st.text())
def test_any_text_can_be_cut_and_only_loses(text: str) -> None:
    assert text.startswith(without_runaway(text))


@pytest.mark.parametrize("text", ["Thank you.", "You", "Bye.", "Oh!", "Beep beep beep", "I'm..."])
def test_a_phantom_is_dropped_over_noise_and_kept_when_spoken(text: str) -> None:
    assert not is_speech(decoded(text, no_speech=0.55))
    assert is_speech(decoded(text, log_probability=-1.7, no_speech=0.35))


@pytest.mark.parametrize(
    ("log_probability", "no_speech", "spoken"),
    [(-0.2, 0.1, True), (-2.5, 0.4, True), (-0.4, 0.7, True), (-1.5, 0.7, False), (-0.1, 0.9, False)],
)
def test_a_sentence_is_dropped_when_the_decoder_doubts_it(
    log_probability: float, no_speech: float, spoken: bool
) -> None:
    text = "I'm going to go to the ground."
    assert is_speech(decoded(text, 9, log_probability, no_speech)) is spoken


@pytest.mark.parametrize("text", ["", ".", ". . . . .", "…", "♪ ♪"])
def test_marks_without_words_say_nothing(text: str) -> None:
    assert not is_speech(decoded(text))


@given(st.text(), st.integers(0, 500), st.floats(-10, 0), st.floats(0, 1), st.floats(0, 30))
def test_every_result_is_judged(text: str, tokens: int, log_probability: float, no_speech: float, s: float) -> None:
    result = Decoded(text, tokens, log_probability, no_speech)
    assert isinstance(is_runaway(result, s), bool)
    assert not is_speech(result) or words_of(text)


@given(st.text(min_size=1), st.floats(-10, 0), st.floats(0, 1), st.floats(0, 1))
def test_doubt_never_helps(text: str, log_probability: float, no_speech: float, more: float) -> None:
    surer = Decoded(text, 3, log_probability, no_speech * more)
    less_sure = Decoded(text, 3, log_probability, no_speech)
    assert is_speech(surer) >= is_speech(less_sure)


def test_words_keep_their_apostrophes() -> None:
    assert words_of("That’s WRONG, isn't it? 47-29") == ["that's", "wrong", "isn't", "it", "47", "29"]
