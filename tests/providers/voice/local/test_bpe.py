from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.bpe import text_of


def spelled(text: str) -> list[str]:
    """Text as GPT-2 spells its bytes, one token a byte; written the long way round from the decoder's table."""
    shift = 0
    alphabet = {}
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xAC or byte >= 0xAE:
            alphabet[byte] = chr(byte)
        else:
            alphabet[byte] = chr(256 + shift)
            shift += 1
    return [alphabet[byte] for byte in text.encode()]


def test_words_begin_with_their_space() -> None:
    assert text_of(["ĠHello", ",", "Ġworld", "."]) == "Hello, world."


def test_special_tokens_are_not_text() -> None:
    assert text_of(["<|startoftranscript|>", "Ġyes", "<|0.00|>", "<|endoftext|>"]) == "yes"
    assert text_of([]) == ""


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_its_bytes(text: str) -> None:
    assert text_of(spelled(text)) == text.strip()


def test_half_a_letter_is_marked() -> None:
    assert text_of(spelled("né")[:-1]) == "n\ufffd"


@given(st.lists(st.text()))
def test_no_token_is_an_error(tokens: list[str]) -> None:
    assert isinstance(text_of([token.encode("utf-8", "replace").decode() for token in tokens]), str)
