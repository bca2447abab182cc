import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.pieces import pieces, sayable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello, Anna – it’s 5 °C!", "Hello, Anna - it's 5 °C!"),
        ("a\nb\tc\u200bd\x00", "a b c d"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "Full width"),
        ("café au lait", "café au lait"),
        ("🙂 Great 🎉", "Great"),
        ("5552018469", "5 5 5 2 0 1 8 4 6 9"),
        ("$9.99 & 20%", "$9.99 & 20%"),
        ("one — two … three", "one , two . three"),
    ],
)
def test_what_has_a_sound_is_kept(text: str, said: str) -> None:
    assert sayable(text) == said


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "🙂", "\x00\ud800", "—", "$", "'\"'"])
def test_what_has_none_is_empty(text: str) -> None:
    assert sayable(text) == ""


@given(st.text())
def test_a_sayable_text_is_plain_and_stays_as_it_is(text: str) -> None:
    said = sayable(text)
    assert said == said.strip()
    assert not re.search(r"\d{10}|\s\s|[\x00-\x1f]", said)
    assert sayable(said) == said


def test_sentences_are_pieces() -> None:
    assert pieces("Hello there. How are you? Fine!") == ["Hello there.", "How are you?", "Fine!"]
    assert pieces("") == []


def test_a_long_sentence_is_cut_after_clauses_and_they_are_not_cut_smaller_than_needed() -> None:
    text = "First we look, then we jump, and in the end we fall, all of us."
    assert pieces(text, longest=32) == ["First we look, then we jump,", "and in the end we fall,", "all of us."]


def test_a_long_clause_is_cut_between_words() -> None:
    assert pieces("one two three four", longest=9) == ["one two", "three", "four"]


@given(st.text("ab ,.!?;", max_size=80), st.integers(1, 20))
def test_nothing_is_lost_and_no_piece_is_too_long(text: str, longest: int) -> None:
    found = pieces(text, longest)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(piece == piece.strip() and piece for piece in found)
    assert all(len(piece) <= longest or " " not in piece for piece in found)
