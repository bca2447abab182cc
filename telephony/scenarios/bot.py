"""Who answers in a scenario: the business, and what each engine does or fails to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from telephony.scenarios.parts import Matching, Part, Seconds, Text, default_if_bare, known_by, spelled_out

type Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None


def plain(value: object) -> object:
    """A scalar of the file as what it looks like: tools have numbers and truth values among their arguments."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and (value.isdecimal() or value.replace(".", "", 1).isdecimal()):
        # a leading zero makes it a code or a telephone number
        return value if len(value) > 1 and value[0] == "0" else float(value) if "." in value else int(value)
    return value


type Arguments = Annotated[dict[str, Value], BeforeValidator(plain)]


class Words(Part):
    """The model writes this, one word at a time."""

    say: Text


class CallTool(Part):
    """The model asks for a tool."""

    tool: Text
    args: Arguments = Field(default_factory=dict)


class Stall(Part):
    """The model sends nothing for so many seconds; the first `times` times that it is asked for this reply."""

    stall: Seconds
    times: Annotated[int, Field(ge=1)] = 1_000_000


class Fail(Part):
    """The line to the model breaks."""

    fail: Annotated[bool, default_if_bare(True)]
    times: Annotated[int, Field(ge=1)] = 1_000_000


type Piece = Annotated[
    Annotated[Words, Tag("=say")]
    | Annotated[CallTool, Tag("=tool")]
    | Annotated[Stall, Tag("=stall")]
    | Annotated[Fail, Tag("=fail")],
    known_by("say", "tool", "stall", "fail"),
    spelled_out,
    BeforeValidator(lambda value: {"say": value} if isinstance(value, str) and value != "fail" else value),
]


class Reply(Part):
    """One reply of the scripted model. With `to`, it answers whatever the caller says that is like that."""

    reply: Annotated[tuple[Piece, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
    to: Matching | None = None


type ReplyEntry = Annotated[
    Reply, BeforeValidator(lambda value: {"reply": value} if isinstance(value, str | list) else value)
]


class VoiceFault(Part):
    """What goes wrong when the bot's voice is asked for its nth sentence, counted from 1, or for every one."""

    sentence: Annotated[int, Field(ge=1)] | None = None
    stall: Seconds = 0.0
    fail: bool = False
    after: Seconds = 0.0
    """How much of the sentence is spoken before."""


class Voice(Part):
    """The scripted voice. `slow` is how long it takes to begin a sentence.

    With `word_timings` it tells when it says each word; without, how far a sentence was heard is estimated.
    """

    slow: Seconds = 0.0
    word_timings: bool = False
    faults: tuple[VoiceFault, ...] = ()


class HearingFault(Part):
    """What goes wrong at the end of the nth recognition, counted from 1, or of every one."""

    attempt: Annotated[int, Field(ge=1)] | None = None
    stall: Seconds = 0.0
    fail: bool = False
    empty: bool = False


class Recogniser(Part):
    """The scripted recogniser. `slow` is how long its final result takes.

    `streaming`: it gives words while the caller speaks. `end_of_turn`: it says by itself that the caller has finished
    after so many seconds of silence.
    """

    slow: Seconds = 0.0
    streaming: bool = False
    end_of_turn: Seconds | None = None
    faults: tuple[HearingFault, ...] = ()


class ScriptedTool(Part):
    """A tool beside those of the front desk. It takes `takes` seconds and answers `gives`, or fails.

    `safe` says that it has no effects, so that it may be run before the caller's turn is sure to be over.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    description: str = "A tool."
    args: tuple[Text, ...] = ()
    takes: Seconds = 0.0
    gives: str = "Done."
    fail: bool = False
    safe: bool = False


class Bot(Part):
    """The bot on the line: by default the shipped front desk, with engines that take no time and never fail.

    `business` is a business file, beside the scenario's own. `model` is `frontdesk`, the embedded one, or what a
    scripted one replies; `fallback` is what a second one replies that steps in for it. With `carrier: refuses` the
    carrier takes no orders, with `nobody_answers` those whom it rings do not pick up.
    """

    business: Path | None = None
    model: Annotated[
        tuple[ReplyEntry, ...] | None, BeforeValidator(lambda value: None if value == "frontdesk" else value)
    ] = None
    fallback: tuple[ReplyEntry, ...] = ()
    voice: Voice = Voice()
    recogniser: Recogniser = Recogniser()
    tools: tuple[ScriptedTool, ...] = ()
    carrier: Literal["obeys", "refuses", "nobody_answers"] = "obeys"

    @property
    def is_scripted(self) -> bool:
        """Whether anything but the business file was set, which a bot that is really called will not know of."""
        return bool(self.model_fields_set - {"business"}) and self != Bot(business=self.business)
