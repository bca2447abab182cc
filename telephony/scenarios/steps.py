"""What a scenario's caller can do, step by step, and what each step waits for."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from telephony.scenarios.parts import Part, Pattern, Seconds, Text, default_if_bare, known_by, pattern, spelled_out


@dataclass(frozen=True, slots=True)
class Answered:
    """The bot has answered what the caller last did, and the line is quiet."""


@dataclass(frozen=True, slots=True)
class Now:
    """Nothing: the step follows the one before it."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """The bot has been speaking for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Says:
    """The caller has just heard these words."""

    words: Pattern


@dataclass(frozen=True, slots=True)
class InSentence:
    """The bot is in its nth sentence since the caller last did something, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody has said anything for `seconds`."""

    seconds: float


type Trigger = Answered | Now | Speaking | Says | InSentence | Silent

_HELP = (
    "write now, answered, or one of these with its value: speaking: seconds, says: words, sentence: n, silent: seconds"
)


def _trigger(value: object) -> Trigger:
    match value:
        case Answered() | Now() | Speaking() | Says() | InSentence() | Silent():
            return value
        case "now":
            return Now()
        case "answered":
            return Answered()
        case {"says": words, **others} if not others:
            return Says(pattern(words))
        case {"speaking": seconds, **others} if not others:
            return Speaking(_seconds(seconds))
        case {"silent": seconds, **others} if not others:
            return Silent(_seconds(seconds))
        case {"sentence": str(number), **others} if not others and number.isdecimal() and int(number):
            return InSentence(int(number))
    raise ValueError(_HELP)


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        raise ValueError(_HELP) from None
    if not 0 <= seconds <= 3600:
        raise ValueError("seconds run from 0 to 3600")
    return seconds


type When = Annotated[Trigger, BeforeValidator(_trigger)]


class Say(Part):
    """Say something. `heard` is what the recogniser makes of it, if not the same; `quiet` is too low for the detector.

    Both are for invented time: a live call has engines of its own.
    """

    say: Text
    when: When = Answered()
    heard: str | None = None
    quiet: bool = False


class BargeIn(Part):
    """Say something while the bot speaks."""

    barge_in: Text
    when: When = Speaking(0.8)
    heard: str | None = None


class Backchannel(Part):
    """A sound of listening over the bot's speech, which wants no answer."""

    backchannel: Annotated[Text, default_if_bare("Mm-hm.")]
    when: When = Speaking(0.8)


_SHORT_S, _LONG_S, _COUGH_S = 0.15, 2.0, 0.35


class Noise(Part):
    """A sound without words: `short`, `long` or so many seconds."""

    noise: Annotated[
        Seconds,
        BeforeValidator(lambda value: {"": _SHORT_S, "short": _SHORT_S, "long": _LONG_S}.get(str(value), value)),
    ]
    when: When = Speaking(0.8)


class Cough(Part):
    """A noise as long as a cough."""

    cough: Annotated[Seconds, default_if_bare(_COUGH_S)]
    when: When = Speaking(0.8)


class Press(Part):
    """Press keys, one after the other, `every` so many seconds."""

    press: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,64}$")]
    when: When = Answered()
    every: Seconds = 0.25


class Pause(Part):
    """Be silent for so many seconds and then go on with the next step, whatever the bot does: a pause for thought."""

    pause: Seconds


class Wait(Part):
    """Let so many seconds pass; the next step then waits for what it waits for."""

    wait: Seconds


class HangUp(Part):
    """Put the phone down."""

    hang_up: Literal[""] = ""
    when: When = Answered()


class LoseMarks(Part):
    """From here on the carrier loses the echoes of marks, or no longer does."""

    lose_marks: Annotated[bool, default_if_bare(True)]
    when: When = Now()


class StallSocket(Part):
    """For so many seconds nothing gets through the socket, either way; then all of it at once."""

    stall_socket: Seconds
    when: When = Now()


class Echo(Part):
    """From here on the bot's own voice comes back on the caller's line, as from a loudspeaker, or no longer does."""

    echo: Annotated[bool, default_if_bare(True)]
    when: When = Now()


type Sound = Say | BargeIn | Backchannel | Noise | Cough
type Fault = LoseMarks | StallSocket | Echo

type Step = Annotated[
    Annotated[Say, Tag("=say")]
    | Annotated[BargeIn, Tag("=barge_in")]
    | Annotated[Backchannel, Tag("=backchannel")]
    | Annotated[Noise, Tag("=noise")]
    | Annotated[Cough, Tag("=cough")]
    | Annotated[Press, Tag("=press")]
    | Annotated[Pause, Tag("=pause")]
    | Annotated[Wait, Tag("=wait")]
    | Annotated[HangUp, Tag("=hang_up")]
    | Annotated[LoseMarks, Tag("=lose_marks")]
    | Annotated[StallSocket, Tag("=stall_socket")]
    | Annotated[Echo, Tag("=echo")],
    known_by(
        "say",
        "barge_in",
        "backchannel",
        "noise",
        "cough",
        "press",
        "pause",
        "wait",
        "hang_up",
        "lose_marks",
        "stall_socket",
        "echo",
    ),
    spelled_out,
]
