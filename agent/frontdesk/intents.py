"""What a caller may want, as a table of phrases that speak for it or against it."""

from collections.abc import Iterator, Sequence
from enum import StrEnum, auto

from agent.frontdesk.words import STOP, listing, stem


class Intent(StrEnum):
    """What a turn is for; `UNKNOWN` has a topic we do not know, `UNCLEAR` has none."""

    HOURS = auto()
    OPEN_NOW = auto()
    ADDRESS = auto()
    PHONE = auto()
    PRICE = auto()
    MENU = auto()
    QUESTION = auto()
    BOOK = auto()
    MESSAGE = auto()
    TRANSFER = auto()
    HELLO = auto()
    WHO = auto()
    HELP = auto()
    THANKS = auto()
    BYE = auto()
    REPEAT = auto()
    NEVER_MIND = auto()
    YES = auto()
    NO = auto()
    UNKNOWN = auto()
    UNCLEAR = auto()


ENOUGH = 2.0
"""The score from which a turn counts as meant so."""
STRANGE = 1.5
"""What each topic word that an intent cannot explain takes off its score."""

FEATURES: dict[Intent, dict[float, str]] = {
    Intent.HOURS: {
        2: "open, hours, close, shut, how late, how early, come",
        0.5: "what time, opening times, until, till, when",
        -2: "open a, come again",
    },
    Intent.OPEN_NOW: {
        3: (
            "open now, open right now, still open, open yet, open already, open at the moment, open currently, "
            "currently open, closed now, already closed, closed already"
        ),
    },
    Intent.ADDRESS: {
        3: "address, located, location, find you, where are you, which street, what street, where you are",
        2: "directions, where is, wheres, get there, get to",
        1: "where can i find, where exactly",
    },
    Intent.PHONE: {
        3: "phone number, telephone number, your number",
        -4: "my number, my phone",
    },
    Intent.PRICE: {
        2: "how much, price, cost, charge, expensive",
        0.5: "what does",
    },
    Intent.MENU: {
        3: "menu, price list, what do you sell, what do you offer, what can i order, what can i eat",
        2: "what do you have, what have you got",
        0.5: "read, sell",
    },
    Intent.BOOK: {
        3: (
            "book, reserve, reservation, table for, appointment, free table, tables free, table available, "
            "available tables"
        ),
        2.5: "a table, any tables",
        -5: (
            "my booking, my reservation, my table, our booking, our reservation, cancel, change, have a booking, "
            "have a reservation, made a, do i need, do we need, do i have to, do you have to, deposit, without"
        ),
    },
    Intent.MESSAGE: {
        3: "message, leave a note, call me back, ring me back, call back, callback, phone me back",
        2.5: "pass on, tell him, tell her, tell them",
        -3: "text message",
    },
    Intent.TRANSFER: {
        4: "put me through",
        3: (
            "speak to, speak with, talk to, talk with, transfer, human, connect me, real person, operator, "
            "representative"
        ),
        2: "agent",
        1: "person",
    },
    Intent.HELLO: {
        3: "anybody there, anyone there, are you there, still there, hear me",
        2: "hello, hi, hey, goodmorning, goodafternoon, goodevening, how are you",
        1: "goodday",
    },
    Intent.WHO: {
        6: "are you a real person, are you a human, am i speaking, am i talking",
        5: "are you human",
        3: (
            "robot, machine, are you real, computer, who are you, who is this, whos this, a bot, your name, right "
            "number, an ai"
        ),
        2: "is this",
    },
    Intent.HELP: {
        4: "what can you do",
        3: "how does this work, what can i ask",
        2: "help",
    },
    Intent.THANKS: {
        2: "thanks, cheers, very kind",
        1: "great, perfect, lovely",
    },
    Intent.BYE: {
        4: "hang up, talk to you later",
        3: (
            "bye, goodbye, thats all, that is all, thats it, thatll be all, be all, nothing else, im done, good "
            "night, thats everything, have a goodday, have a goodevening"
        ),
        2: "see you, nice day, have a nice",
        1: "goodday",
    },
    Intent.REPEAT: {
        4: "what did you say, did you just say, say that again, what was that",
        3: (
            "repeat, pardon, come again, didnt catch, didnt hear, didnt get that, one more time, go on, carry on, "
            "continue, didnt understand, missed that, couldnt hear, you were saying"
        ),
        2: "again, huh",
    },
    Intent.NEVER_MIND: {
        4: "nevermind, forget it, forget that, forget about it, changed my mind",
        3: "leave it, doesnt matter, dont bother, scrap that",
        2.5: "cancel, stop",
    },
}
"""Weights, and the phrases that have them, matched by stems: `open` stands for `opens` and `opening` too."""

FREE = frozenset({Intent.BOOK, Intent.MESSAGE, Intent.TRANSFER})
"""Intents of callers who explain themselves: strange words are no sign of another wish."""

NEUTRAL = frozenset(
    stem(word)
    for word in listing(
        "restaurant place shop store business day days week time times today tonight tomorrow morning afternoon "
        "evening night again repeat okay alright exactly people person name clock late early later soon normal usual "
        "regular public moment currently available great perfect lovely not no yes yeah yep nope ok other oclock am pm"
    )
)
"""Words that may stand in any question without making it another."""

_WEIGHTS = [
    (phrase.split(), intent, weight)
    for intent, groups in FEATURES.items()
    for weight, phrases in groups.items()
    for phrase in phrases.split(", ")
]

VOCABULARY = frozenset(word for phrase, _, _ in _WEIGHTS for word in phrase) - STOP
"""Every word of the table that is worth spelling right."""

_BY_FIRST: dict[str, dict[tuple[tuple[str, ...], Intent], float]] = {}
for _phrase, _intent, _weight in _WEIGHTS:
    _stems = tuple(stem(word) for word in _phrase)
    _BY_FIRST.setdefault(_stems[0], {})[_stems, _intent] = _weight


def evidence(stems: Sequence[str]) -> Iterator[tuple[Intent, float, range]]:
    """Each phrase of the table found in a turn: what it speaks for, how loudly, and the words it covers."""
    for at, first in enumerate(stems):
        for (phrase, intent), weight in _BY_FIRST.get(first, {}).items():
            if tuple(stems[at : at + len(phrase)]) == phrase:
                yield intent, weight, range(at, at + len(phrase))
