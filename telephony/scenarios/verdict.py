"""Whether a call was as its scenario expects: one check for each expectation, with a reason a person can read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telephony.scenarios.expect import BotRemembers, CallerRemembered, Expect, HangUpOrder, Remembered, Within
from telephony.scenarios.moments import AnyMoment, HangsUp
from telephony.scenarios.parts import Pattern
from telephony.scenarios.run import Run, Said
from telephony.scenarios.silence import longest_silence
from telephony.simulator import events

HANGS_UP = HangsUp(bot_hangs_up="")
_SAME_S = 0.001  # what is not further apart is one instant, within which there is no order


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: `reason` says why it failed, or why nobody can tell."""

    what: str
    outcome: Outcome
    reason: str = ""


def judge(expect: Expect, run: Run) -> tuple[Check, ...]:
    """All checks of one call; what is wrong with the call itself comes first, as a check that failed."""
    checks = [Check("the call went through", Outcome.FAILED, problem) for problem in run.problems]
    checks += [_in_order(expect.in_order, run)] if expect.in_order else []
    checks += [_ever(moment, run) for moment in expect.also]
    checks += [_never(moment, run) for moment in expect.never]
    checks += [_count(count.of, count.times, run) for count in expect.counts]
    checks += [_within(within, run) for within in expect.within]
    if expect.silence_under is not None:
        checks.append(_silence(expect.silence_under, run))
    checks += [_heard(words, run) for words in expect.caller_heard]
    checks += [_never_heard(words, run) for words in expect.caller_never_heard]
    if expect.history is not None:
        checks.append(_history(expect.history, run))
    if expect.tools is not None:
        checks.append(_tools(expect, run))
    if expect.carrier is not None:
        checks.append(_carrier(expect, run))
    if expect.ended is not None:
        checks.append(_ended(expect.ended, run))
    return tuple(checks)


def _verdict(what: str, failure: str) -> Check:
    return Check(what, Outcome.FAILED if failure else Outcome.PASSED, failure)


def _unseen(moment: AnyMoment, run: Run) -> str:
    """Why this moment cannot be seen in such a run, if it cannot."""
    if run.kinds is None or not moment.needs or moment.needs in run.kinds:
        return ""
    return f"the bot's feed does not tell of {moment.needs}"


def _in_order(moments: Sequence[AnyMoment], run: Run) -> Check:
    what = "in order: " + ", ".join(map(str, moments))
    if unseen := next(filter(None, (_unseen(moment, run) for moment in moments)), ""):
        return Check(what, Outcome.UNCHECKED, unseen)
    before, since_s = "the call began", 0.0
    left = list(run.events)
    for moment in moments:
        event = next((event for event in left if event.at_s > since_s - _SAME_S and moment.matches(event)), None)
        if event is None:
            return _verdict(what, f"after {before} there was no {moment}")
        left.remove(event)
        before, since_s = f"{moment} at {event.at_s:.2f} s", event.at_s
    return _verdict(what, "")


def _ever(moment: AnyMoment, run: Run) -> Check:
    if unseen := _unseen(moment, run):
        return Check(str(moment), Outcome.UNCHECKED, unseen)
    return _verdict(str(moment), "" if any(map(moment.matches, run.events)) else "it never happened")


def _never(moment: AnyMoment, run: Run) -> Check:
    what = f"never: {moment}"
    if unseen := _unseen(moment, run):
        return Check(what, Outcome.UNCHECKED, unseen)
    event = next(filter(moment.matches, run.events), None)
    return _verdict(what, f"it happened at {event.at_s:.2f} s" if event else "")


def _count(moment: AnyMoment, times: int, run: Run) -> Check:
    what = f"{times} times: {moment}"
    if unseen := _unseen(moment, run):
        return Check(what, Outcome.UNCHECKED, unseen)
    found = [f"{event.at_s:.2f} s" for event in run.events if moment.matches(event)]
    return _verdict(what, "" if len(found) == times else f"it happened {len(found)} times {', '.join(found)}".strip())


def _within(within: Within, run: Run) -> Check:
    least = f"{within.least_ms:g} to " if within.least_ms else ""
    what = f"{within.since} → {within.to} within {least}{within.ms:g} ms"
    if unseen := _unseen(within.since, run) or _unseen(within.to, run):
        return Check(what, Outcome.UNCHECKED, unseen)
    starts = [place for place, event in enumerate(run.events) if within.since.matches(event)]
    if within.nth is not None:
        starts = starts[within.nth - 1 : within.nth]
    if not starts:
        return _verdict(what, f"there was no {within.since} to count from")
    for place in starts:
        began_at_s = run.events[place].at_s
        event = next(filter(within.to.matches, run.events[place + 1 :]), None)
        if event is None:
            return _verdict(what, f"after {within.since} at {began_at_s:.2f} s there was no {within.to}")
        took_ms = (event.at_s - began_at_s) * 1000
        if not within.least_ms - 0.5 <= took_ms <= within.ms + 0.5:
            return _verdict(what, f"after {within.since} at {began_at_s:.2f} s it took {took_ms:.0f} ms")
    return _verdict(what, "")


def _silence(limit_s: float, run: Run) -> Check:
    longest = longest_silence(run.events, run.reprompts)
    what = f"no unexplained silence of {limit_s:g} s"
    if longest is None or longest.duration_s < limit_s:
        return _verdict(what, "")
    return _verdict(what, f"from {longest.start_s:.2f} s on nobody spoke for {longest.duration_s:.2f} s")


def _heard(words: Pattern, run: Run) -> Check:
    what = f"the caller heard: {words}"
    if run.caller_heard is None:
        return Check(what, Outcome.UNCHECKED, "what was said cannot be read from real speech")
    return _verdict(what, "" if words.found_in(run.caller_heard) else f"they heard: {run.caller_heard}")


def _never_heard(words: Pattern, run: Run) -> Check:
    what = f"the caller never heard: {words}"
    if run.caller_heard is None:
        return Check(what, Outcome.UNCHECKED, "what was said cannot be read from real speech")
    return _verdict(what, f"they heard: {run.caller_heard}" if words.found_in(run.caller_heard) else "")


def _history(expected: Sequence[Remembered], run: Run) -> Check:
    what = f"the bot remembers these {len(expected)} things"
    if run.history is None:
        return Check(what, Outcome.UNCHECKED, "the server has no feed")
    is_same = len(expected) == len(run.history) and all(map(_is_remembered, expected, run.history))
    return _verdict(what, "" if is_same else "it remembers " + " | ".join(map(str, run.history)))


def _is_remembered(expected: Remembered, said: Said) -> bool:
    match expected:
        case BotRemembers(bot=words):
            return said.who == "bot" and words.found_in(said.text)
        case CallerRemembered(caller=words):
            return said.who == "caller" and words.found_in(said.text)
        case tool:
            return said == Said("tool", tool.tool)


def _tools(expect: Expect, run: Run) -> Check:
    expected = expect.tools or ()
    what = "tools called: " + (", ".join(tool.tool for tool in expected) or "none")
    if run.kinds is not None and "tool_called" not in run.kinds:
        return Check(what, Outcome.UNCHECKED, "the bot's feed does not tell of tool_called")
    called = [event for event in run.events if isinstance(event, events.BotReported) and event.kind == "tool_called"]
    is_same = len(called) == len(expected) and all(
        tool.matches(event) for tool, event in zip(expected, called, strict=True)
    )
    shown = ", ".join(f"{event.text('name')} {event.fields.get('args')}" for event in called)
    return _verdict(what, "" if is_same else f"called: {shown or 'none'}")


def _carrier(expect: Expect, run: Run) -> Check:
    expected = [str(order) for order in expect.carrier or ()]
    what = "ordered of the carrier: " + (", ".join(expected) or "nothing")
    found = list(_orders(run))
    return _verdict(what, "" if found == expected else f"ordered: {', '.join(found) or 'nothing'}")


def _orders(run: Run) -> Iterator[str]:
    """What the bot had the carrier do, told by the runner in invented time, by our own Twilio in a live call.

    A call that was handed on ends with its TwiML: that is no order of its own.
    """
    for place, event in enumerate(run.events):
        match event:
            case _ if HANGS_UP.matches(event) and not any(
                isinstance(before, events.Dialled) for before in run.events[:place]
            ):
                yield str(HangUpOrder(hang_up=""))
            case events.BotReported(kind="transfer_ordered"):
                yield f"transfer: {event.text('number')}"
            case events.Dialled(numbers=numbers) if run.kinds is not None:
                yield f"transfer: {', '.join(numbers)}"


def _ended(words: Pattern, run: Run) -> Check:
    what = f"ended: {words}"
    kinds = ("call_ended",)
    reported = [event for event in run.events if isinstance(event, events.BotReported) and event.kind in kinds]
    if not reported:
        return Check(what, Outcome.UNCHECKED, "the bot did not tell how the call ended")
    reason = reported[-1].text("reason")
    return _verdict(what, "" if words.found_in(reason) else f"it ended: {reason}")
