"""A call as lines of text, each with its instant, for whoever wants to know why a scenario failed."""

from collections.abc import Iterator

from telephony.scenarios.run import Run
from telephony.simulator import events

_DETAILS = frozenset({"call_started", "audio_sent", "first_token", "caller_speech_started", "caller_speech_ended"})
"""Kinds of the feed that say nothing a reader of the timeline would miss."""


def timeline(run: Run) -> list[str]:
    """The lines, in order; then what the caller heard and what the bot remembers, where that is known."""
    lines = [f"{event.at_s:8.2f}  {who:<7}  {what}" for event in run.events for who, what in _told(event)]
    if run.caller_heard is not None:
        lines.append(f"{'heard:':>8}  {run.caller_heard}")
    if run.history is not None:
        lines += [f"{'history:':>8}  {said}" for said in run.history]
    return lines


def _told(event: events.Event) -> Iterator[tuple[str, str]]:
    """Who did what, if it is worth a line."""
    match event:
        case events.CallerSpeaking(text=text, barge_in=barge_in):
            yield "caller", f"{'(barges in) ' if barge_in else ''}{text}"
        case events.CallerSpoke():
            yield "caller", "(has spoken)"
        case events.CallerPressed(digit=digit):
            yield "caller", f"(presses {digit})"
        case events.BotSpeaking():
            yield "bot", "(is heard)"
        case events.BotQuiet():
            yield "bot", "(falls silent)"
        case events.PlaybackCleared(dropped_ms=dropped_ms):
            yield "line", f"(cleared: {dropped_ms:.0f} ms are not played)"
        case events.Dialled(numbers=numbers, outcome=outcome):
            yield "carrier", f"(dials {', '.join(numbers)}: {outcome})"
        case events.CarrierSpoke(text=text):
            yield "carrier", text
        case events.Warned(text=text):
            yield "carrier", f"warning: {text}"
        case events.CallEnded(reason=reason):
            yield "line", f"(over: {reason})"
        case events.BotReported() if event.kind not in _DETAILS:
            yield from _reported(event)


def _reported(event: events.BotReported) -> Iterator[tuple[str, str]]:
    """A line of the bot's feed: kinds without words of their own are shown as they are."""
    match event.kind:
        case "bot_says":
            yield "bot", f"says: {event.text()}"
        case "bot_said":
            yield "bot", f"was heard{', cut off' if event.fields.get('interrupted') is True else ''}: {event.text()}"
        case "caller_said":
            yield "bot", f"understood: {event.text()}"
        case "log":
            yield "log", event.text()
        case kind:
            fields = ", ".join(f"{name} {value}" for name, value in event.fields.items())
            yield "bot", f"{kind}{f': {fields}' if fields else ''}"
