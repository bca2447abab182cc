"""What the machine orders; the session carries it out."""

from dataclasses import dataclass
from enum import StrEnum


class EndReason(StrEnum):
    """Why a call ended, as the operator reads it."""

    CALLER_LEFT = "caller hung up"
    GOODBYE = "the bot said goodbye"
    TRANSFERRED = "transferred"
    SILENCE = "the caller said nothing any more"
    TOO_LONG = "the call reached its limit"
    FAILED = "the bot could not go on"
    DEFEATED = "the language model could not go on"
    SPEECHLESS = "the speech engines could not go on"
    LINE_LOST = "the stream broke"
    HANDED_OVER = "handed over to another process"
    REPLACED = "another stream of the call has begun"


@dataclass(frozen=True, slots=True)
class Listen:
    """Keep the caller's audio for this turn, from a little before the voice began."""

    turn: int


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise the turn's audio so far; an earlier attempt at the same turn is out of date."""

    turn: int
    attempt: int


@dataclass(frozen=True, slots=True)
class StopListening:
    """The turn is over or came to nothing: drop its audio and whatever is still recognising it."""

    turn: int


@dataclass(frozen=True, slots=True)
class StartReply:
    """Ask the language model to answer what the caller said.

    With `guess` the caller may not have finished: the words are not remembered yet, and nothing with an effect may be
    done before `ConfirmReply`.
    """

    turn: int
    guess: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmReply:
    """What the reply was started on is what the caller said."""

    turn: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Drop the reply; a guess leaves no trace."""

    turn: int


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one sentence after all that was said before."""

    turn: int
    sentence: int
    text: str


@dataclass(frozen=True, slots=True)
class HoldPlayback:
    """Stop the bot's voice at once, but keep what was not heard."""


@dataclass(frozen=True, slots=True)
class ResumePlayback:
    """Go on where the voice was held."""


@dataclass(frozen=True, slots=True)
class DropPlayback:
    """Stop the bot's voice, if it is not held already, and forget what was not heard.

    A `SentenceCut` tells how far the caller had heard.
    """


@dataclass(frozen=True, slots=True)
class RememberCaller:
    """The caller said this, or pressed it where `keyed`: keys the reply had asked for."""

    turn: int
    text: str
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class RememberBot:
    """The caller heard the bot say this; `interrupted` if it was cut short there."""

    turn: int
    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    reason: EndReason


@dataclass(frozen=True, slots=True)
class HandOver:
    """End the stream, for another process to take the call up as it is."""


type Action = (
    Listen
    | Transcribe
    | StopListening
    | StartReply
    | ConfirmReply
    | CancelReply
    | Say
    | HoldPlayback
    | ResumePlayback
    | DropPlayback
    | RememberCaller
    | RememberBot
    | Transfer
    | HangUp
    | HandOver
)
