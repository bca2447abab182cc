"""What a caller may want, as a table of phrases that speak for it or against it."""

from collections.abc import Iterator, Sequence
from enum import StrEnum, auto

from agent.frontdesk.words import STOP, stem


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

FEATURES: dict[Intent, dict[str, float]] = {
    Intent.HOURS: {
        **{"open": 2, "hours": 2, "close": 2, "closing": 2, "shut": 2, "how late": 2, "how early": 2},
        **{"what time": 0.5, "times": 0.5, "until": 0.5, "when": 0.5, "open a": -2},
    },
    Intent.OPEN_NOW: {
        **{"open now": 3, "open right now": 3, "still open": 3, "open yet": 3, "open at the moment": 3},
        **{"open currently": 3, "currently open": 3, "closed now": 3, "already closed": 3, "closed already": 3},
    },
    Intent.ADDRESS: {
        **{"address": 3, "located": 3, "location": 3, "find you": 3, "directions": 2, "where are you": 3},
        **{"where is": 2, "wheres": 2, "where can i find": 1, "get there": 2, "get to": 2, "which street": 3},
        **{"what street": 3, "where you are": 3, "where exactly": 1},
    },
    Intent.PHONE: {"phone number": 3, "telephone number": 3, "your number": 3, "my number": -4, "my phone": -4},
    Intent.PRICE: {"how much": 2, "price": 2, "cost": 2, "charge": 2, "what does": 0.5},
    Intent.MENU: {
        **{"menu": 3, "price list": 3, "what do you have": 2, "what do you sell": 3, "what do you offer": 3},
        **{"what can i order": 3, "what can i eat": 3, "what have you got": 2, "sell": 0.5},
    },
    Intent.BOOK: {
        **{
            "book": 3,
            "reserve": 3,
            "reservation": 3,
            "table for": 3,
            "a table": 2.5,
            "appointment": 3,
            "any tables": 2.5,
        },
        **{"my booking": -5, "my reservation": -5, "my table": -5, "our booking": -5, "our reservation": -5},
        **{"cancel": -5, "change": -5, "have a booking": -5, "have a reservation": -5, "made a": -5, "wine": -1},
        **{"do i need": -5, "do we need": -5, "do i have to": -5, "do you have to": -5, "deposit": -5, "without": -5},
    },
    Intent.MESSAGE: {
        **{"message": 3, "leave a note": 3, "call me back": 3, "ring me back": 3, "call back": 3, "callback": 3},
        **{"phone me back": 3, "pass on": 2.5, "tell him": 2.5, "tell her": 2.5, "tell them": 2.5, "text message": -3},
    },
    Intent.TRANSFER: {
        **{
            "speak to": 3,
            "speak with": 3,
            "talk to": 3,
            "talk with": 3,
            "put me through": 4,
            "transfer": 3,
            "human": 3,
        },
        **{"connect me": 3, "real person": 3, "operator": 3, "representative": 3, "person": 1, "agent": 2},
        **{"speaking to": -3, "speaking with": -3, "talking to": -3, "talk to you later": -3},
    },
    Intent.HELLO: {
        **{"hello": 2, "hi": 2, "hey": 2, "good morning": 2, "good afternoon": 2, "good evening": 2, "how are you": 2},
        **{"anybody there": 3, "anyone there": 3, "are you there": 3, "still there": 3, "hear me": 3, "good day": 2},
    },
    Intent.WHO: {
        **{
            "robot": 3,
            "are you a real person": 6,
            "are you human": 5,
            "are you a human": 6,
            "machine": 3,
            "are you real": 3,
        },
        **{"computer": 3, "who are you": 3, "who is this": 3, "whos this": 3, "speaking to": 3, "speaking with": 3},
        **{"talking to": 3, "a bot": 3, "your name": 3, "is this the": 1, "right number": 3, "an ai": 3},
    },
    Intent.HELP: {"what can you do": 4, "help": 2, "how does this work": 3, "what can i ask": 3},
    Intent.THANKS: {"thanks": 2, "thank you": 2, "cheers": 2, "great": 1, "perfect": 1, "lovely": 1, "very kind": 2},
    Intent.BYE: {
        **{"bye": 3, "goodbye": 3, "thats all": 3, "that is all": 3, "thats it": 3, "thatll be all": 3, "be all": 3},
        **{"see you": 2, "nice day": 2, "good day": 2, "nothing else": 3, "hang up": 4, "im done": 3, "good night": 3},
        **{"talk to you later": 4, "thats everything": 3, "have a good": 2, "have a great": 2, "have a nice": 2},
    },
    Intent.REPEAT: {
        **{"what did you say": 4, "say that again": 4, "repeat": 3, "pardon": 3, "come again": 3, "didnt catch": 3},
        **{
            "didnt hear": 3,
            "didnt get that": 3,
            "one more time": 3,
            "again": 2,
            "go on": 3,
            "carry on": 3,
            "continue": 3,
        },
        **{"what was that": 4, "didnt understand": 3, "couldnt hear": 3, "you were saying": 3, "huh": 2},
    },
    Intent.NEVER_MIND: {
        **{"nevermind": 4, "forget it": 4, "forget that": 4, "forget about it": 4, "cancel": 2.5, "changed my mind": 4},
        **{"leave it": 3, "stop": 2.5, "doesnt matter": 3, "dont bother": 3, "scrap that": 3},
    },
}
"""Phrases are matched by stems, so `open` stands for `opens` and `opening` too."""

FREE = frozenset({Intent.BOOK, Intent.MESSAGE, Intent.TRANSFER})
"""Intents of callers who explain themselves: strange words are no sign of another wish."""

NEUTRAL = frozenset(
    stem(word)
    for word in ["restaurant", "place", "shop", "store", "business", "day", "days", "week", "time", "times", "today", "tonight", "tomorrow", "morning", "afternoon", "evening", "night", "again", "repeat", "okay", "alright", "exactly", "people", "person", "name", "clock", "late", "early", "later", "soon", "normal", "usual", "regular", "public", "moment", "currently", "not", "no", "yes", "yeah", "yep", "nope", "ok", "fine", "good", "nice", "great", "other", "oclock", "am", "pm"]
)
"""Words that may stand in any question without making it another."""

VOCABULARY = frozenset(word for phrases in FEATURES.values() for phrase in phrases for word in phrase.split()) - STOP
"""Every word of the table that is worth spelling right."""

_PHRASES: dict[str, list[tuple[tuple[str, ...], Intent, float]]] = {}
for _intent, _weights in FEATURES.items():
    for _phrase, _weight in _weights.items():
        _stems = tuple(stem(word) for word in _phrase.split())
        _PHRASES.setdefault(_stems[0], []).append((_stems, _intent, _weight))


def evidence(stems: Sequence[str]) -> Iterator[tuple[Intent, float, range]]:
    """Each phrase of the table found in a turn: what it speaks for, how loudly, and the words it covers."""
    for at, first in enumerate(stems):
        for phrase, intent, weight in _PHRASES.get(first, ()):
            if tuple(stems[at : at + len(phrase)]) == phrase:
                yield intent, weight, range(at, at + len(phrase))
