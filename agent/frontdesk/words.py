"""From what a recogniser wrote to words: case, punctuation, endings and small misspellings evened out."""

import re
from collections.abc import Iterable
from functools import lru_cache

MAX_WORDS = 80
"""More words than anybody says in one turn; bounds the work that any text can cause."""

_TOKEN = re.compile(r"\d+:\d\d|\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]+")
_DOTTED_HALF = re.compile(r"(?<![a-z])([ap])\.? ?m\b\.?")
_DOTTED_TIME = re.compile(r"\b(\d{1,2})[.h](\d\d)(?= ?[ap]m\b)")
_ONE_WORD = (("o clock", "oclock"), ("good bye", "goodbye"), ("never mind", "nevermind"))
_GREETINGS = ("morning", "afternoon", "evening", "day")
_ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("s", ""))


def listing(text: str) -> list[str]:
    """The words of a word list, written in source as running text."""
    return text.split()


STOP = frozenset(
    listing(
        "a about actually ah all already also am an and any anybody anyone anything are as ask asking at basically "
        "be been being but by calling can chance check checking could course dear did do does doing done dont else "
        "er erm ever exactly excuse find folks for friend from get getting give going gonna goodafternoon goodday "
        "goodevening goodmorning got guess guys had has have having he hello here hey hi hmm hold hope hoping how "
        "hows i id if ill im in is isnt it its ive just kind kinda kindly know lets like little look looking love "
        "madam make may maybe me mean might mine minute miss moment much my myself near nearby need needed now of "
        "oh okay on one or other our out please possible quick quickly rather really right say second see shall "
        "she should sir so some somebody someone something sorry sort speak still stuff suppose sure tell than "
        "thank thanks that thats the their them then there theres they thing things think this those till to tried "
        "try trying uh uhm um up us very wait wanna want wanted wants was we well were what whats when where "
        "wheres whether which while who whos will with wonder wondering would yall yeah yes yet you youd your "
        "youre yours"
    )
)
"""Words that carry no topic of their own: a question made of these alone is about nothing we could know."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case: `7p.m.` gives `7 pm`, `o'clock` gives `oclock`, `don't` gives `dont`."""
    text = _DOTTED_HALF.sub(r"\1m ", text[: MAX_WORDS * 12].casefold().replace("’", "'").replace("'", ""))
    text = _DOTTED_TIME.sub(r"\1:\2", text)
    joined = " ".join(_TOKEN.findall(text)[:MAX_WORDS])
    for apart, together in (*_ONE_WORD, *((f"good {part}", f"good{part}") for part in _GREETINGS)):
        joined = re.sub(rf"\b{apart}\b", together, joined)
    return tuple(joined.split())


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word without its ending, so that `dogs` meets `dog` and `parking` meets `park`."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending) + instead
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def topics(spoken: Iterable[str]) -> tuple[str, ...]:
    """The stems of the words that carry a topic."""
    return tuple(stem(word) for word in spoken if word not in STOP)


class Spelling:
    """Mends small misspellings of known words: one letter dropped, doubled, changed or swapped.

    Words meet when deleting at most one letter from each makes them equal (the symmetric delete method of SymSpell),
    so a look-up costs as many set look-ups as the word has letters. Short words and other initials are left alone:
    `house` is not a misspelling of `hours`.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._by_shape: dict[str, str] = {}
        for word in sorted(self._known, reverse=True):
            if len(word) >= _SHORTEST:
                self._by_shape.update(dict.fromkeys(_shapes(word), word))

    def mend(self, word: str) -> str:
        if word in self._known or word in STOP or not _SHORTEST <= len(word) <= _LONGEST:
            return word
        found = (self._by_shape.get(shape) for shape in _shapes(word))
        return next((known for known in found if known and known[0] == word[0]), word)


_SHORTEST, _LONGEST = 6, 24


def _shapes(word: str) -> list[str]:
    return [word, *(word[:at] + word[at + 1 :] for at in range(1, len(word)))]
