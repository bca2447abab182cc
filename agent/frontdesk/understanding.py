"""One caller turn understood: the intent with the highest score, and every value found on the way."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from agent.business import Booking, Price, Question
from agent.frontdesk.intents import ENOUGH, FREE, NEUTRAL, STRANGE, Intent, evidence
from agent.frontdesk.lexicon import Lexicon
from agent.frontdesk.numbers import digits, number
from agent.frontdesk.slots import find_name, find_people
from agent.frontdesk.state import Ask
from agent.frontdesk.times import Clock, find_days, find_times
from agent.frontdesk.words import STOP, listing, stem, words

_SURE_QUESTION = 4.0
"""The score of a question of the file that was asked word for word."""

_YES = frozenset(
    listing("yes yeah yep yup sure ok okay correct right exactly absolutely definitely course perfect fine good")
)
_NO = frozenset(listing("no nope nah not wrong incorrect isnt dont"))
_BEFORE_A_THING = frozenset({"me", "us", "a", "an", "the", "som", "your"})
_SAY_AGAIN = frozenset({"what", "sorry", "pardon", "huh", "eh", "excuse me", "sorry what", "what sorry"})
_CLAUSE_END = re.compile(r"[,.;:!?]\s")
_NO_ANSWER = (Intent.UNKNOWN, Intent.UNCLEAR, Intent.YES, Intent.NO)
_ASKING = frozenset(listing("what who whos whose why when where wheres how which"))
_ASKING_FIRST = frozenset(listing("can could do does did is are will would should may have has am"))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a turn means, and the values in it.

    `yes` is the turn's yes or no, if it has one; `days` may be two (a weekend); `strange` are the topic words that
    nothing explains; `asking` tells a question from a statement.
    """

    text: str
    words: tuple[str, ...]
    intent: Intent
    yes: bool | None
    days: tuple[date, ...]
    clock: Clock | None
    people: int | None
    name: str | None
    digits: str
    items: tuple[Price, ...]
    question: Question | None
    booking: Booking | None
    person: str | None
    strange: frozenset[str]
    asking: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What a turn is understood in: the open question and form, the topic and the items of the turn before."""

    ask: Ask | None = None
    filling: bool = False
    topic: Intent | None = None
    items: tuple[Price, ...] = ()


@lru_cache(maxsize=1024)
def understand(text: str, lexicon: Lexicon, today: date, context: Context) -> Heard:
    """Understand a turn; any text gives a result.

    Of a turn that makes no sense as a whole, the last clause that asks something we know is answered: what came before
    it was small talk or misheard. The last results are kept, since every reply folds the whole history again.
    """
    heard = _understand(text, lexicon, today, context)
    if heard.intent is Intent.UNKNOWN:
        for clause in reversed(_CLAUSE_END.split(text)):
            part = _understand(clause, lexicon, today, context)
            if part.asking and part.intent not in _NO_ANSWER:
                return replace(part, text=heard.text)
    return heard


def _understand(text: str, lexicon: Lexicon, today: date, context: Context) -> Heard:
    spoken = lexicon.mended(words(text))
    ask = context.ask
    timed = [word if ask is not Ask.PEOPLE or word not in ("about", "around") else "" for word in spoken]
    times = find_times(timed, expected=ask is Ask.TIME)
    days = find_days(spoken, today)
    taken = {at for found in (*times, *days) for at in range(found.start, found.end)}
    rest = tuple("" if at in taken else word for at, word in enumerate(spoken))
    holiday = lexicon.holiday(spoken, today)
    question, likeness = lexicon.question([word for word in rest if word])
    asking = bool(_ASKING & set(spoken)) or bool(_ASKING_FIRST & set(spoken[:2]))
    elliptic = context.topic is Intent.PRICE and ("one" in spoken or not asking)
    heard = Heard(
        text=text.strip(),
        words=spoken,
        intent=Intent.UNKNOWN,
        yes=_polarity(spoken),
        days=tuple(dict.fromkeys([*(day.value for day in days), *([holiday[0]] if holiday else [])])),
        clock=times[-1].value if times else None,
        people=find_people(rest, expected=ask is Ask.PEOPLE),
        name=find_name(text, spoken, expected=ask is Ask.NAME and not asking),
        digits=digits(spoken),
        items=lexicon.items(spoken, context.items if elliptic else ()),
        question=question,
        booking=lexicon.booking(spoken),
        person=lexicon.person(spoken),
        strange=frozenset(),
        asking=asking,
    )
    ballot = _Ballot(heard, rest, lexicon.name_words | (holiday[1] if holiday else frozenset()))
    ballot.count(likeness, lexicon.item_words, context)
    return replace(heard, intent=ballot.winner(context), strange=frozenset(ballot.strange_words()))


def _polarity(spoken: tuple[str, ...]) -> bool | None:
    said = set(spoken)
    return False if said & _NO else True if said & _YES else None


class _Ballot:
    """The votes for each intent, and the words that each can explain."""

    def __init__(self, heard: Heard, rest: tuple[str, ...], neutral: frozenset[str]) -> None:
        self._heard = heard
        self._stems = tuple(stem(word) for word in rest)
        self._strange = {
            at
            for at, word in enumerate(rest)
            if word
            and word not in STOP | _YES | _NO
            and self._stems[at] not in NEUTRAL | neutral
            and number(rest, at) is None
        }
        self._votes: defaultdict[Intent, float] = defaultdict(float)
        self._explained: defaultdict[Intent, set[int]] = defaultdict(set)

    def count(self, likeness: float, item_words: frozenset[str], context: Context) -> None:
        for intent, weight, places in evidence([stem(word) for word in self._heard.words]):
            self._votes[intent] += weight
            if weight > 0:
                self._explained[intent].update(places)
        self._count_items(item_words, context)
        self._count_people(context)
        self._count_booking()
        self._votes[Intent.QUESTION] = 0.0 if self._may_be_a_name(context) else likeness * _SURE_QUESTION
        self._explained[Intent.QUESTION] = self._strange
        if self._votes[Intent.OPEN_NOW] > 0:
            self._votes[Intent.OPEN_NOW] += self._votes[Intent.HOURS]
            self._explained[Intent.OPEN_NOW] |= self._explained[Intent.HOURS]
        if context.topic is Intent.HOURS and self._heard.days:
            self._votes[Intent.HOURS] += ENOUGH
        if context.filling and self._votes[Intent.NEVER_MIND] > 0:
            self._votes[Intent.NEVER_MIND] += 2 * STRANGE

    def _may_be_a_name(self, context: Context) -> bool:
        """Mr Park is not asking where to leave his car, and Maria does not want to speak to Maria."""
        return context.ask is Ask.NAME and not self._heard.asking

    def _count_items(self, item_words: frozenset[str], context: Context) -> None:
        explained = self._explained[Intent.PRICE]
        explained.update(at for at, word in enumerate(self._stems) if word in item_words)
        if self._heard.items and self._strange <= explained and not self._may_be_a_name(context):
            self._votes[Intent.PRICE] += ENOUGH

    def _count_people(self, context: Context) -> None:
        if self._heard.person is None or self._may_be_a_name(context):
            return
        if "tell" in self._heard.words and len(self._strange) > 1:
            self._votes[Intent.MESSAGE] += ENOUGH + 1
        elif self._votes[Intent.TRANSFER] > 0 or context.ask in (Ask.OFFER, Ask.OFFER_PERSON) or not self._heard.asking:
            self._votes[Intent.TRANSFER] += ENOUGH

    def _count_booking(self) -> None:
        """`book a taxi` is no booking of ours: the thing named right after the verb must be one we know."""
        if self._votes[Intent.BOOK] <= 0 or self._heard.booking is not None:
            return
        for verb_at in (at for at, word in enumerate(self._stems) if word in ("book", "reserv")):
            thing = next(
                (at for at in range(verb_at + 1, len(self._stems)) if self._stems[at] not in _BEFORE_A_THING), -1
            )
            if thing in self._strange:
                self._votes[Intent.BOOK] -= 2 * ENOUGH

    def winner(self, context: Context) -> Intent:
        if " ".join(self._heard.words) in _SAY_AGAIN:
            return Intent.REPEAT
        scores = {intent: self._score(intent) for intent in self._votes}
        best = max(scores, key=lambda intent: scores[intent])
        if scores[best] >= ENOUGH:
            return best
        foreign = bool(self._strange) and (context.ask is None or self._heard.asking)
        if self._heard.yes is not None and not foreign:
            return Intent.YES if self._heard.yes else Intent.NO
        return Intent.UNKNOWN if self._strange or self._heard.asking else Intent.UNCLEAR

    def _score(self, intent: Intent) -> float:
        strange = 0 if intent in FREE else len(self._strange - self._explained[intent])
        return self._votes[intent] - STRANGE * strange

    def strange_words(self) -> list[str]:
        explained = self._explained[Intent.TRANSFER] | self._explained[Intent.BOOK]
        return [self._stems[at] for at in sorted(self._strange - explained)]
