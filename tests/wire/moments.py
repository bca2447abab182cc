"""Moments of a call at which something happens to it, and what a caller does in such calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.call.rules import CallRules
from telephony.simulator.caller import Press, Say, Step, Wait
from telephony.simulator.events import (
    BotAudioArrived,
    BotReported,
    BotSpeaking,
    CallerPressed,
    CallerSpeaking,
    Event,
    StreamClosed,
)
from telephony.simulator.options import DialOutcome

RESUMED = CallRules().resumed
PARTING = Say("Bye now.")
TALK = (Say("Dogs allowed?"), PARTING)
TYPED = (Say("The code?"), Press("12"), Wait(0.8), Press("34", at_once=True), PARTING)
STRAY = (Press("4"), Wait(0.8), Press("2#", at_once=True), PARTING)
TRANSFER = (Say("Boss, please."),)


@dataclass(frozen=True, slots=True)
class Moment:
    """So long after the `count`th event that `is_it`, in a call in which the caller follows `script`.

    With `repeats` they have to say their first line twice, for the first time it is not heard to its end.
    """

    name: str
    script: tuple[Step, ...]
    is_it: Callable[[Event], bool]
    count: int = 1
    then_s: float = 0.0
    repeats: bool = False
    more_streams: int = 1
    """How many more the call has if its process dies at this moment."""
    dial: DialOutcome = "completed"

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.script[0], *self.script) if self.repeats else self.script


def a(kind: type[Event]) -> Callable[[Event], bool]:
    """Whether an event is of this kind."""
    return lambda event: isinstance(event, kind)


def _turn_over(event: Event) -> bool:
    return isinstance(event, BotReported) and event.kind == "caller_said"


MOMENTS = (
    Moment("the bot speaks", TALK, a(BotSpeaking), 2, then_s=1.1),
    Moment("the reply is generated", TALK, _turn_over, then_s=0.2),
    Moment("the caller speaks", TALK, a(CallerSpeaking), then_s=0.3, repeats=True),
    Moment("the bot says goodbye", TALK, a(BotSpeaking), 3, then_s=0.3),
    Moment("keys are pressed", TYPED, a(CallerPressed), 2, then_s=0.3),
    Moment("stray keys are pressed", STRAY, a(CallerPressed), then_s=0.3),
    Moment("a transfer is announced", TRANSFER, a(BotSpeaking), 2, then_s=0.5),
    Moment("a transfer is made", TRANSFER, a(StreamClosed), then_s=0.2, more_streams=0),
    Moment("a transfer fails", TRANSFER, a(StreamClosed), then_s=0.2, more_streams=0, dial="no-answer"),
    Moment("the greeting", TALK, a(BotSpeaking), then_s=0.3),
)


@dataclass(slots=True)
class Watch:
    """Waits for a moment while a call goes on; `answered` is set as soon as the bot is about to be heard."""

    moment: Moment
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: int = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, BotAudioArrived):
            self.answered.set()
        if self.moment.is_it(event):
            self._seen += 1
            if self._seen == self.moment.count:
                asyncio.get_running_loop().call_later(self.moment.then_s, self.happened.set)


def without_excuse(memory: list[str]) -> list[str]:
    """A call's memory, but for what a bot says that has lost its caller for a moment, as far as they heard it."""
    return [line for line in memory if not f"bot_said: {RESUMED}".startswith(line)]


def once(heard: list[str]) -> list[str]:
    """What was heard, without that, and without the beginnings of sentences that were then said in full."""
    following = [*heard[1:], ""]
    whole = [said for said, then in zip(heard, following, strict=True) if said == then or not then.startswith(said)]
    return [said for said in whole if not RESUMED.startswith(said)]
