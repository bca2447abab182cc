"""Word error rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator.words import normalised, word_error_rate


@pytest.mark.parametrize(
    ("reference", "heard", "rate"),
    [
        ("Hello, World!", "hello world", 0.0),
        ("a b c d", "a x c d", 0.25),
        ("a b c d", "a c d", 0.25),
        ("a b c d", "a b b c d", 0.25),
        ("a b", "c d e f", 2.0),
        ("", "", 0.0),
        ("...", "noise", 1.0),
        ("I have twenty-five dogs", "I have 25 dogs", 0.0),
        ("one hundred and twenty three", "123", 0.0),
        ("two thousand and five", "2005", 0.0),
        ("nineteen eighty four", "1984", 0.0),
        ("four one five five five five", "415 555", 0.0),
        ("1,250 dollars", "one thousand two hundred fifty dollars", 0.0),
        ("seven thirty", "7:30", 0.0),
        ("a hundred and a dog", "a 100 and a dog", 0.0),
        ("thirty and forty", "30 and 40", 0.0),
        ("don’t", "don't", 0.0),
    ],
)
def test_word_error_rate(reference: str, heard: str, rate: float) -> None:
    assert word_error_rate(reference, heard) == rate


@given(st.integers(1, 9), st.integers(2, 9), st.integers(1, 9))
def test_numbers_are_the_same_in_words_and_digits(hundreds: int, tens: int, ones: int) -> None:
    small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    ten = ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    spoken = f"{small[hundreds]} hundred and {ten[tens]}-{small[ones]}"
    assert normalised(spoken) == list(str(100 * hundreds + 10 * tens + ones))
    assert normalised(f"{small[hundreds]} hundred {small[ones]}") == list(str(100 * hundreds + ones))
    assert normalised(f"{small[hundreds]} thousand {ten[tens]}") == list(str(1000 * hundreds + 10 * tens))


texts = st.lists(st.sampled_from(["a", "b", "c", "one", "hundred", "and", "twenty", "7"]), max_size=8).map(" ".join)


@given(texts, texts)
def test_the_rate_is_a_distance(reference: str, heard: str) -> None:
    rate = word_error_rate(reference, heard)
    assert word_error_rate(reference, reference) == 0.0
    assert rate >= 0.0
    if normalised(reference) and normalised(heard):
        there, back = rate * len(normalised(reference)), word_error_rate(heard, reference) * len(normalised(heard))
        assert there == pytest.approx(back)
    assert (rate == 0.0) == (normalised(reference) == normalised(heard))
