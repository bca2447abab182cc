"""What the machine orders; the session carries it out."""

from dataclasses import dataclass
from enum import StrEnum


class EndReason(StrEnum):
    """Why a call ended, as the operator reads it."""

    CALLER_LEFT = "caller hung up"
    GOODBYE = "the bot said goodbye"
    TRANSFERRED = "transferred"
    SILENCE = "the caller said nothing any more"
    TOO_LONG = "the call reached its time limit"
    FAILED = "the bot could not go on"


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
    """Ask the language model to answer what the caller said."""

    turn: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    turn: int


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one sentence after all that was said before."""

    turn: int
    sentence: int
    text: str


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Stop the bot's voice at once; a `SentenceCut` tells how far the caller had heard."""


@dataclass(frozen=True, slots=True)
class RememberCaller:
    """The caller said this."""

    turn: int
    text: str


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


type Action = (
    Listen
    | Transcribe
    | StopListening
    | StartReply
    | CancelReply
    | Say
    | ClearPlayback
    | RememberCaller
    | RememberBot
    | Transfer
    | HangUp
)
