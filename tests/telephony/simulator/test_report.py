"""The report of a call, folded from its events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator.carrier import LineStats
from telephony.simulator.events import (
    BotAudioArrived,
    BotQuiet,
    BotReported,
    BotSpeaking,
    CallEnded,
    CallerPressed,
    CallerSpeaking,
    CallerSpoke,
    CarrierSpoke,
    Dialled,
    Event,
    Lateness,
    StreamClosed,
    StreamOpened,
    Warned,
    WebhookAnswered,
)
from telephony.simulator.report import build_report


def said(at_s: float, kind: str, turn: int, text: str = "") -> BotReported:
    return BotReported(at_s, kind, turn, {"text": text})


TALK: list[Event] = [
    WebhookAnswered(0.01, 8.0, ("Connect",)),
    StreamOpened(0.02, "MZ1"),
    BotAudioArrived(0.1),
    BotSpeaking(0.12),
    said(0.11, "bot_says", 0, "Hello, this is"),
    BotQuiet(1.0),
    said(1.05, "bot_said", 0, "Hello, this is the bot."),
    CallerSpeaking(2.0, "I want two tables", False),
    CallerSpoke(3.0, "I want two tables"),
    said(3.25, "caller_said", 1, "I want 2 tables"),
    said(3.26, "reply_started", 1),
    said(3.4, "first_token", 1),
    BotAudioArrived(3.55),
    BotSpeaking(3.6),
    CallerSpeaking(4.6, "no, three", True),
    BotQuiet(4.9),
    CallerSpoke(5.2, "no, three"),
    said(5.0, "bot_said", 1, "Two tables,"),
    said(5.5, "caller_said", 2, "no three please"),
    BotAudioArrived(5.8),
    BotSpeaking(5.9),
    said(6.5, "bot_said", 2, "Three."),
    CallerPressed(7.0, "1"),
    CallerPressed(7.3, "2"),
    BotSpeaking(8.0),
    CallerPressed(9.0, "#"),
    CarrierSpoke(9.5, "Good bye."),
    StreamClosed(9.6, "server", 1000, LineStats(frames_sent=10, marks_received=3), Lateness(10, 1.0, 4.0, 1)),
    StreamClosed(9.7, "server", 1000, LineStats(frames_sent=30, marks_received=1), Lateness(30, 2.0, 3.0, 0)),
    Dialled(9.8, ("+1",), "busy"),
    Warned(9.9, 31951, "unknown event"),
    CallEnded(10.0, "the bot hung up", "completed"),
]


def test_a_talk_is_told_turn_by_turn() -> None:
    report = build_report("CA1", TALK)
    greeting, ask, barge, keys, last = report.turns
    assert (greeting.said, greeting.answer, greeting.audio_heard_ms) == ("", "Hello, this is the bot.", None)
    assert report.greeting_ms == pytest.approx(100)
    assert (ask.heard, ask.answer, ask.word_error_rate, ask.barge_in) == ("I want 2 tables", "Two tables,", 0.0, False)
    latencies = (ask.text_ms, ask.first_token_ms, ask.audio_sent_ms, ask.audio_heard_ms)
    assert latencies == pytest.approx((250, 400, 550, 600))
    assert ask.silenced_ms is None
    assert (barge.barge_in, barge.answer, barge.heard) == (True, "Three.", "no three please")
    assert barge.word_error_rate == pytest.approx(0.5)
    assert barge.silenced_ms == pytest.approx(300)
    assert barge.audio_heard_ms == pytest.approx(700)
    assert (keys.keys, keys.word_error_rate) == ("12", None)
    assert keys.audio_heard_ms == pytest.approx(700)
    assert (last.keys, last.answer) == ("#", "Good bye.")


def test_a_report_sums_up_its_streams() -> None:
    report = build_report("CA1", TALK)
    assert (report.reason, report.status, report.duration_s) == ("the bot hung up", "completed", 10.0)
    assert (report.webhook_ms, report.streams) == (8.0, 1)
    assert (report.stats.frames_sent, report.stats.marks_received) == (40, 4)
    assert report.lateness == Lateness(40, 1.75, 4.0, 1)
    assert [warning.code for warning in report.warnings] == [31951]
    assert [dialled.outcome for dialled in report.dialled] == ["busy"]
    assert report.voice_to_voice_ms == pytest.approx([600, 700, 700])
    assert report.median_voice_to_voice_ms == pytest.approx(700)
    assert report.word_error_rate == pytest.approx(1 / 6)


def test_a_call_that_was_never_answered() -> None:
    report = build_report("CA1", [CallEnded(0.2, "application error 11200", "failed")])
    assert (report.turns, report.streams, report.greeting_ms, report.webhook_ms) == ((), 0, None, None)
    assert (report.median_voice_to_voice_ms, report.word_error_rate) == (None, None)


def test_without_a_feed_there_is_what_the_line_shows() -> None:
    line_only = [event for event in TALK if not isinstance(event, BotReported)]
    ask = build_report("CA1", line_only).turns[0]
    assert (ask.said, ask.heard, ask.answer, ask.text_ms) == ("I want two tables", None, "", None)
    assert ask.audio_heard_ms == pytest.approx(600)


def test_text_that_comes_in_pieces_is_joined_and_later_talk_moves_no_latency() -> None:
    events: list[Event] = [
        CallerSpeaking(1.0, "one two", False),
        said(1.5, "caller_said", 1, "one"),
        said(1.6, "first_token", 1),
        CallerSpoke(2.0, "one two"),
        said(2.2, "caller_said", 2, "two"),
        said(2.3, "first_token", 2),
        BotSpeaking(2.5),
        said(2.7, "caller_said", 2, "(cough)"),
        said(2.8, "first_token", 3),
    ]
    [turn] = build_report("CA1", events).turns
    assert turn.heard == "one two (cough)"
    assert (turn.text_ms, turn.first_token_ms) == pytest.approx((200, 300))


@given(st.permutations(TALK))
def test_the_order_in_which_events_became_known_does_not_matter(events: list[Event]) -> None:
    assert build_report("CA1", events) == build_report("CA1", TALK)
