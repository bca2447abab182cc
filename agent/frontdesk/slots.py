"""Values a form needs that are neither day nor time: how many people, and a name."""

import re
from collections.abc import Sequence

from agent.frontdesk.numbers import number
from agent.frontdesk.times import MONTHS, WEEKDAYS
from agent.frontdesk.words import STOP, listing

_PEOPLE = frozenset(listing("people persons person guests guest adults adult diners seats pax folks friends of"))
_CHILDREN = frozenset(listing("children child kids kid babies baby"))
_BEFORE_PEOPLE = ("party of", "group of", "table for", "make it", "make that", "be", "are", "were", "for", "about")
_ALONE = ("just me", "only me", "by myself", "on my own", "myself", "alone")
_BOTH = ("both of us", "a couple", "the pair of us")

_NAME_CUES = ("my name is", "my names", "the name is", "the names", "name is", "in the name of", "under the name of")
_NAME_CUES_EXPECTED = ("under the name", "under", "this is", "call me", "it is", "its", "im", "i am", "for", "name")
_NO_NAME = (
    STOP - {"will", "may", "miss", "mark"}
    | frozenset(WEEKDAYS)
    | (frozenset(MONTHS) - {"may", "june", "april", "august"})
    | frozenset(
        listing("no not nope okay ok right correct wrong tomorrow today tonight first last name names speaking hold")
    )
)
_LONGEST_NAME = 4
_LONGEST_NAME_CHARACTERS = 60


def find_people(spoken: Sequence[str], *, expected: bool = False) -> int | None:
    """How many people a turn speaks of. The last number said counts, so `four, no, five` is five.

    A bare number counts only when `expected`; then a word that sounds like one does too.
    """
    text = f" {' '.join(spoken)} "
    if any(f" {phrase} " in text for phrase in _ALONE) and (expected or "table" in spoken):
        return 1
    if any(f" {phrase} " in text for phrase in _BOTH):
        return 2
    counted = children = None
    at = 0
    while at < len(spoken):
        reading = number(spoken, at, by_sound=_sound_counts(spoken, at, expected=expected))
        if reading is None:
            at += 1
            continue
        value, end = reading
        following = spoken[end] if end < len(spoken) else ""
        if following in _CHILDREN:
            children = value
        elif following in _PEOPLE or _introduced(spoken, at) or expected:
            counted = value
        at = end
    if counted is None:
        return children
    return counted + (children or 0)


def _sound_counts(spoken: Sequence[str], at: int, *, expected: bool) -> bool:
    """Whether `to` or `for` stands where a number must: alone, before `people`, at the end of `table for`."""
    following = spoken[at + 1] if at + 1 < len(spoken) else ""
    if following in _PEOPLE - {"of"} or (following == "of" and "us" in spoken[at + 2 : at + 3]):
        return True
    before = tuple(spoken[max(at - 2, 0) : at])
    ends = following in ("", "on", "at", "please", "tomorrow", "tonight", "today", *WEEKDAYS)
    if ends and before in (("table", "for"), ("party", "of"), ("make", "it")):
        return True
    return expected and len(spoken) <= 2


def _introduced(spoken: Sequence[str], at: int) -> bool:
    before = " ".join(spoken[max(at - 2, 0) : at])
    return any(before == cue or before.endswith(f" {cue}") for cue in _BEFORE_PEOPLE)


def find_name(text: str, spoken: Sequence[str], *, expected: bool = False) -> str | None:
    """The caller's name, written as in `text` if that has capitals; spelled letters are put together.

    Only a clear `my name is` counts, unless a name is `expected`; then a short turn is the name itself.
    """
    said = " ".join(spoken)
    for cue in (*_NAME_CUES, *(_NAME_CUES_EXPECTED if expected else ())):
        found = re.search(rf"\b{cue} (.+)", said)
        if found and (name := _leading_name(found[1].split())):
            return _written(name, text)
    if not expected:
        return None
    rest = [word for word in spoken if len(word) == 1 or word not in _NO_NAME]
    name = _leading_name(rest) if len(rest) <= _LONGEST_NAME or _spelled(rest) else []
    return _written(name, text) if name else None


def _leading_name(rest: list[str]) -> list[str]:
    if spelled := _spelled(rest):
        return [spelled]
    name: list[str] = []
    for word in rest[:_LONGEST_NAME]:
        if word in _NO_NAME or not word.isalpha() or number([word], 0) is not None:
            break
        name.append(word)
    return name


def _spelled(rest: Sequence[str]) -> str:
    """A name spelled out: `s m i t h` in a row, wherever it stands."""
    run = re.search(r"(?:\b[a-z]\b ?){3,}", " ".join(rest))
    return run[0].replace(" ", "") if run else ""


def _written(name: Sequence[str], text: str) -> str:
    """Each word as the recogniser wrote it, if it used a capital, else with one."""
    tokens = [token.strip(".,!?;:") for token in text.replace("’", "'").split() if "-" not in token]
    capitals = {token.replace("'", "").casefold(): token for token in tokens if token[:1].isupper()}
    return " ".join(capitals.get(word, word.capitalize()) for word in name)[:_LONGEST_NAME_CHARACTERS]
