"""Runs a scenario against a server in real time: our own Twilio calls it, the caller's lines are really spoken."""

from collections.abc import Sequence
from time import monotonic

from telephony.call.journal import Kind
from telephony.call.rules import CallRules
from telephony.scenarios import steps
from telephony.scenarios.caller import Cue, LineFaults, ScenarioCaller
from telephony.scenarios.format import Scenario
from telephony.scenarios.run import Run, in_order, reported
from telephony.scenarios.sounds import noise
from telephony.simulator import events
from telephony.simulator.measure import trimmed
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.rest import RestApi
from telephony.simulator.voice import Voice

_CHARACTER_S = 0.065
"""How long a voice takes for a character, near enough to know which word it has reached."""


def why_not_live(scenario: Scenario) -> str:
    """Why a scenario can be run in invented time only; empty if it can be run live.

    What it sets of the bot a server does not know of, so that the outcome would say nothing.
    """
    if scenario.bot.is_scripted:
        return "it scripts the bot's engines or tools"
    if scenario.rules:
        return "it sets the bot's rules"
    if "at" in scenario.model_fields_set:
        return "it sets the bot's clock"
    for step in scenario.caller:
        match step:
            case steps.LoseMarks() | steps.StallSocket():
                return "it breaks the line"
            case steps.Say(heard=str()) | steps.Say(quiet=True) | steps.BargeIn(heard=str()):
                return "it says what the recogniser makes of a line"
    return ""


async def run_live(scenario: Scenario, options: CallOptions, voice: Voice, rest: RestApi | None = None) -> Run:
    """Make the call that `options` describes; what the caller does comes from the scenario.

    `rest` is the API through which the server may update the call, if it is told to use ours. Raises what speaking a
    line with `voice` raises. Cancelling drops the call.
    """
    cues = [await _cue(step, voice) for step in scenario.caller]
    words = FeedWords()
    caller = ScenarioCaller(cues, words, LineFaults(), monotonic())
    report = await place_call(options, caller=caller, rest=rest, on_event=words.told)
    happened = in_order(report.events)
    has_feed = any(isinstance(event, events.BotReported) for event in happened)
    problems = [f"the carrier warns: {event.code} {event.text}" for event in report.warnings]
    problems += filter(None, [caller.complaint(report.reason)])
    rules = CallRules()
    return Run(
        happened,
        reported(happened) if has_feed else None,
        caller_heard=None,
        reprompts=(rules.still_there, rules.silent_goodbye, rules.goodbye),
        kinds=frozenset(Kind) if has_feed else frozenset(),
        problems=tuple(problems),
    )


class FeedWords:
    """What the caller makes out, told from the bot's feed: which sentence began when, and what it says."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._now = 0.0
        self._texts: dict[tuple[int, object], str] = {}
        self._heard_at: dict[tuple[int, object], float] = {}

    def told(self, event: events.Event) -> None:
        """An event of the call, as soon as it is known."""
        match event:
            case events.StreamOpened(at_s=at_s):
                self._began_at = monotonic() - at_s
            case events.BotReported(kind="bot_says", turn=turn, fields=fields):
                self._texts[turn, fields.get("sentence")] = event.text()
            case events.BotReported(kind="audio_heard", at_s=at_s, turn=turn, fields=fields):
                self._heard_at[turn, fields.get("sentence")] = (self._began_at or 0.0) + at_s

    def hear(self, ulaw: bytes, now: float) -> None:
        self._now = now

    @property
    def sentences(self) -> Sequence[str]:
        return [
            self._texts.get(sentence, "")[: max(0, int((self._now - at) / _CHARACTER_S))]
            for sentence, at in self._heard_at.items()
        ]


async def _cue(step: steps.Step, voice: Voice) -> Cue:
    match step:
        case steps.Say(say=text) | steps.BargeIn(barge_in=text) | steps.Backchannel(backchannel=text):
            return Cue(step, trimmed(await voice.speak(text)))
        case steps.Noise(noise=seconds) | steps.Cough(cough=seconds):
            return Cue(step, noise(seconds))
    return Cue(step)
