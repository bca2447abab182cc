"""The phases of a call and the legal moves between them, as a table; the documentation draws its diagram from it."""

from enum import StrEnum


class Phase(StrEnum):
    """What the bot is doing."""

    GREETING = "greeting"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    HELD = "held"
    ENDED = "ended"


class Cause(StrEnum):
    """Why the bot moves from one phase to another."""

    SAYS = "it has something to say"
    HEARD = "all was heard"
    AWAITS = "more is to come"
    TURN = "the caller has finished"
    TALKED_OVER = "the caller talks over it"
    RESUMES = "that was no turn"
    YIELDS = "it gives the caller the line"
    OVER = "the call is over"


TRANSITIONS: dict[tuple[Phase, Cause], Phase] = {
    (Phase.GREETING, Cause.SAYS): Phase.GREETING,
    (Phase.GREETING, Cause.HEARD): Phase.LISTENING,
    (Phase.GREETING, Cause.TALKED_OVER): Phase.HELD,
    (Phase.GREETING, Cause.YIELDS): Phase.LISTENING,
    (Phase.GREETING, Cause.OVER): Phase.ENDED,
    (Phase.LISTENING, Cause.SAYS): Phase.SPEAKING,
    (Phase.LISTENING, Cause.TURN): Phase.THINKING,
    (Phase.LISTENING, Cause.YIELDS): Phase.LISTENING,
    (Phase.LISTENING, Cause.OVER): Phase.ENDED,
    (Phase.THINKING, Cause.SAYS): Phase.SPEAKING,
    (Phase.THINKING, Cause.AWAITS): Phase.THINKING,
    (Phase.THINKING, Cause.HEARD): Phase.LISTENING,
    (Phase.THINKING, Cause.YIELDS): Phase.LISTENING,
    (Phase.THINKING, Cause.OVER): Phase.ENDED,
    (Phase.SPEAKING, Cause.SAYS): Phase.SPEAKING,
    (Phase.SPEAKING, Cause.AWAITS): Phase.THINKING,
    (Phase.SPEAKING, Cause.HEARD): Phase.LISTENING,
    (Phase.SPEAKING, Cause.TALKED_OVER): Phase.HELD,
    (Phase.SPEAKING, Cause.YIELDS): Phase.LISTENING,
    (Phase.SPEAKING, Cause.OVER): Phase.ENDED,
    (Phase.HELD, Cause.SAYS): Phase.HELD,
    (Phase.HELD, Cause.RESUMES): Phase.SPEAKING,
    (Phase.HELD, Cause.YIELDS): Phase.LISTENING,
    (Phase.HELD, Cause.OVER): Phase.ENDED,
}
"""Every move there is; any other is a fault of ours."""


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> greeting"]
    lines += [f"    {a} --> {b}: {cause}" for (a, cause), b in TRANSITIONS.items()]
    return "\n".join([*lines, "    ended --> [*]"])
