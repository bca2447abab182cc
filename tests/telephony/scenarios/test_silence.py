"""Whose silence it was."""

import pytest

from telephony.scenarios.silence import longest_silence
from telephony.simulator.events import (
    BotQuiet,
    BotReported,
    BotSpeaking,
    CallEnded,
    CallerPressed,
    CallerSpeaking,
    CallerSpoke,
    Event,
)

REPROMPT = "Are you there?"


def said(at_s: float, text: str) -> list[Event]:
    return [BotReported(at_s, "bot_says", 1, {"text": text}), BotSpeaking(at_s), BotQuiet(at_s + 1)]


def asked(at_s: float, text: str = "When?") -> list[Event]:
    return [CallerSpeaking(at_s, text, barge_in=False), CallerSpoke(at_s + 1, text)]


GREETED = said(0.0, "Hello.")


@pytest.mark.parametrize(
    ("happened", "silence"),
    [
        (said(2.0, "Hello."), (0.0, 2.0)),
        ([*GREETED, *asked(9.0), *said(12.0, "At noon.")], (10.0, 12.0)),
        ([*GREETED, *said(2.0, "One moment."), *said(6.0, "At noon.")], (3.0, 6.0)),
        ([*GREETED, *said(11.0, REPROMPT)], (0.0, 0.0)),
        ([*GREETED, *asked(2.0), CallEnded(9.0, "", "")], (3.0, 9.0)),
        ([*GREETED, CallEnded(9.0, "", "")], (0.0, 0.0)),
        ([*GREETED, CallerPressed(2.0, "5"), *said(5.0, "Five.")], (1.0, 5.0)),
        ([*GREETED, *asked(2.0, "(cough)"), CallEnded(9.0, "", "")], (0.0, 0.0)),
        ([*GREETED, *asked(2.0), *asked(7.0, "Hello?"), *said(8.5, "Yes.")], (3.0, 7.0)),
    ],
)
def test_the_longest_silence_of_the_bots_is_found(happened: list[Event], silence: tuple[float, float]) -> None:
    found = longest_silence(happened, [REPROMPT])
    assert found is not None
    assert (found.start_s, found.end_s) == silence


def test_a_caller_who_talks_over_the_bot_leaves_no_silence() -> None:
    over: list[Event] = [
        BotSpeaking(0.0),
        CallerSpeaking(1.0, "Wait.", barge_in=True),
        BotQuiet(1.5),
        CallerSpoke(2.0, "Wait."),
    ]
    found = longest_silence([*over, *said(2.4, "Yes?"), CallEnded(9.0, "", "")], [])
    assert found is not None
    assert found.duration_s == pytest.approx(0.4)
