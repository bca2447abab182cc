"""Word error rate: how much of what was said was heard."""

import re
from itertools import pairwise

_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000}
_NUMBER_WORDS = _SMALL.keys() | _TENS.keys() | _SCALES.keys()


def word_error_rate(reference: str, heard: str) -> float:
    """Substitutions, insertions and deletions per word of the reference (Levenshtein distance over words).

    Case and punctuation do not count, and numbers are the same in words and in digits. It can be over 1; with an
    empty reference it is 0 if nothing was heard, else 1.
    """
    said, got = normalised(reference), normalised(heard)
    if not said:
        return 1.0 if got else 0.0
    return _distance(said, got) / len(said)


def normalised(text: str) -> list[str]:
    """The words of a text as they are compared; every number is spelled digit by digit.

    Digit by digit because a telephone number, a year and a price are grouped differently when they are spoken.
    """
    text = re.sub(r"(?<=\d)[,.](?=\d)", "", text.lower().replace("’", "'"))
    words: list[str] = []
    run: list[str] = []
    for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+", text):
        if word in _NUMBER_WORDS or (word == "and" and run and run[-1] in _SCALES):
            run.append(word)
            continue
        words += [*_digits(run), *(word if word.isdigit() else [word])]
        run = []
    return words + _digits(run)


def _digits(run: list[str]) -> list[str]:
    """A run of number words as digits: `nineteen eighty four` is two numbers, and so `1 9 8 4`."""
    trailing = ["and"] if run and run[-1] == "and" else []
    numbers: list[int] = []
    total = current = 0
    open_number = False
    for before, word in pairwise(["", *(word for word in run if word != "and")]):
        if word in _SCALES:
            scaled = max(current, 1) * _SCALES[word]
            total, current = (total + scaled, 0) if word == "thousand" else (total, scaled)
        elif open_number and not _continues(before, word):
            numbers.append(total + current)
            total, current = 0, _value(word)
        else:
            current += _value(word)
        open_number = True
    if open_number:
        numbers.append(total + current)
    return [digit for number in numbers for digit in str(number)] + trailing


def _continues(before: str, word: str) -> bool:
    """Whether a word adds to the number that `before` belongs to: `twenty four`, `hundred nineteen`."""
    return before in _SCALES or (before in _TENS and 0 < _SMALL.get(word, 0) < 10)


def _value(word: str) -> int:
    return _SMALL.get(word, 0) or _TENS.get(word, 0)


def _distance(said: list[str], got: list[str]) -> int:
    row = list(range(len(got) + 1))
    for i, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
