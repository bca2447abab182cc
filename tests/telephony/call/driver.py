"""Drives the machine as a session would, in invented time, answering its orders the way engines and carrier do."""

from telephony.call import actions, events
from telephony.call.endpointing import EndpointingRules
from telephony.call.machine import CallMachine
from telephony.call.opening import Opening
from telephony.call.phases import Phase
from telephony.call.rules import CallRules

EVEN = EndpointingRules(short_s=0.5, normal_s=0.5, long_s=0.5, quickest_pace=1.0, slowest_pace=1.0)
RULES = CallRules(barge_in_s=0.25, speculate=False, endpointing=EVEN)
"""What most tests go by: no guesses and one silence for all turns, so that a turn is one thing after the other."""


class Driver:
    """Keeps every order and what the caller and the bot are remembered to have said."""

    def __init__(self, rules: CallRules | None = None, cut_at: float = 0.5, opening: Opening | None = None) -> None:
        self.now = 100.0
        self.machine = CallMachine(rules or RULES, self.now, opening)
        self.orders: list[actions.Action] = []
        self.talk: list[str] = []
        self.saying: list[actions.Say] = []
        self.timers_served = 0
        self._cut_at = cut_at

    def phase(self) -> Phase:
        return self.machine.phase

    def happen(self, event: events.Event) -> list[actions.Action]:
        """The event happens now; returns the orders it led to."""
        return self._carry_out(self.machine.handle(event, self.now))

    def after(self, seconds: float, event: events.Event | None = None) -> list[actions.Action]:
        """Time passes, every timer on the way being served; then the event happens."""
        until = self.now + seconds
        orders: list[actions.Action] = []
        while (at := self.machine.deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            self.timers_served += 1
            assert self.timers_served < 1000, "a timer that changes nothing is armed for ever"
            orders += self._carry_out(self.machine.handle_timer(self.now))
        self.now = until
        return orders if event is None else orders + self.happen(event)

    def greet(self) -> None:
        """The call as it is once the greeting was heard."""
        self.happen(events.CallStarted())
        self.hear_all()
        self.orders.clear()
        self.talk.clear()

    def caller_says(self, text: str, seconds: float = 1.0) -> list[actions.Action]:
        """A whole turn: voice, pause, words, silence."""
        began = self.now
        orders = self.happen(events.SpeechStarted(began))
        orders += self.after(seconds)
        orders += self.happen(events.SpeechStopped(self.now))
        orders += self.words(text)
        return orders + self.after(0.5)

    def words(self, text: str) -> list[actions.Action]:
        """The recogniser answers the last request."""
        asked = [order for order in self.orders if isinstance(order, actions.Transcribe)][-1]
        return self.happen(events.TranscriptReady(asked.turn, asked.attempt, text))

    def bot_replies(self, *sentences: str) -> None:
        turn = self.machine.turn
        for sentence in sentences:
            self.happen(events.SentenceGenerated(turn, sentence))
        self.happen(events.ReplyFinished(turn))

    def hear_all(self) -> list[actions.Action]:
        """The caller hears out all that is being said."""
        orders: list[actions.Action] = []
        while self.saying:
            say = self.saying.pop(0)
            orders += self.happen(events.SentenceHeard(say.turn, say.sentence))
        return orders

    def _carry_out(self, orders: list[actions.Action]) -> list[actions.Action]:
        for order in orders:
            self.orders.append(order)
            match order:
                case actions.Say():
                    self.saying.append(order)
                case actions.RememberCaller(_, text):
                    self.talk.append(f"caller: {text}")
                case actions.RememberBot(_, text, interrupted):
                    self.talk.append(f"bot: {text}" + (" —" if interrupted else ""))
                case actions.DropPlayback() if self.saying:
                    first, self.saying = self.saying[0], []
                    self.happen(events.SentenceCut(first.turn, first.sentence, self._cut_at))
        return orders
