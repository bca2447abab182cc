"""How long a silence ends the caller's turn, given what was said, what was asked and how this caller pauses."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Self

from telephony.call import english
from telephony.call.expectation import Expectation, is_answer

_OPEN_MARKS = (",", ";", ":", "…", "–", "—", "-", "..")


class Completeness(StrEnum):
    """Whether the caller's words look as if more were to come."""

    COMPLETE = "complete"
    UNCLEAR = "unclear"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class EndpointingRules:
    """The thresholds of the end of a turn.

    Raises ValueError unless 0 < short ≤ normal ≤ long and 0 < quickest ≤ 1 ≤ slowest.
    """

    short_s: float = 0.3
    """Silence after words that look complete."""
    normal_s: float = 0.5
    """Silence after words that say nothing about it."""
    long_s: float = 1.2
    """Silence in the middle of a sentence, a number or a spelled name."""

    pause_margin: float = 1.3
    """The normal silence of a caller who has paused before is their usual pause times this …"""
    quickest_pace: float = 0.8
    """… but no silence gets shorter than itself times this,"""
    slowest_pace: float = 1.5
    """nor longer than itself times this."""
    pause_weight: float = 0.25
    """Share of the newest pause in the usual one."""
    longest_pause_s: float = 2.0
    """A longer pause counts as this one."""

    sentence_words: int = 4
    """Fewer words are not taken for a complete sentence."""
    number_digits: int = 7
    """Fewer digits are not taken for a complete number."""
    stray_groups: int = 3
    """So many groups of digits in a row are a number that was not asked for …"""
    stray_digits: int = 6
    """… and so are two groups with as many digits as this."""
    stray_letters: int = 3
    """So many single letters in a row are a name being spelled unasked."""

    def __post_init__(self) -> None:
        if not 0 < self.short_s <= self.normal_s <= self.long_s:
            raise ValueError("the silences must be above 0 and in the order short, normal, long")
        if not 0 < self.quickest_pace <= 1 <= self.slowest_pace:
            raise ValueError("the pace must be bounded by a ratio up to 1 and one from 1")

    @classmethod
    def around(cls, normal_s: float) -> Self:
        """The rules for an operator's choice of the normal silence; 0.5 s gives the defaults."""
        return cls(short_s=0.6 * normal_s, normal_s=normal_s, long_s=normal_s + 0.7)


class PauseModel:
    """One caller's usual pause: an exponential average of the silences after which they went on."""

    def __init__(self, limits: EndpointingRules) -> None:
        self._limits = limits
        self._usual_s = limits.normal_s / limits.pause_margin

    @property
    def usual_s(self) -> float:
        return self._usual_s

    @property
    def pace(self) -> float:
        """What every silence is multiplied by for this caller; 1 until they have paused."""
        limits = self._limits
        pace = self._usual_s * limits.pause_margin / limits.normal_s
        return max(limits.quickest_pace, min(pace, limits.slowest_pace))

    def went_on(self, silence_s: float) -> None:
        """The caller paused this long and went on.

        Report as well a silence that had wrongly ended their turn: if only the pauses shorter than the threshold were
        learnt from, the threshold could do nothing but fall.
        """
        silence_s = max(0.0, min(silence_s, self._limits.longest_pause_s))
        self._usual_s += self._limits.pause_weight * (silence_s - self._usual_s)


def silence_s(text: str | None, expected: Expectation, pauses: PauseModel | None, limits: EndpointingRules) -> float:
    """The silence, in seconds, that ends a turn of these words; None while no words are known.

    Always between `short_s * quickest_pace` and `long_s * slowest_pace`.
    """
    verdict = Completeness.UNCLEAR if text is None else completeness(text, expected, limits)
    base_s = {
        Completeness.COMPLETE: limits.short_s,
        Completeness.UNCLEAR: limits.normal_s,
        Completeness.UNFINISHED: limits.long_s,
    }[verdict]
    return base_s if pauses is None else base_s * pauses.pace


def completeness(text: str, expected: Expectation, limits: EndpointingRules) -> Completeness:
    """Judge the caller's words so far; any text will do, in any language but English it is judged badly.

    A full stop proves little, recognisers end almost anything with one: it must close something like a sentence.
    """
    words = english.words(text)
    if not words:
        return Completeness.UNCLEAR
    if english.closing_marks(text).endswith(_OPEN_MARKS) or _is_hanging(text, words):
        return Completeness.UNFINISHED
    said = " ".join(words)
    verdict = _number(words, expected is Expectation.NUMBER or bool(english.NUMBER_ASKED.search(said)), limits)
    if verdict is None:
        asked = expected is Expectation.SPELLING or bool(english.SPELLING_ASKED.search(said))
        verdict = _spelling(words, asked, limits)
    if verdict is not None:
        return verdict
    if expected in (Expectation.NUMBER, Expectation.SPELLING) and english.ACKNOWLEDGEMENT.fullmatch(said):
        return Completeness.UNFINISHED  # "sure", and now it comes
    if is_answer(words, expected) or english.CLOSING.search(said) or _is_sentence(text, limits):
        return Completeness.COMPLETE
    return Completeness.UNCLEAR


def _is_hanging(text: str, words: list[str]) -> bool:
    """Whether the last words want others after them."""
    said, last = " ".join(words), words[-1]
    if english.CLOSED_TAIL.search(said):
        return False
    if last in english.NEVER_LAST or last.endswith(english.PRONOUN_ENDINGS) or english.OPEN_TAIL.search(said):
        return True
    sentence = english.words(english.sentences(text)[-1])
    if english.OPENER.fullmatch(" ".join(sentence)):
        return True
    if last in english.TO_BE and len(words) > 1 and words[-2] in english.PRONOUNS:
        return "no" in words  # "no, it is" goes on with what it is; "yes, it is" does not
    asks = "?" in english.closing_marks(text) and not english.WH_WORDS.isdisjoint(words)
    return last in english.STRANDABLE and not asks


def _number(words: list[str], asked: bool, limits: EndpointingRules) -> Completeness | None:
    """Judge digits at the end of the words: phone numbers have 7 digits, 10, or 11 with a leading 0 or 1."""
    if not words[-1].isdecimal():
        return None
    groups = [word for word in words if word.isdecimal()] if asked else _trailing(words, str.isdecimal)
    digits = "".join(groups)
    is_stray = len(groups) >= limits.stray_groups or (len(groups) > 1 and len(digits) >= limits.stray_digits)
    if not asked and not is_stray:
        return None
    if len(digits) < limits.number_digits:
        return Completeness.UNFINISHED
    return Completeness.COMPLETE if len(digits) == (11 if digits[0] in "01" else 10) else Completeness.UNCLEAR


def _spelling(words: list[str], asked: bool, limits: EndpointingRules) -> Completeness | None:
    """Judge single letters at the end of the words: complete if they spell a word that was said, as in "Li, L I"."""
    letters = _trailing(words, lambda word: len(word) == 1 and word.isalpha())
    if len(letters) < (1 if asked else limits.stray_letters):
        return None
    return Completeness.COMPLETE if "".join(letters) in words[: -len(letters)] else Completeness.UNFINISHED


def _trailing(words: list[str], wanted: Callable[[str], bool]) -> list[str]:
    return list(takewhile(wanted, reversed(words)))[::-1]


def _is_sentence(text: str, limits: EndpointingRules) -> bool:
    """Whether the text ends in a question, or in a statement with a verb in its main clause."""
    sentence, mark = english.sentences(text)[-1], english.closing_marks(text)
    words = english.words(sentence)
    if "?" in mark:
        return True
    if not mark or len(words) < limits.sentence_words:
        return False
    if "," not in sentence and not english.SUBORDINATE.isdisjoint(words[:1]):
        return False  # "when I called yesterday"
    return any(word in english.VERBS or word.endswith(english.CONTRACTIONS) for word in words)
