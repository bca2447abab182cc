"""Numbers as callers say them: words, digits, ordinals, and the small words that sound like numbers."""

from collections.abc import Sequence

from agent.frontdesk.words import listing

_UNITS = dict(
    zip(
        listing(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen"
        ),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip(listing("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10), strict=True))
_ORDINALS = dict(
    zip(
        listing(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        range(1, 21),
        strict=True,
    )
) | {"thirtieth": 30}
_SOUNDS_LIKE = {"to": 2, "too": 2, "for": 4, "fore": 4, "ate": 8, "won": 1, "tree": 3, "sex": 6}
_REPEATS = {"double": 2, "triple": 3}

type Reading = tuple[int, int]
"""A value, and the place of the first word after it."""


def number(spoken: Sequence[str], at: int, *, by_sound: bool = False) -> Reading | None:
    """The number from 0 to 99 (or any in digits) that starts at a place; `by_sound` also takes `to` for two."""
    if at >= len(spoken):
        return None
    word = spoken[at]
    if word.isdecimal() and len(word) <= 6:
        return int(word), at + 1
    if word in _TENS:
        unit = _UNITS.get(spoken[at + 1], 0) if at + 1 < len(spoken) else 0
        return (_TENS[word] + unit, at + 2) if 0 < unit < 10 else (_TENS[word], at + 1)
    if word in _UNITS:
        return _UNITS[word], at + 1
    if by_sound and word in _SOUNDS_LIKE:
        return _SOUNDS_LIKE[word], at + 1
    return None


def ordinal(spoken: Sequence[str], at: int) -> Reading | None:
    """The ordinal that starts at a place: `third`, `twenty first`, `5th`."""
    if at >= len(spoken):
        return None
    word = spoken[at]
    if word[:-2].isdecimal() and len(word) <= 4:
        return int(word[:-2]), at + 1
    if word in _ORDINALS:
        return _ORDINALS[word], at + 1
    if word in _TENS and at + 1 < len(spoken) and 0 < _ORDINALS.get(spoken[at + 1], 0) < 10:
        return _TENS[word] + _ORDINALS[spoken[at + 1]], at + 2
    return None


def digits(spoken: Sequence[str]) -> str:
    """The longest run of digits said one after another, as in a telephone number; `oh` is 0, `double five` is 55."""
    best = run = ""
    times = 1
    for at, word in enumerate((*spoken, "")):
        if word in _REPEATS:
            times = _REPEATS[word]
            continue
        said = "0" if word in ("oh", "o") else _as_digits(spoken, at)
        run = run + said * times if said else ""
        times = 1
        best = max(best, run, key=len)
    return best


def _as_digits(spoken: Sequence[str], at: int) -> str:
    if at < len(spoken) and spoken[at].isdecimal() and spoken[at].isascii():
        return spoken[at]
    found = number(spoken[at : at + 1], 0)
    return str(found[0]) if found else ""
