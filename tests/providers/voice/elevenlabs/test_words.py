from hypothesis import given
from hypothesis import strategies as st

from providers.voice.elevenlabs.words import SpelledWords
from providers.voice.types import WordTiming


def test_whitespace_ends_a_word() -> None:
    words = SpelledWords()
    for number, character in enumerate("Hi you "):
        words.add(character, number, number + 1.0)
    assert words.timings == (WordTiming("Hi", 0, 2.0), WordTiming("you", 3, 6.0))


@given(st.text())
def test_the_words_are_those_of_the_text_in_order(text: str) -> None:
    words = SpelledWords()
    for number, character in enumerate(text):
        words.add(character, number, number + 1.0)
    assert [timing.word for timing in words.timings] == text.split()
    times = [time for timing in words.timings for time in (timing.start_s, timing.stop_s)]
    assert times == sorted(times)
