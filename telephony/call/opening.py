"""Where a talk stands when a new stream takes it up: what the machine has to know to go on with it."""

from dataclasses import dataclass, field

from telephony.call.actions import HangUp, Transfer


@dataclass(frozen=True, slots=True)
class Opening:
    """A talk that was cut off. Its history was restored already, by whoever made this.

    `turn` is the number of the caller's last turn and `turns` how many they have had. With `is_unanswered` its answer
    has to be generated again, without the sentences in `heard`; otherwise `saying` is what is left to be said of it,
    from its beginning on. `keys` is an entry under way, `keys_wanted` what it was asked for: a length, if it has one,
    and a terminator. `parting` follows once all was heard. One that was `handed_over` was left at a moment at which
    nobody noticed: where nothing is left to be said, nothing is.
    """

    turn: int = 0
    turns: int = 0
    is_unanswered: bool = False
    heard: tuple[str, ...] = field(default=(), repr=False)
    saying: tuple[str, ...] = field(default=(), repr=False)
    keys: str = field(default="", repr=False)
    keys_wanted: tuple[int | None, str] | None = None
    parting: HangUp | Transfer | None = field(default=None, repr=False)
    handed_over: bool = False
