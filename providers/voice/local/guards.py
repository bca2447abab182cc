"""What Whisper may not say: limits, repeats and phantom phrases, judged from the decoder's own figures.

Whisper invents text for sounds that are not speech ("you", "Thank you.", rows of dots) and sometimes repeats itself
until it is stopped. Nothing here looks at audio; a result that fails becomes no text, which a caller is asked about.
"""

import re
from dataclasses import dataclass

# English runs at up to 5 tokens a second of speech, a spelled or dictated digit at up to 4 words a second (measured on
# synthetic and read speech); what is faster than this was not said.
_TOKENS_PER_SECOND = 6.5
_REPEATS_PER_SECOND = 4.0
_TOKENS_OF_GRACE = 5
_REPEATS_OF_GRACE = 2

# The first pair is OpenAI's own rule (no_speech_threshold, logprob_threshold); the others were measured on noise,
# tones, breath and silence (0.61 and up) against spoken single words (0.50 and down, the worst synthetic voice).
_NO_SPEECH = 0.6
_UNSURE = -1.0
_SURELY_NO_SPEECH = 0.8
_NO_SPEECH_FOR_PHANTOM = 0.5

_PHANTOMS = frozenset(
    (
        *("you", "thank you", "thank you very much", "thanks", "thanks for watching", "thank you for watching"),
        *("bye", "oh", "ah", "uh", "um", "hmm", "so", "i", "i'm", "a", "the", "beep"),
    )
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decode: its text, its length in tokens, and how sure the decoder was.

    `log_probability` is the mean over tokens, natural logarithm; `no_speech` the probability of the token that
    stands for audio without speech.
    """

    text: str
    tokens: int
    log_probability: float
    no_speech: float


def token_limit(active_s: float) -> int:
    """The most tokens that `active_s` seconds of speech can hold; decoding stops just above it."""
    return _TOKENS_OF_GRACE + int(_TOKENS_PER_SECOND * active_s)


def is_runaway(decoded: Decoded, active_s: float) -> bool:
    """Whether more was said, or repeated at once, than fits into the time."""
    if decoded.tokens > token_limit(active_s):
        return True
    return longest_run(words_of(decoded.text)) > _REPEATS_OF_GRACE + _REPEATS_PER_SECOND * active_s


def is_doubtful(decoded: Decoded, active_s: float) -> bool:
    """Whether to decode again with a wider window, which hardly ever repeats by itself what was said once.

    So is every text that says something of two words or digits twice in a row: people do, but the decoder does too.
    """
    units = [unit for word in words_of(decoded.text) for unit in (word if word.isdecimal() else [word])]
    return is_runaway(decoded, active_s) or any(
        units[start : start + size] == units[start + size : start + 2 * size]
        for size in range(2, len(units) // 2 + 1)
        for start in range(len(units) - 2 * size + 1)
    )


def is_speech(decoded: Decoded) -> bool:
    """Whether the text was spoken rather than dreamt up over noise."""
    words = words_of(decoded.text)
    if not words or decoded.no_speech > _SURELY_NO_SPEECH:
        return False
    if decoded.no_speech > _NO_SPEECH and decoded.log_probability < _UNSURE:
        return False
    return not (" ".join(dict.fromkeys(words)) in _PHANTOMS and decoded.no_speech > _NO_SPEECH_FOR_PHANTOM)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation; apostrophes stay."""
    return re.findall(r"\w+(?:'\w+)*", text.lower().replace("’", "'"))


def longest_run(words: list[str]) -> int:
    """How many words the longest stretch has that says one thing at least three times in a row, or 0."""
    longest = 0
    for size in range(1, len(words) // 3 + 1):
        same = 0
        for index in range(size, len(words)):
            same = same + 1 if words[index] == words[index - size] else 0
            if same >= 2 * size:
                longest = max(longest, same + size)
    return longest


def without_runaway(text: str) -> str:
    """A runaway text up to where it starts over; nothing if what repeats has digits, for digits are not guessed at."""
    spans = [match.span() for match in re.finditer(r"\w+(?:['’]\w+)*", text)]
    words = words_of(text)
    for start in range(len(words)):
        for size in range(1, (len(words) - start) // 2 + 1):
            if words[start : start + size] != words[start + size : start + 2 * size]:
                continue
            if size < 3 and words[start : start + size] != words[start + 2 * size : start + 3 * size]:
                continue
            if any(character.isdigit() for word in words[start : start + size] for character in word):
                return ""
            return text[: spans[start + size][0]].rstrip()
    return ""
