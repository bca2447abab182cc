"""What can happen in a call, as facts in the past tense; audio never enters the machine, only facts about it.

An event that answers an order carries the turn that asked, so that an answer to a finished turn can be dropped.
Turn 0 is the greeting; turn n is the caller's nth contribution and all the bot says until the next one.
Instants (`at`) are seconds of the session's monotonic clock.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The stream is up and the engines are ready."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller's voice was detected; it began at `at`, a little before now."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller has paused; their voice ended at `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class TranscriptReady:
    """The recogniser's words for the caller's turn so far; empty if it made out none."""

    turn: int
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    turn: int
    attempt: int


@dataclass(frozen=True, slots=True)
class WordsMissed:
    """A streaming recogniser made out words, up to `at`, where no voice had been noticed."""

    at: float


@dataclass(frozen=True, slots=True)
class WordsSoFar:
    """All that a streaming recogniser has made out of the turn up to now; its last words may still change."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class EngineSaysOver:
    """The recogniser's own opinion is that the caller has finished."""

    turn: int


@dataclass(frozen=True, slots=True)
class SentenceGenerated:
    """The reply has its next sentence."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """The reply wants the call to end once its words were heard."""

    turn: int


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The reply wants the caller put through to `number` once its words were heard."""

    turn: int
    number: str


@dataclass(frozen=True, slots=True)
class KeysRequested:
    """The reply wants the caller to press keys: so many, or up to `terminator`, whichever comes first."""

    turn: int
    length: int | None
    terminator: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    turn: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    turn: int


@dataclass(frozen=True, slots=True)
class SentenceHeard:
    """The caller heard the sentence to its end.

    `spoken`: how many words of the text that the voice was given those were, if it broke off before the last.
    """

    turn: int
    sentence: int
    spoken: int | None = None


@dataclass(frozen=True, slots=True)
class SentenceCut:
    """Playback ended for good within this sentence; `fraction` of its audio was heard.

    `spoken`: how many words of the text that the voice was given were heard to their end, where the voice tells.
    """

    turn: int
    sentence: int
    fraction: float
    spoken: int | None = None


@dataclass(frozen=True, slots=True)
class EnginesMissing:
    """The engines that hear and speak could not be connected."""


@dataclass(frozen=True, slots=True)
class SentenceFailed:
    """The voice could not say the sentence."""

    turn: int
    sentence: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller hung up, or the carrier has ended the stream."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The stream is gone without a word: the caller may still be there."""


@dataclass(frozen=True, slots=True)
class HandOverWanted:
    """This process ends: another is to take the call up, at `by` at the latest."""

    by: float


type ReplyEvent = SentenceGenerated | HangUpRequested | TransferRequested | ReplyFinished | ReplyFailed
"""What a reply can bring."""

type Event = (
    CallStarted
    | SpeechStarted
    | SpeechStopped
    | TranscriptReady
    | TranscriptFailed
    | WordsMissed
    | WordsSoFar
    | EngineSaysOver
    | SentenceGenerated
    | HangUpRequested
    | TransferRequested
    | KeysRequested
    | ReplyFinished
    | ReplyFailed
    | SentenceHeard
    | SentenceCut
    | SentenceFailed
    | EnginesMissing
    | KeyPressed
    | CallerLeft
    | LineLost
    | HandOverWanted
)
