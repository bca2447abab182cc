"""What a scenario expects of a call."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from telephony.scenarios.moments import AnyMoment, ToolCalled
from telephony.scenarios.parts import Matching, Part, Seconds, Text, known_by, spelled_out


class Within(Part):
    """Every `from` is followed by a `to` no later than `ms` after it, and no sooner than `least_ms`.

    With `nth`, only the nth `from` of the call, counted from 1.
    """

    since: AnyMoment = Field(alias="from")
    to: AnyMoment
    ms: Annotated[float, Field(ge=0)]
    least_ms: Annotated[float, Field(ge=0)] = 0.0
    nth: Annotated[int, Field(ge=1)] | None = None


class Count(Part):
    """So many times in the call."""

    of: AnyMoment
    times: Annotated[int, Field(ge=0)]


class BotRemembers(Part):
    bot: Matching


class CallerRemembered(Part):
    caller: Matching


class ToolRemembered(Part):
    tool: Text


type Remembered = Annotated[
    Annotated[BotRemembers, Tag("=bot")]
    | Annotated[CallerRemembered, Tag("=caller")]
    | Annotated[ToolRemembered, Tag("=tool")],
    known_by("bot", "caller", "tool"),
]


class HangUpOrder(Part):
    hang_up: Literal[""]

    def __str__(self) -> str:
        return "hang_up"


class TransferOrder(Part):
    transfer: Text

    def __str__(self) -> str:
        return f"transfer: {self.transfer}"


type Order = Annotated[
    Annotated[HangUpOrder, Tag("=hang_up")] | Annotated[TransferOrder, Tag("=transfer")],
    known_by("hang_up", "transfer"),
    spelled_out,
]

type Texts = Annotated[
    tuple[Matching, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


class Expect(Part):
    """What must happen; of a list that is not given nothing is expected, of an empty one that there is nothing."""

    in_order: tuple[AnyMoment, ...] = ()
    also: tuple[AnyMoment, ...] = ()
    never: tuple[AnyMoment, ...] = ()
    counts: tuple[Count, ...] = ()
    within: tuple[Within, ...] = ()
    silence_under: Seconds | None = None
    caller_heard: Texts = ()
    caller_never_heard: Texts = ()
    history: tuple[Remembered, ...] | None = None
    tools: tuple[ToolCalled, ...] | None = None
    carrier: tuple[Order, ...] | None = None
    ended: Matching | None = None
