"""How much of a text an engine had said when its audio broke off, so that another can say the rest."""

import re
from collections.abc import Sequence

from providers.voice.types import WordTiming

USUAL_S = 0.065
"""Seconds that a character takes, about 180 words a minute, until an engine has been heard to be slower or faster."""
_NEARLY_S = 0.02
"""A word that lacks no more than this has been said."""
_WEIGHT = 0.3  # of the newest text in an engine's pace


class Pace:
    """How fast one engine speaks, learned from the texts it has said to their end."""

    def __init__(self) -> None:
        self._character_s: float | None = None

    def learn(self, text: str, spoken_s: float) -> None:
        """The whole text took so long."""
        newest = spoken_s / max(1, len(text))
        self._character_s = (
            newest if self._character_s is None else ((1 - _WEIGHT) * self._character_s + _WEIGHT * newest)
        )

    def rest(self, text: str, spoken_s: float, timings: Sequence[WordTiming] = ()) -> str:
        """What is left of the text after so much audio of it, from the word that was not said to its end.

        Where the engine tells when its words are said that is exact; else it is estimated.
        """
        words = list(re.finditer(r"\S+", text))
        if len(timings) == len(words):
            ends_s = [timing.stop_s for timing in timings]
        else:
            ends_s = [word.end() * (self._character_s or USUAL_S) for word in words]
        unsaid = (word.start() for word, end_s in zip(words, ends_s, strict=True) if end_s > spoken_s + _NEARLY_S)
        return text[next(unsaid, len(text)) :] if spoken_s > 0 else text
