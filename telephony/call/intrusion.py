"""What a sound over the bot's voice was: noise, a listener's "mm-hm", the bot's own echo, or a turn taken."""

from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from enum import StrEnum

from telephony.call import english
from telephony.call.expectation import Expectation, is_answer


class Intrusion(StrEnum):
    """Only a TURN stops the bot; after anything else its voice goes on, or resumes."""

    NOISE = "noise"
    BACKCHANNEL = "backchannel"
    ECHO = "echo"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class IntrusionRules:
    """The thresholds between a turn and what only sounds like one."""

    unknown_speech_s: float = 1.5
    """Voice that lasts this long takes the turn although its words are not known yet."""
    backchannel_s: float = 2.0
    """Voice that lasts longer than this said more than the "okay" that was made out."""
    backchannel_words: int = 5
    """More words than this are no backchannel, whatever they are."""

    echo_new_words: float = 0.25
    """Share of an echo's words that may be garbled beyond recognition."""
    echo_similarity: float = 0.84
    """How alike (0 to 1, see `difflib`) two words are that may be one, misheard; Tuesday and Thursday are 0.8."""
    echo_slack_words: int = 2
    """How many words of the bot may be missing from its echo."""
    echo_part_letters: int = 4
    """So many letters are enough to know a word whose beginning or end was cut off."""
    repeat_words: int = 5
    """A caller may repeat as many of the bot's words to ask back or to choose; more are an echo."""
    longest_text_words: int = 30
    """Words judged at most, of the caller's and twice as many of the bot's: a bound on the work."""


def judge(text: str | None, speech_s: float, bot_words: str, expected: Expectation, rules: IntrusionRules) -> Intrusion:
    """Judge a sound that was heard while, or just after, the bot spoke. Pure; any text will do.

    `text` is what the recogniser made of it, empty if it made out no words, None if it has not answered or failed;
    `speech_s` how long the voice lasted; `bot_words` what the bot is saying now and has said in the last seconds;
    `expected` what those words ask for. In doubt between a turn and an echo of one or two words, the sound is a turn
    where the bot had asked something or offered a choice, and an echo where it had not.
    """
    if text is None:
        return Intrusion.TURN if speech_s >= rules.unknown_speech_s else Intrusion.NOISE
    words = english.words(text)[-rules.longest_text_words :]
    said = " ".join(words)
    if not words or english.HALLUCINATION.fullmatch(said):
        return Intrusion.NOISE
    if english.COMMAND.fullmatch(said) and not english.SOFTENING.fullmatch(said):
        return Intrusion.TURN
    if _is_echo(words, text, bot_words, rules):
        return Intrusion.ECHO
    if is_answer(words, expected) or not english.BACKCHANNEL.fullmatch(said):
        return Intrusion.TURN
    is_short = len(words) <= rules.backchannel_words and speech_s <= rules.backchannel_s
    return Intrusion.BACKCHANNEL if is_short else Intrusion.TURN


def asks_for_presence(text: str) -> bool:
    """Whether a caller who waits for an answer only wants to know that they are heard: "Hello? Are you there?"."""
    said = " ".join(word for word in english.words(text) if word not in english.FILLERS)
    return english.ARE_YOU_THERE.fullmatch(said) is not None


def _is_echo(words: list[str], text: str, bot_words: str, rules: IntrusionRules) -> bool:
    """Whether the words are the bot's, in its order, but for a few garbled on the way; the last one is its own."""
    bot = english.words(bot_words)[-2 * rules.longest_text_words :]
    heard = _as_said(words, bot, rules)
    if len(words) <= rules.repeat_words:
        if "?" in english.closing_marks(text):
            return _is_end_of_question(heard, bot_words)
        may_choose = "?" in bot_words or english.OFFER.search(" ".join(bot))
        if may_choose and english.BOTS_OWN.isdisjoint(words):
            return False
    known = _in_order(heard, bot, rules.echo_slack_words)
    new = [word for number, word in enumerate(words) if number not in known]
    if len(words) - 1 not in known or any(word in english.CALLERS_OWN or word.isdecimal() for word in new):
        return False
    return len(new) <= len(words) * rules.echo_new_words


def _as_said(words: list[str], bot: list[str], rules: IntrusionRules) -> list[str]:
    """The words, each clipped or misheard one replaced by the bot's word that it probably was."""
    heard = list(words)
    first, last = words[0], words[-1]
    if first not in bot and len(first) >= rules.echo_part_letters:
        heard[0] = next((word for word in bot if word.endswith(first)), first)
    if last not in bot and len(last) >= rules.echo_part_letters:
        heard[-1] = next((word for word in bot if word.startswith(last)), heard[-1])
    strange = {word for word in heard if word not in bot and not word.isdecimal()}
    if 2 * len(strange) > len(words) + 1:  # too many for an echo; comparing them all would take milliseconds
        return heard
    corrected = {word: get_close_matches(word, bot, n=1, cutoff=rules.echo_similarity) for word in strange}
    return [next(iter(corrected.get(word, ())), word) for word in heard]


def _is_end_of_question(heard: list[str], bot_words: str) -> bool:
    """Whether the bot itself asked, in these words; otherwise the caller asks back."""
    said: list[str] = []
    for sentence in english.sentences(bot_words):
        said += english.words(sentence)
        if "?" in sentence and said[-len(heard) :] == heard:
            return True
    return False


def _in_order(heard: list[str], bot: list[str], slack: int) -> set[int]:
    """Which of the words heard have their place in the bot's, around the longest run that both share."""
    run = SequenceMatcher(None, heard, bot, autojunk=False).find_longest_match()
    begin = run.b - run.a
    window = bot[max(0, begin - slack) : begin + len(heard) + slack]
    blocks = SequenceMatcher(None, heard, window, autojunk=False).get_matching_blocks()
    return {block.a + i for block in blocks for i in range(block.size)}
