"""Text made safe to say, and cut into pieces short enough to be spoken soon."""

import re
import unicodedata

PIECE_LENGTH = 200  # characters: about 12 s of speech, synthesised in about 0.15 s

_SPOKEN_SYMBOLS = frozenset("$£€¥%&@#+=<>°*/")
_PUNCTUATION = frozenset(" .,;:!?'\"()-")
_LOOKALIKES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": ",", "…": ".", "\n": " ", "\t": " "}
)
_LONG_NUMBER = re.compile(r"\d{10,}")  # longer than the names of numbers go
_LONG_WORD = re.compile(r"(\w{40})(?=\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+")
_SPACE = re.compile(r"\s+")


def sayable(text: str) -> str:
    """The part of a text that has a sound: letters, digits, common symbols and punctuation, in composed form.

    Long runs of digits are spelled; a text with nothing to say becomes empty.
    """
    composed = unicodedata.normalize("NFKC", text.translate(_LOOKALIKES))
    kept = "".join(letter if _has_sound(letter) else " " for letter in composed)
    spelled = _LONG_NUMBER.sub(lambda digits: " ".join(digits[0]), kept)
    tidy = _SPACE.sub(" ", _LONG_WORD.sub(r"\1 ", spelled)).strip()
    return tidy if any(letter.isalnum() for letter in tidy) else ""


def pieces(text: str, longest: int = PIECE_LENGTH) -> list[str]:
    """A text in sentences; one longer than `longest` characters is cut after a clause, or else between words."""
    return [piece for sentence in _SENTENCE_END.split(text) for piece in _cut(sentence, longest) if piece]


def _cut(sentence: str, longest: int) -> list[str]:
    if len(sentence) <= longest:
        return [sentence.strip()]
    found: list[str] = []
    for clause in _CLAUSE_END.split(sentence):
        for part in _lines(clause, longest):
            if found and len(found[-1]) + 1 + len(part) <= longest:
                found[-1] += " " + part
            else:
                found.append(part)
    return found


def _lines(clause: str, longest: int) -> list[str]:
    """A clause in runs of whole words; a single word longer than `longest` stays whole."""
    lines: list[str] = []
    for word in clause.split():
        if lines and len(lines[-1]) + 1 + len(word) <= longest:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _has_sound(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] == "L" or category in ("Nd", "Mn") or letter in _SPOKEN_SYMBOLS or letter in _PUNCTUATION
