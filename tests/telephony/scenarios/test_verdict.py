"""Checks: every expectation passes, fails with a reason, and is not checked where nobody can tell."""

from dataclasses import replace

import pytest

from providers.yaml_lines import parse_yaml
from telephony.scenarios.expect import Expect
from telephony.scenarios.run import Run, Said, reported, unheard
from telephony.scenarios.verdict import Outcome, judge
from telephony.simulator import events

RUN = Run(
    (
        events.BotReported(0.0, "bot_says", 0, {"text": "Hello."}),
        events.BotSpeaking(0.1),
        events.BotQuiet(1.0),
        events.BotReported(1.0, "bot_said", 0, {"text": "Hello.", "interrupted": False}),
        events.CallerSpeaking(2.0, "When?", barge_in=False),
        events.CallerSpoke(2.5, "When?"),
        events.BotReported(2.7, "caller_said", 1, {"text": "When?"}),
        events.BotReported(2.7, "tool_called", 0, {"name": "look", "args": {"day": "Monday", "size": 4}}),
        events.BotSpeaking(3.0),
        events.PlaybackCleared(3.5, 100.0),
        events.BotQuiet(3.5),
        events.BotReported(3.5, "bot_said", 1, {"text": "At", "interrupted": True}),
        events.CallerPressed(4.0, "5"),
        events.BotReported(5.0, "transfer_ordered", 0, {"number": "+1555"}),
        events.BotReported(5.0, "hang_up_ordered", 0, {}),
        events.BotReported(5.1, "call_ended", 0, {"reason": "the bot said goodbye"}),
        events.CallEnded(5.1, "over", "completed"),
    ),
    (Said("bot", "Hello."), Said("caller", "When?"), Said("tool", "look"), Said("bot", "At—")),
    "Hello. At",
    ("Are you still there?",),
)
OUTSIDE = replace(RUN, history=None, caller_heard=None, kinds=frozenset())

PASS = [
    "in_order: [bot_says: hello, bot_speaks, bot_quiet, caller_speaks: when, {tool: look, args: {day: mon}}, cleared]",
    "in_order: [{bot_said: Hello}, bot_quiet]",
    "also: [{bot_said: At, interrupted: true}, {key: '5'}, key, bot_hangs_up, {bot_transfers: '+1555'}, bot_transfers]",
    "also: [{feed: call_ended, fields: {reason: goodbye}}, caller_said, caller_stops]",
    "never: [{bot_said: Hello, interrupted: true}, {key: '6'}, {tool: look, args: {size: /^3$/}}, model_asked]",
    "counts: [{of: bot_speaks, times: 2}, {of: {caller_said: why}, times: 0}]",
    "within: [{from: caller_stops, to: bot_speaks, ms: 500, least_ms: 500}]",
    "within: [{from: bot_speaks, to: cleared, ms: 500, nth: 2}]",
    "silence_under: 1.5",
    "caller_heard: hello",
    "caller_never_heard: [noon]",
    "history: [bot: hello, caller: when, tool: look, {bot: At—}]",
    "tools: [{tool: look, args: {size: '4'}}]",
    "carrier: [transfer: '+1555', hang_up]",
    "ended: said goodbye",
]
FAIL = {
    "in_order: [bot_quiet, bot_says: hello]": "after bot_quiet at 1.00 s there was no bot_says: hello",
    "also: [bot_says: noon]": "it never happened",
    "never: [cleared]": "it happened at 3.50 s",
    "counts: [{of: bot_speaks, times: 1}]": "it happened 2 times 0.10 s, 3.00 s",
    "within: [{from: caller_stops, to: bot_speaks, ms: 400}]": "after caller_stops at 2.50 s it took 500 ms",
    "within: [{from: caller_stops, to: bot_speaks, ms: 9, least_ms: 6}]": "after caller_stops at 2.50 s it took 500 ms",
    "within: [{from: bot_speaks, to: {key: '6'}, ms: 1}]": "after bot_speaks at 0.10 s there was no key: 6",
    "within: [{from: {key: '6'}, to: cleared, ms: 1}]": "there was no key: 6 to count from",
    "within: [{from: bot_speaks, to: cleared, ms: 1, nth: 3}]": "there was no bot_speaks to count from",
    "silence_under: 0.5": "from 3.50 s on nobody spoke for 1.60 s",
    "caller_heard: [noon]": "they heard: Hello. At",
    "caller_never_heard: Hello": "they heard: Hello. At",
    "history: [bot: hello]": "it remembers bot: Hello. | caller: When? | tool: look | bot: At—",
    "tools: []": "called: look {'day': 'Monday', 'size': 4}",
    "carrier: []": "ordered: transfer: +1555, hang_up",
    "ended: caller": "it ended: the bot said goodbye",
}


def expect(text: str) -> Expect:
    return parse_yaml(Expect, text, "x.yaml")


@pytest.mark.parametrize("text", [text for text in PASS if "silence" not in text])
def test_what_happened_passes(text: str) -> None:
    checks = judge(expect(text), RUN)
    assert checks
    assert [check for check in checks if check.outcome is not Outcome.PASSED] == []


@pytest.mark.parametrize(("text", "reason"), FAIL.items())
def test_what_did_not_fails_with_a_reason(text: str, reason: str) -> None:
    (check,) = judge(expect(text), RUN)
    assert (check.outcome, check.reason) == (Outcome.FAILED, reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    {
        "also: [bot_says: x]": "the bot's feed does not tell of bot_says",
        "never: [bot_says: x]": "the bot's feed does not tell of bot_says",
        "in_order: [bot_speaks, bot_says: x]": "the bot's feed does not tell of bot_says",
        "counts: [{of: {bot_says: x}, times: 0}]": "the bot's feed does not tell of bot_says",
        "within: [{from: bot_speaks, to: {tool: x}, ms: 1}]": "the bot's feed does not tell of tool_called",
        "tools: []": "the bot's feed does not tell of tool_called",
        "caller_heard: x": "what was said cannot be read from real speech",
        "caller_never_heard: x": "what was said cannot be read from real speech",
        "history: []": "the server has no feed",
    }.items(),
)
def test_what_cannot_be_known_is_not_passed(text: str, reason: str) -> None:
    (check,) = judge(expect(text), OUTSIDE)
    assert (check.outcome, check.reason) == (Outcome.UNCHECKED, reason)


def test_an_end_that_nobody_told_of_is_not_checked() -> None:
    (check,) = judge(expect("ended: x"), replace(OUTSIDE, events=()))
    assert check.outcome is Outcome.UNCHECKED


def test_a_problem_of_the_call_fails_whatever_was_expected() -> None:
    (check,) = judge(Expect(), replace(RUN, problems=("it broke",)))
    assert (check.outcome, check.reason) == (Outcome.FAILED, "it broke")


def test_a_live_call_tells_of_orders_by_what_the_carrier_did() -> None:
    over = events.CallEnded(9.0, "the bot hung up over REST", "completed")
    dialled = events.Dialled(8.0, ("+1555",), "completed")
    for text, happened in (("[hang_up]", (over,)), ("[transfer: '+1555']", (dialled, over))):
        (check,) = judge(expect(f"carrier: {text}"), replace(OUTSIDE, events=happened))
        assert check.outcome is Outcome.PASSED
    assert judge(expect("also: [bot_hangs_up]"), replace(OUTSIDE, events=(over,)))[0].outcome is Outcome.PASSED


def test_the_feed_tells_what_the_bot_remembers() -> None:
    assert reported(RUN.events) == (Said("bot", "Hello."), Said("caller", "When?"), Said("bot", "At—"))


@pytest.mark.parametrize(
    ("remembered", "heard", "found"),
    [
        ("At noon every—", "At noon every day", []),
        ("At noon every day", "At noon every every day", []),
        ("At noon every day", "At noon every", ["At noon every day"]),
        ("It is $15.", "It is 15 dollars.", []),
        ("Do you remember?", "Do you remmember?", []),
        ("Do you remember?", "Do you rememember?", []),
        ("Do you remember?", "Do you remem ber?", ["Do you remember?"]),
        ("Do you remember?", "Do you rememberber?", []),
        ("Do you remember?", "Do you dismember?", ["Do you remember?"]),
        ("Do you see?", "Do you se", ["Do you see?"]),
    ],
)
def test_words_that_nobody_heard_are_found(remembered: str, heard: str, found: list[str]) -> None:
    assert unheard([Said("caller", "anything"), Said("bot", remembered)], heard) == found
