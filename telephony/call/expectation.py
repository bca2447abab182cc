"""What the bot's last words ask of the caller, and so what their answer is likely to sound like."""

import re
from enum import StrEnum

from telephony.call import english

_CLAUSE_END = re.compile(r"[,;:–—]")
_CLAUSE = r"(?:^|\| )(?:(?:and|but|so|now|then|okay|great|perfect|thanks|thank you|sorry|alright|well) )*"
_ANY_OF_WH = "|".join(sorted(english.WH_WORDS))
_REQUEST = re.compile(
    rf"{_CLAUSE}(?:(?:please )?(?:tell|give|say|spell|read|repeat|confirm|provide|leave|go ahead|{_ANY_OF_WH})\b"
    r"|(?:can|could|may|would|will) (?:you|i|we) (?:please |just |kindly )*"
    r"(?:have|get|take|give|tell|read|repeat|say|spell|provide|share|confirm|mind|ask)\b(?! you\b)"
    r"|do you (?:have|know)\b|(?:i|we)(?:'ll| just| will)? need\b)"
)
_ELLIPSIS = re.compile(rf"{_CLAUSE}your (?:\w+ )?(?:number|name)$")
_TAG = re.compile(
    r"(?:^|\| )(?:right|correct|okay|ok|alright|ready|(?:is|isn't|does|doesn't) (?:it|that)(?: right| correct)?)$"
)
_INVERSION = re.compile(rf"{_CLAUSE}(?:{'|'.join(sorted(english.AUXILIARIES))})\b")
_CHOICE = re.compile(r"\bor\b(?! not\b)")


class Expectation(StrEnum):
    """What the bot's last words asked for."""

    ANYTHING = "anything"
    YES_NO = "yes or no"
    NUMBER = "number"
    """A long one, said digit by digit: a phone, account or order number."""
    SPELLING = "spelling"
    """Letters, or a name or mail address, which callers spell unasked."""


def expectation(bot_text: str) -> Expectation:
    """What the bot asked: its last question or request, if one of its last two sentences is one."""
    for sentence in reversed(english.sentences(bot_text)[-2:]):
        asked = _asked_for(sentence)
        if asked is not Expectation.ANYTHING or "?" in sentence:
            return asked
    return Expectation.ANYTHING


def is_answer(words: list[str], expected: Expectation) -> bool:
    """Whether these words (see `english.words`) answer the yes/no question that was asked, and say nothing else."""
    said = " ".join(word for word in words if word not in english.FILLERS)
    is_polite_only = english.POLITENESS.fullmatch(said)
    return expected is Expectation.YES_NO and english.ANSWER.fullmatch(said) is not None and not is_polite_only


def _asked_for(sentence: str) -> Expectation:
    said = " | ".join(" ".join(english.words(clause)) for clause in _CLAUSE_END.split(sentence))
    is_question = "?" in sentence
    if is_question and _TAG.search(said):
        return Expectation.YES_NO
    if _REQUEST.search(said) or _ELLIPSIS.search(said):
        if english.SPELLING_ASKED.search(said):
            return Expectation.SPELLING
        if english.NUMBER_ASKED.search(said):
            return Expectation.NUMBER
        return Expectation.SPELLING if english.NAME_ASKED.search(said) else Expectation.ANYTHING
    is_yes_no = _INVERSION.search(said) or english.WH_WORDS.isdisjoint(said.split())  # "Is it Friday?", "Friday?"
    return Expectation.YES_NO if is_question and is_yes_no and not _CHOICE.search(said) else Expectation.ANYTHING
