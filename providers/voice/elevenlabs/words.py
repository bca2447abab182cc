"""Words with their times, put together from characters with theirs."""

from collections.abc import Sequence

from providers.voice.types import WordTiming


class SpelledWords:
    """Takes characters in order; whitespace ends a word."""

    def __init__(self) -> None:
        self._words: list[WordTiming] = []
        self._is_open = False

    @property
    def timings(self) -> Sequence[WordTiming]:
        """The words so far, the last perhaps not yet whole."""
        return tuple(self._words)

    def add(self, character: str, start_s: float, stop_s: float) -> None:
        """The next character of the text, and when it is said."""
        if not character.strip():
            self._is_open = False
        elif self._is_open:
            word = self._words.pop()
            self._words.append(WordTiming(word.word + character, word.start_s, stop_s))
        else:
            self._is_open = True
            self._words.append(WordTiming(character, start_s, stop_s))
