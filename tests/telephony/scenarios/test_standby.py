"""Whole calls in which the first engine stalls or fails: what the caller waits more, hears twice or does not hear."""

from collections.abc import Mapping

import pytest

from agent.reply import ReplyLimits
from telephony.scenarios.run import Run
from telephony.simulator.events import BotReported
from tests.telephony.scenarios.calls import call, reported

CALLER = '[{say: "When do you open?"}, {wait: 6}, {say: "Every day?"}, hang_up]'
NOON, DAILY = "We open at noon. On Sundays we are closed.", "Yes, every day."
REPLIES = f'["{NOON}", "{DAILY}"]'
ATTEMPT_S = 2.0
"""What `VOICE_ATTEMPT_S` is by default."""

TROUBLES: Mapping[str, tuple[str, float]] = {
    "recogniser": ("model: %s, recogniser: {standby: true, faults: [{attempt: 1, stall: 60}]}", ATTEMPT_S),
    "streaming": (
        "model: %s, recogniser: {standby: true, streaming: true, faults: [{attempt: 2, stall: 60}]}",
        ATTEMPT_S,
    ),
    "voice": ("model: %s, voice: {standby: true, faults: [{sentence: 2, stall: 60}]}", ATTEMPT_S),
    "half a sentence": ("model: %s, voice: {standby: true, faults: [{sentence: 2, stall: 60, after: 0.48}]}", 0.0),
    "model": ("model: [[{stall: 60}], [{stall: 60}]], fallback: %s", ReplyLimits().first_token_s),
}


def answered_after(run: Run, turn: int) -> float:
    """From the end of the caller's speech to the first audio of the answer."""
    times = {
        kind: [event.at_s for event in run.events if isinstance(event, BotReported) and event.kind == kind]
        for kind in ("caller_speech_ended", "audio_sent")
    }
    ended_at = times["caller_speech_ended"][turn - 1]
    return next(at for at in times["audio_sent"] if at > ended_at) - ended_at


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_stall_costs_one_attempt_and_the_other_turn_nothing(trouble: str) -> None:
    bot, attempt_s = TROUBLES[trouble]
    patient = "{holding_after_s: 30}"
    sound = call(
        CALLER, bot=f"{{model: {REPLIES}, recogniser: {{streaming: {trouble == 'streaming'}}}}}", rules=patient
    )
    run = call(CALLER, bot=f"{{{bot % REPLIES}}}", rules=patient)

    added_s = sorted(answered_after(run, turn) - answered_after(sound, turn) for turn in (1, 2))
    assert added_s[0] <= 0.03
    assert added_s[1] <= attempt_s + 0.15
    assert reported(run, "caller_said") == reported(sound, "caller_said")
    assert reported(run, "bot_said") == reported(sound, "bot_said")
    assert run.caller_heard == sound.caller_heard
    assert run.problems == sound.problems == ()


def test_of_a_voice_that_fails_in_a_word_that_word_is_said_again_and_no_other() -> None:
    faults = "[{sentence: 2, fail: true, after: 0.32}]"
    run = call(CALLER, bot=f"{{model: {REPLIES}, voice: {{standby: true, faults: {faults}}}}}")

    assert NOON.replace("open", "op open") in (run.caller_heard or "")
    assert reported(run, "bot_said")[1:] == [NOON, DAILY]
    assert not run.problems
