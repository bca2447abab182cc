"""What turn-taking knows of spoken English: the words of a transcript, and the phrases that decide whose turn it is."""

import re

_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*")  # a recogniser's remark: [music], (coughs), *sighs*
_HUM = re.compile(r"\b(?:mm?|uh|um)[- ]?(?:hm+|hum|huh)\b")
_AM_PM = re.compile(r"\b([ap])\. ?m\b")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
_LONGEST_TEXT = 1000
"""Characters looked at, the last ones: no text, however odd, may hold up the event loop."""
_QUOTES = "\"'”’ "
_MARKS = ".,;:?!…–—-"
_SENTENCE_END = re.compile(r"(?<=[.?!…])\s+")


def _numerals(number_words: str, first: int, step: int = 1) -> dict[str, str]:
    return {word: str(first + step * n) for n, word in enumerate(number_words.split())}


_UNITS = _numerals("zero one two three four five six seven eight nine", first=0)
_TEENS = _numerals("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", first=10)
_TENS = _numerals("twenty thirty forty fifty sixty seventy eighty ninety", first=20, step=10)
_NUMERALS = _UNITS | _TEENS | _TENS | {"hundred": "00"}
_WHOLE_TENS = frozenset(_TENS.values())
_TIMES = {"double": 2, "triple": 3}


def words(text: str) -> list[str]:
    """The words as they sound, so that two recognisers' spellings of them compare equal.

    Lower case, without punctuation and remarks like `[music]`; numbers as numerals ("twenty-five" is `25`,
    "double oh seven" `0 0 7`); every "mm-hm" and "uh-huh" is `mhm`.
    """
    text = _ASIDE.sub(" ", text[-_LONGEST_TEXT:].casefold().replace("’", "'"))
    spoken: list[str] = []
    for raw in _WORD.findall(_HUM.sub(" mhm ", _AM_PM.sub(r"\1m", text))):
        last = spoken[-1] if spoken else ""
        is_zero = raw in ("oh", "o") and (last.isdecimal() or last in _TIMES)
        word = "0" if is_zero else _NUMERALS.get(raw, raw)
        if raw in _UNITS and last in _WHOLE_TENS:
            spoken[-1] = last[0] + word
        elif word.isdecimal() and last in _TIMES:
            spoken[-1:] = [word] * _TIMES[last]
        else:
            spoken.append(word)
    return spoken


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same, whatever their case, punctuation and way of writing numbers."""
    return one == other or words(one) == words(other)


def sentences(text: str) -> list[str]:
    """The text cut after each full stop, question or exclamation mark; one empty sentence for an empty text."""
    return _SENTENCE_END.split(text.strip())


def closing_marks(text: str) -> str:
    """The punctuation at the end, without quotation marks: "Well, 'maybe...'" gives `...`."""
    bare = text[-_LONGEST_TEXT:].rstrip(_QUOTES)
    return bare[len(bare.rstrip(_MARKS)) :]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _only(phrases: str) -> re.Pattern[str]:
    """Fully matches words that are nothing but these phrases; in linear time, as a phrase once taken is kept."""
    longest_first = sorted((p.strip() for p in phrases.split(",")), key=len, reverse=True)
    return re.compile(rf"(?:(?:{'|'.join(longest_first)})(?: |$))++")


# --- words that cannot, or hardly, end what somebody has to say ----------------------------------------------------

FILLERS = _set("um uh er erm em hm hmm")
NEVER_LAST = FILLERS | _set(
    "and but or nor so because if while unless although whether than plus a an the my our your their its every very "
    "mr mrs ms dr dot underscore slash it's that's there's here's he's she's what's who's where's let's name's "
    "number's"
)
PRONOUN_ENDINGS = ("'m", "'d", "'ll", "'re", "'ve")
"""Of a word that leans on the next one, like "I'm" and "we'd"."""
STRANDABLE = _set("of to for from with at by about in on into between like as is are was were")
"""Last only where a question put its object first: "who am I speaking to?"."""
TO_BE = _set("is are was were am")
PRONOUNS = _set("i you he she it we they that there")
CLOSED_TAIL = re.compile(
    r"\b(?:(?:check|checking|come|coming|log|logging|sign|drop|move|fill) in|go on|later on|you like"
    r"|(?:think|hope|guess|believe|suppose) so)$"
)
"""Endings that look open and are not."""
OPEN_TAIL = re.compile(
    r"(?<!what )(?<!all )\b(?:(?:i|we) (?:want|need)|(?:i'd|we'd|i would|we would) (?:like|love|prefer))$"
    r"|\b(?:let me|let's) (?:see|think|check|look|find|get)(?: it| that)?$"
    r"|\b(?:hold on|hang on|bear with me)$|\b(?:1|a|just a) (?:moment|second|sec|minute)$"
    r"|\b(?:you|i|we) please$"
    r"|\b[a-z] as in \w+$|\b[b-hj-z] (?:for|like) \w+$"
)
"""Phrases that announce more: "I would like", "let me see", "S as in Sam"."""
OPENER = re.compile(
    r"(?:(?:oh|okay|ok|yes|yeah|no|hi|hello|hey) )*"
    r"(?:well|actually|basically|look|listen|i think|i mean|i guess|you know)"
)
"""A sentence that is only the way into one."""
SUBORDINATE = _set("if when while although unless once after before since")
CLOSING = re.compile(r"(?:\w please|\b(?:thanks|thank you|(?:so|very) much|thanks a lot|bye|that's (?:all|it)))$")
VERBS = _set(
    "is are was were am be been have has had do does did can could will would shall should may might must need needs "
    "want wanted like know think see hear call called calling looking look trying try wondering book booked reserve "
    "order ordered cancel change move pay paid get got go going come coming live lives work works open close lost "
    "send sent told said leave left make made take wait waiting help speak talk bring find forgot ran stopped broke "
    "prefer"
)
CONTRACTIONS = (*PRONOUN_ENDINGS, "n't")

# --- questions and answers -----------------------------------------------------------------------------------------

WH_WORDS = _set("what what's where where's when who who's which how how's why whose")
AUXILIARIES = _set(
    "is are was were am do does did don't didn't isn't aren't can could shall should would will have has may might"
)
NUMBER_ASKED = re.compile(
    r"\b(?:phone|telephone|cell|mobile|contact|callback|account|card|customer|membership|member|policy|order|booking"
    r"|reservation|reference|confirmation|tracking|ticket|invoice|serial|your|my|best) number\b"
)
SPELLING_ASKED = re.compile(r"\b(?:spell|spelling|spelled|spelt|letters|letter by letter)\b")
NAME_ASKED = re.compile(
    r"\b(?:your|the|first|last|full|family) (?:\w+ )?name\b|\be?mail\b|\b(?:speaking|talking) (?:to|with)$"
)
ANSWER = _only(
    "yes, yeah, yep, yup, yea, mhm, no, nope, nah, sure, sure thing, correct, right, exactly, absolutely, definitely,"
    "certainly, of course, okay, ok, fine, alright, all right, perfect, great, please, please do, go ahead, thanks,"
    "thank you, sir, ma'am, oh, uh, um, well, very much, not really, not yet, not at all, i think so,"
    "i don't think so, i guess so, i guess, i do, i don't, i did, i didn't, i am, i'm not, i have, i haven't,"
    "i would, i will, i can, i can't, it is, it isn't, it's not, it was, it wasn't, it does, it doesn't, we do,"
    "we don't, we are, we aren't, we did, they are, they do, that is, that's right, that's correct, that's fine,"
    "that's good, that's great, that's it, that's me, that's not right, that's wrong, that's all,"
    "that would be great, that would be fine, that works, works for me, sounds good, sounds great, wrong, incorrect,"
    "never, always, not right, not correct, i'm sure"
)
"""Nothing but an answer to a yes/no question; `FILLERS` and `POLITENESS` alone are none."""
POLITENESS = _only("oh, sir, ma'am, thanks, thank you, very much")
ACKNOWLEDGEMENT = _only("yes, yeah, yep, mhm, sure, sure thing, okay, ok, of course, certainly, alright, all right, oh")

# --- over the bot's voice ------------------------------------------------------------------------------------------

BACKCHANNEL = _only(
    "mhm, mm, mmm, hm, hmm, uh, um, er, ah, oh, aha, wow, huh, yes, yeah, yep, yup, okay, ok, right, all right,"
    "alright, sure, fine, good, great, cool, nice, perfect, lovely, excellent, wonderful, exactly, absolutely, true,"
    "of course, i see, i know, i understand, got it, i got it, gotcha, understood, makes sense, that makes sense,"
    "sounds good, that's right, that's fine, that's good, that's great, that's true, very good, very nice, oh good,"
    "go on, go ahead, thanks, thank you, really, interesting, good to know, hello, hi, hey there, hello there,"
    "hi there, good morning, good afternoon, good evening"
)
"""What a listener says to show that they are there."""
ARE_YOU_THERE = _only(
    "hello, hi, hey, are you there, you there, are you still there, still there,"
    "is anybody there, is anyone there, anybody there, anyone there, can you hear me, do you hear me"
)
"""What somebody says whom the line's silence worries, and who wants nothing new."""
COMMAND = _only(
    "stop, stop it, please stop, please, wait, please wait, wait a minute, wait a second, wait a moment, hold on,"
    "hang on, no no, no no no, excuse me, pardon me, sorry, hey, listen, shut up, be quiet, quiet, enough, 1 moment,"
    "just a moment, just a second, hold it, never mind, okay, ok, yeah, no, oh, um, uh"
)
"""A demand for the floor, softened or not; the softening alone is none (see `SOFTENING`)."""
SOFTENING = _only("please, okay, ok, yeah, oh, um, uh")
HALLUCINATION = re.compile(r"you|the|(?:thanks|thank you)(?: so much)? for watching(?: \w+)?|please subscribe")
"""What Whisper makes of sounds without words."""
CALLERS_OWN = _set(
    "please yes yeah no nope not don't what how why when but want i'd i'll thanks instead actually sorry "
    "monday tuesday wednesday thursday friday saturday sunday today tonight tomorrow"
)
"""New words in an otherwise repeated phrase that show the caller behind it; so do new numbers."""
BOTS_OWN = WH_WORDS | AUXILIARIES | _set("or you your you're you'd you'll we our")
"""Words of a question that nobody repeats who answers it."""
OFFER = re.compile(r"\b(?:or|either|whether|say|choose|option|options)\b")
"""In the bot's words: the caller may choose by repeating some of them."""
