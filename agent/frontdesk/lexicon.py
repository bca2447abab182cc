"""A business as the words its callers use: which words name an item, a question, a booking, a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from agent.business import Booking, Business, Price, Question
from agent.frontdesk.intents import NEUTRAL
from agent.frontdesk.times import MONTHS, WEEKDAYS
from agent.frontdesk.words import STOP, Spelling, stem, topics, words

_KNOWN_SHARE = 0.75
"""How much of a caller's question the file must know: one strange word in three makes it another question."""
_ASKED_SHARE = 0.6
"""How much of a phrasing in the file the caller must have said."""

type Stems = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    phrasings: tuple[Stems, ...]
    known: Stems


class Lexicon:
    """Looks things of one business up by what a caller said; built once, then only read."""

    def __init__(self, business: Business, vocabulary: Iterable[str]) -> None:
        self.business = business
        self._items = tuple((item, _stems(name)) for item in business.prices for name in (item.name, *item.aliases))
        self._asked = tuple(_asked(question) for question in business.questions)
        self._bookings = tuple(
            (booking, name)
            for booking in business.bookings
            for phrase in (booking.what, *booking.aliases)
            for name in topics(words(phrase))
        )
        self._people = tuple((name, _stems(name)) for name in business.transfer)
        self._holidays = tuple((holiday.date, _stems(holiday.name) - {"day"}) for holiday in business.holidays)
        self.item_words: Stems = frozenset[str]().union(*(stems for _, stems in self._items))
        self.name_words: Stems = frozenset(stem(word) for word in words(business.name))
        self._spelling = Spelling({*vocabulary, *WEEKDAYS, *MONTHS, "tomorrow", "tonight", *_all_words(business)})

    def mended(self, spoken: Sequence[str]) -> tuple[str, ...]:
        """The words with small misspellings of known words put right."""
        return tuple(self._spelling.mend(word) for word in spoken)

    def items(self, spoken: Sequence[str], near: Sequence[Price] = ()) -> tuple[Price, ...]:
        """The items that all the item words of a turn fit; several when it was not precise, none when unknown.

        Two items asked for at once are found on either side of `and`. When several fit, the ones most like what was
        talked of before (`near`) win: `and the small one?`
        """
        whole = self._fitting(spoken, near)
        if whole or not {"and", "or"} & set(spoken):
            return whole
        parts = [self._fitting(part, near) for part in _split(spoken) if self._named(part)]
        return tuple(dict.fromkeys(item for part in parts for item in part)) if all(parts) else ()

    def _fitting(self, spoken: Sequence[str], near: Sequence[Price]) -> tuple[Price, ...]:
        named = self._named(spoken)
        fitting = [(item, stems) for item, stems in self._items if named and named <= stems]
        exact = [(item, stems) for item, stems in fitting if named == stems]
        fitting = exact or fitting
        alike = {stem for item in near for stem in _stems(item.name)}
        most = max((len(alike & stems) for _, stems in fitting), default=0)
        return tuple(dict.fromkeys(item for item, stems in fitting if len(alike & stems) == most))

    def _named(self, spoken: Sequence[str]) -> Stems:
        return frozenset(stem(word) for word in spoken) & self.item_words

    def question(self, spoken: Sequence[str]) -> tuple[Question | None, float]:
        """The question asked, and how surely, from 0 to 1.

        That is the share of the caller's words that the file knows for it, times the share of one of its phrasings
        that the caller said.
        """
        said = frozenset(topics(spoken))
        scored = [(asked, _likeness(said, asked)) for asked in self._asked]
        best = max(scored, key=lambda pair: pair[1], default=None)
        return (best[0].question, best[1]) if best is not None and best[1] > 0 else (None, 0.0)

    def booking(self, spoken: Sequence[str]) -> Booking | None:
        said = {stem(word) for word in spoken}
        return next((booking for booking, name in self._bookings if name in said), None)

    def person(self, spoken: Sequence[str]) -> str | None:
        """The name in `transfer` of whom the caller wants."""
        said = {stem(word) for word in spoken}
        return next((name for name, stems in self._people if stems & said), None)

    def holiday(self, spoken: Sequence[str], today: date) -> tuple[date, Stems] | None:
        """The coming holiday that was named, and the words it is named by."""
        said = {stem(word) for word in spoken}
        coming = ((day, stems) for day, stems in self._holidays if day >= today and stems and stems <= said)
        return min(coming, default=None, key=lambda found: found[0])


def _likeness(said: Stems, asked: _Asked) -> float:
    said = said - (NEUTRAL - asked.known)
    known = len(said & asked.known) / max(len(said), 1)
    put = max((len(said & phrasing) / len(phrasing) for phrasing in asked.phrasings if phrasing), default=0.0)
    return known * put if known >= _KNOWN_SHARE and put >= _ASKED_SHARE else 0.0


def _asked(question: Question) -> _Asked:
    phrasings = tuple(_stems(phrase) for phrase in question.ask)
    return _Asked(question, phrasings, frozenset(topics(words(question.answer))).union(*phrasings))


def _stems(phrase: str) -> Stems:
    return frozenset(topics(words(phrase)))


def _split(spoken: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in spoken:
        if word in ("and", "or"):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _all_words(business: Business) -> set[str]:
    phrases = [name for item in business.prices for name in (item.name, *item.aliases)]
    phrases += [phrase for question in business.questions for phrase in question.ask]
    phrases += [phrase for booking in business.bookings for phrase in (booking.what, *booking.aliases)]
    return {word for phrase in [*phrases, *business.transfer] for word in words(phrase)} - STOP
