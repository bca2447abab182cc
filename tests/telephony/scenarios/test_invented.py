"""Calls in invented time: the caller's steps, the engines' faults, the line's, and what a run tells of them."""

import pytest

from telephony.scenarios.run import Run, Said
from telephony.simulator import events
from tests.telephony.scenarios.calls import call, instants, outcome, reported

LONG = "We are open every day from noon until ten and on Fridays until eleven in the evening."
GREETED = "Thank you for calling Bella Roma. How can I help you?"


def tool_calls(run: Run) -> list[object]:
    return [
        event.fields for event in run.events if isinstance(event, events.BotReported) and event.kind == "tool_called"
    ]


def test_a_run_tells_what_was_heard_and_what_is_remembered() -> None:
    run = call("[say: When, hang_up]", bot="{model: [At noon.]}")
    assert run.caller_heard == f"{GREETED} At noon."
    assert run.history == (Said("bot", GREETED), Said("caller", "When"), Said("bot", "At noon."))
    assert reported(run, "caller_said") == ["When"]
    assert reported(run, "model_asked")[-1] == "When"
    assert run.problems == ()


def test_the_same_scenario_is_the_same_call() -> None:
    script = "[say: When, cough, backchannel, noise: long, press: 1#, hang_up]"
    bot = f"{{model: [{LONG}, One.]}}"
    assert call(script, bot=bot) == call(script, bot=bot)


@pytest.mark.parametrize(
    ("step", "began_s"),
    [
        ("{barge_in: Stop it., when: {speaking: 1.5}}", 1.5),
        ("{barge_in: Stop it., when: {says: every}}", 17 * 0.06),
        ("{barge_in: Stop it., when: {sentence: 1}}", 0.05),
        ("{say: Stop it., when: {speaking: 0.5}}", 0.5),
    ],
)
def test_a_step_comes_at_its_point_of_the_bots_speech(step: str, began_s: float) -> None:
    run = call(f"[say: When, {step}, hang_up]", bot=f"{{model: [{LONG}, Sorry.]}}")
    speaking = instants(run, events.BotSpeaking)[1]
    assert instants(run, events.CallerSpeaking)[1] - speaking == pytest.approx(began_s, abs=0.06)


def test_a_pause_goes_on_whatever_the_bot_does_and_a_wait_does_not() -> None:
    for step, gap_s in (("pause: 0.4", 0.4), ("wait: 0.4", 2.2)):
        run = call(f"[say: Well, {step}, say: when, hang_up]", bot="{model: [{to: /./, reply: I see.}]}")
        (first,), (second,) = instants(run, events.CallerSpoke)[:1], instants(run, events.CallerSpeaking)[1:]
        assert second - first == pytest.approx(gap_s, abs=0.7 if step.startswith("wait") else 0.05)


def test_silence_can_be_waited_for() -> None:
    run = call("[{hang_up: '', when: {silent: 3}}]")
    assert run.duration_s == pytest.approx(instants(run, events.BotQuiet)[0] + 3, abs=0.05)


def test_keys_are_pressed_one_after_the_other() -> None:
    run = call("[{press: 12#, every: 0.5}, hang_up]", bot="{model: [{to: '12', reply: Twelve.}]}")
    one, two, hash_key = instants(run, events.CallerPressed)
    assert [two - one, hash_key - two] == pytest.approx([0.5, 0.5], abs=0.03)


def test_the_recogniser_hears_what_the_script_wants_it_to() -> None:
    run = call("[{say: Wren, heard: When}, hang_up]", bot="{model: [At noon.]}")
    assert reported(run, "caller_said") == ["When"]
    assert [event.text for event in run.events if isinstance(event, events.CallerSpoke)] == ["Wren"]


@pytest.mark.parametrize("kind", ["{}", "{streaming: true}", "{end_of_turn: 0.3}", "{slow: 0.2}"])
def test_every_kind_of_recogniser_understands(kind: str) -> None:
    run = call("[say: When do you open, hang_up]", bot=f"{{recogniser: {kind}, model: [At noon.]}}")
    assert reported(run, "caller_said") == ["When do you open"]


def test_a_socket_that_stalls_holds_back_both_ways_and_loses_nothing() -> None:
    run = call("[{stall_socket: 2, when: {silent: 1}}, {say: When, when: now}, hang_up]", bot="{model: [At noon.]}")
    assert run.caller_heard == f"{GREETED} At noon."
    answered = instants(run, events.BotSpeaking)[1]
    assert answered - instants(run, events.CallerSpoke)[0] > 1.5
    assert run.problems == ()


def test_an_echo_comes_back_as_words() -> None:
    run = call("[echo, wait: 4, echo: false, hang_up]")
    kinds = [event.kind for event in run.events if isinstance(event, events.BotReported)]
    assert "caller_speech_started" in kinds


def test_tools_are_noted_when_they_are_called() -> None:
    reply = "[[Look., {tool: find, args: {what: x, size: 4}}, Found., {tool: hang_up, args: {reason: done}}]]"
    run = call("[say: Find it.]", bot=f"{{tools: [{{name: find, args: [what, size], takes: 0.2}}], model: {reply}}}")
    calls = [
        event.fields for event in run.events if isinstance(event, events.BotReported) and event.kind == "tool_called"
    ]
    assert calls == [
        {"name": "find", "args": {"what": "x", "size": 4}},
        {"name": "hang_up", "args": {"reason": "done"}},
    ]
    assert run.history is not None
    assert Said("tool", "find") in run.history


def test_a_tool_that_is_asked_for_wrongly_is_not_called() -> None:
    reply = "[[{tool: find, args: {which: x}}, I cannot.]]"
    run = call("[say: Find it., hang_up]", bot=f"{{tools: [{{name: find, args: [what]}}], model: {reply}}}")
    assert tool_calls(run) == []
    assert reported(run, "bot_said")[-1] == "I cannot."


def test_a_fault_of_the_voice_can_come_in_the_middle() -> None:
    voice = "{slow: 0.1, faults: [{sentence: 2, after: 1, fail: true}]}"
    run = call("[say: When, wait: 5, hang_up]", bot=f"{{voice: {voice}, model: [{LONG}]}}", rules="{greeting: Hello.}")
    assert run.caller_heard is not None
    assert "We are open" in run.caller_heard
    assert "evening" not in run.caller_heard


def test_warnings_are_part_of_the_run() -> None:
    bot = "{recogniser: {faults: [{attempt: 1, fail: true}]}, model: [Noon.]}"
    assert any("speech to text failed" in text for text in reported(call("[say: When, hang_up]", bot=bot), "log"))


@pytest.mark.parametrize(
    ("caller", "bot", "problem"),
    [
        ("[say: a, hang_up]", "{model: []}", "the model's script has no reply to 'a'"),
        (
            "[say: a, say: b]",
            "{model: [[Bye., {tool: hang_up, args: {reason: x}}]]}",
            "the call was over before the caller could say (step 2)",
        ),
        (
            "[{say: a, when: {says: never}}, hang_up]",
            "{}",
            "the call was still going on after 25 s",
        ),
    ],
)
def test_a_call_that_does_not_go_as_scripted_has_failed(caller: str, bot: str, problem: str) -> None:
    result = outcome(caller, bot=bot, longest="25")
    assert problem in {check.reason for check in result.failed}


def test_a_caller_who_gets_no_answer_gives_up() -> None:
    result = outcome("[{say: hi, when: {says: never}}]", rules="{reprompts: 0, caller_silence_s: 100}")
    assert [check.reason for check in result.failed] == [
        "the caller gave up after 30 s of silence, waiting to say (step 1)"
    ]
