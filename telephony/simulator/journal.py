"""The record of one call as it happens: events in the order in which they became known, each passed on at once."""

from collections.abc import Callable

from telephony.simulator.events import Event, Warned
from telephony.simulator.twiml import Fault


class Journal:
    """`began_at` is the instant from which `at_s` counts; `on_event` must neither wait nor raise."""

    def __init__(self, began_at: float, on_event: Callable[[Event], None] | None = None) -> None:
        self.began_at = began_at
        self.events: list[Event] = []
        self._on_event = on_event

    def at_s(self, instant: float) -> float:
        return instant - self.began_at

    def note(self, event: Event) -> None:
        self.events.append(event)
        if self._on_event:
            self._on_event(event)

    def warn(self, fault: Fault, now: float) -> None:
        """Note an error as Twilio's debugger would."""
        self.note(Warned(self.at_s(now), fault.code, fault.text))
