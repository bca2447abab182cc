"""What the carrier can be told to do with a call whose stream is over."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Over:
    """The talk came to its end; so does the call."""


@dataclass(frozen=True, slots=True)
class PutThrough:
    """The bot has promised to put the caller through."""

    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeUp:
    """The talk was cut off: it goes on in another stream."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It cannot go on: the caller is told so."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Whoever was asked is about to end: let the carrier ask again in a moment, and somebody else."""


type After = Over | PutThrough | TakeUp | GiveUp | AskAgain
