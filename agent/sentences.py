"""From the model's tokens to pieces worth speaking: thoughts taken out, sentences found while they grow."""

import re
from enum import Enum

LONGEST = 240
"""No piece is longer, in characters: about fifteen seconds of speech."""

FIRST_CLAUSE = 40
"""From this length on, in characters, the first piece of a reply may end with a clause, to be heard sooner."""

_CLOSERS = "\"'”’»)]}*_`"
_OPENERS = "\"'“‘«([{*_`"
_WIDE_STOPS = frozenset("。！？")  # these end a sentence with no space after them
_CLAUSE_ENDS = (",", ";", ":", "—", "–")

# Never the end of a sentence: a name or a number follows, or the word goes on. One sentence too many is a pause in the
# wrong place, one too few only a little latency; so what may be either is held to be none.
_PART = re.compile(
    r"(?:dr|mrs?|ms|mx|prof|st|mt|ft|fr|rev|gen|gov|capt|lt|sgt|hon|messrs|vs|cf|approx|ext|tel|dept|incl|excl"
    r"|(?:[^\W\d_]\.)*[^\W\d_])",  # e.g, U.S and initials
    re.IGNORECASE,
)
# The end of a sentence if a capital follows, otherwise not.
_EITHER = re.compile(
    r"(?:[ap]\.m|etc|inc|ltd|co|corp|llc|jr|sr|ave|blvd|rd|apt|hwy|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    r"|mon|tues?|wed|thu|thurs?|fri|sat|sun|lbs?|oz|hrs?|mins?|max|nos?)",
    re.IGNORECASE,
)
_BEFORE_WORD = re.compile(r"[\s(\[{\"'“‘«*_/-]")


class SentenceSplitter:
    """Cuts a stream of text into sentences, each as soon as it is certain.

    What comes out is what went in, but for white space at the seams, and does not depend on how the text was cut into
    tokens. A sentence ends with its mark and the white space behind it; after an abbreviation that may end one the
    next letter decides; a line break always ends one. Text without any marks is cut at `LONGEST`.
    """

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def feed(self, token: str) -> list[str]:
        """Take the next piece of the stream; returns the sentences that are now complete, mostly none."""
        pieces: list[str] = []
        for char in token:
            cut = self._cut_before(char)
            if cut:
                pieces.append(self._take(cut))
            if self._text or not char.isspace():
                self._text += char
            if len(self._text) >= LONGEST or char in _WIDE_STOPS:
                pieces.append(self._take(len(self._text) if char in _WIDE_STOPS else _break(self._text)))
        return pieces

    def finish(self) -> list[str]:
        """The stream has ended: returns what was left, and is ready for another."""
        pieces = [self._take(len(self._text))] if self._text else []
        self._first = True
        return pieces

    def _take(self, cut: int) -> str:
        piece, self._text = self._text[:cut].rstrip(), self._text[cut:].lstrip()
        self._first = False
        return piece

    def _cut_before(self, char: str) -> int:
        """How much of the text so far makes a sentence, now that `char` comes next; 0 is none of it."""
        text = self._text
        if char.isspace():
            return len(text) if self._ends(text, line=char == "\n") else 0
        if text[-1:].isspace() and (char.isupper() or char in _OPENERS):
            bare = text.rstrip().rstrip(_CLOSERS)
            return len(text) if bare.endswith(".") and _full_stop(bare) is _FullStop.EITHER else 0
        return 0

    def _ends(self, text: str, line: bool) -> bool:
        """Whether white space, or the end of a line, ends a sentence after `text`."""
        if line:
            return any(char.isalnum() for char in text)
        if self._first and len(text) >= FIRST_CLAUSE and text.endswith(_CLAUSE_ENDS):
            return True
        bare = text.rstrip(_CLOSERS)
        return bare.endswith(("!", "?")) or (bare.endswith(".") and _full_stop(bare) is _FullStop.END)


def _break(text: str) -> int:
    """Where to cut text that got too long: after its last clause, else its last word, else at its end."""
    clause = max(text.rfind(mark + " ") for mark in _CLAUSE_ENDS)
    return clause + 1 if clause > 0 else (text.rfind(" ") + 1 or len(text))


class _FullStop(Enum):
    END = "of the sentence"
    PART = "of the word"
    EITHER = "to be decided by the next letter"


def _full_stop(text: str) -> _FullStop:
    """What the full stop at the end of `text` is."""
    word = _BEFORE_WORD.split(text[:-1])[-1]
    if _EITHER.fullmatch(word):
        return _FullStop.EITHER
    numbering = word.isdigit() and text == word + "."
    if numbering or word.endswith((".", "…")) or _PART.fullmatch(word):
        return _FullStop.PART
    return _FullStop.END


class ThoughtFilter:
    """Takes `<think>…</think>` out of a stream of text; what may yet become a mark is held back until it is clear."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def feed(self, token: str) -> str:
        """Take the next piece of the stream; returns what of it, and of what was held back, is meant to be said."""
        self._held += token
        said = ""
        while True:
            mark = self._CLOSE if self._thinking else self._OPEN
            before, found, after = self._held.partition(mark)
            if not self._thinking:
                said += before if found else before[: len(before) - _overlap(before, mark)]
            if not found:
                self._held = before[len(before) - _overlap(before, mark) :]
                return said
            self._held, self._thinking = after, not self._thinking

    def finish(self) -> str:
        """The stream has ended: returns what was held back and turned out to be text."""
        said = "" if self._thinking else self._held
        self._held, self._thinking = "", False
        return said


def _overlap(text: str, mark: str) -> int:
    """How much of the end of `text` is the beginning of `mark`, which has its only `<` in front."""
    at = text.rfind("<")
    return len(text) - at if at >= 0 and mark.startswith(text[at:]) else 0
