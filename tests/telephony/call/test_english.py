"""Words as they sound: what two recognisers write differently compares equal, and no text is too odd or too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call import english

WORDS: list[tuple[str, str]] = [
    ("", ""),
    ("...", ""),
    (" \n\t", ""),
    ("Hello.", "hello"),
    ("I’d like a Table, please!", "i'd like a table please"),
    ("[music] Hello (coughs) there *sighs*", "hello there"),
    ("[BLANK_AUDIO]", ""),
    ("Mm-hmm.", "mhm"),
    ("mhm", "mhm"),
    ("Uh-huh, uh huh, um-hum", "mhm mhm mhm"),
    ("Mmhmm", "mhm"),
    ("mm", "mm"),
    ("Um, huhu", "um huhu"),
    ("the museum hmm", "the museum hmm"),
    ("at 7 a.m. or 8 p.m.", "at 7 am or 8 pm"),
    ("at 7 a. m.", "at 7 am"),
    ("the b.m. thing", "the b m thing"),
    ("five five five", "5 5 5"),
    ("zero nine", "0 9"),
    ("ten nineteen", "10 19"),
    ("555-201.3999", "555 201 3999"),
    ("7:30", "7 30"),
    ("twenty-five", "25"),
    ("twenty five", "25"),
    ("ninety nine", "99"),
    ("thirty forty", "30 40"),
    ("twenty ten", "20 10"),
    ("20 5", "20 5"),
    ("15 five", "15 5"),
    ("eight hundred", "8 00"),
    ("double oh seven", "0 0 7"),
    ("double five", "5 5"),
    ("Triple 4 2", "4 4 4 2"),
    ("triple o", "0 0 0"),
    ("double room", "double room"),
    ("a double", "a double"),
    ("seven oh one", "7 0 1"),
    ("5 o 5", "5 0 5"),
    ("oh no", "oh no"),
    ("S-M-I-T-H", "s m i t h"),
    ("café Zoë Straße", "café zoë strasse"),
    ("don't o'clock 'quoted'", "don't o'clock quoted"),
    ("snake_case", "snake case"),
    ("日本 ٣٤", "日本 ٣٤"),
    ("👍", ""),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words_are_compared_as_they_sound(text: str, expected: str) -> None:
    assert english.words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("Yes", ["Yes"]),
        (" Yes. It is!  Why? ", ["Yes.", "It is!", "Why?"]),
        ("Well… maybe", ["Well…", "maybe"]),
        ("3.5 euros", ["3.5 euros"]),
    ],
)
def test_a_text_is_cut_after_each_closing_mark(text: str, expected: list[str]) -> None:
    assert english.sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "marks"),
    [("", ""), ("Yes", ""), ("Yes.", "."), ("Well...", "..."), ("“Sure?” ", "?"), ("'No!' \"", "!"), ("so –", "–")],
)
def test_the_closing_marks_stand_without_quotation_marks(text: str, marks: str) -> None:
    assert english.closing_marks(text) == marks


def test_only_the_end_of_an_endless_text_is_looked_at() -> None:
    assert english.words("lost " * 1000 + "kept " * 200) == ["kept"] * 200
    assert english.closing_marks("x" + "?" * 5000) == "?" * 1000


@given(st.text())
def test_words_are_stable_and_hold_neither_capitals_nor_spaces(text: str) -> None:
    words = english.words(text)
    assert all(word and word == word.casefold() and not any(map(str.isspace, word)) for word in words)
    assert english.words(text) == words


@given(st.lists(st.sampled_from(["yes", "no", "that's right", "x"]), max_size=400))
def test_a_long_row_of_phrases_is_matched_at_once(phrases: list[str]) -> None:
    expected = bool(phrases) and "x" not in phrases
    assert (english.ANSWER.fullmatch(" ".join(phrases)) is not None) is expected
