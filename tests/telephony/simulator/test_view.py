"""A call on the terminal."""

from io import StringIO

from rich.console import Console

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
    CarrierPlayed,
    CarrierSpoke,
    Dialled,
    Event,
    Lateness,
    StreamClosed,
    StreamOpened,
    Warned,
)
from telephony.simulator.report import build_report
from telephony.simulator.view import LiveView, summary

LINE_ONLY: list[Event] = [
    StreamOpened(0.02, "MZ1"),
    BotAudioArrived(0.1),
    BotSpeaking(0.1),
    BotQuiet(1.3),
    CallerSpeaking(2.0, "[bold]hello[/bold]", False),
    CallerSpoke(3.0, "[bold]hello[/bold]"),
    BotSpeaking(3.5),
    CallerSpeaking(4.0, "", True),
    BotQuiet(4.4),
    CallerSpoke(4.5, ""),
    CallerPressed(5.0, "7"),
    CarrierSpoke(6.0, "Good bye."),
    CarrierPlayed(6.1, "/a.wav"),
    Dialled(6.2, ("+15005550009",), "busy"),
    Warned(6.3, 31951, "unknown event"),
    StreamClosed(6.4, "server", 1000, LineStats(), Lateness()),
    CallEnded(6.5, "the bot hung up", "completed"),
]
FEED: list[Event] = [
    BotReported(0.1, "bot_says", 0, {"sentence": 0, "text": "Hello, this is the bot."}),
    BotReported(3.2, "caller_said", 1, {"text": "hallo"}),
    BotReported(3.5, "bot_says", 1, {"sentence": 0, "text": "How can I help?"}),
    BotReported(4.4, "bot_said", 1, {"text": "How can", "interrupted": True}),
]


def shown(events: list[Event], terminal: bool = False) -> str:
    console = Console(file=StringIO(), width=100, force_terminal=terminal, color_system=None)
    with LiveView(console) as view:
        for event in sorted(events, key=lambda event: event.at_s):
            view(event)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_without_a_feed_speech_is_shown_by_its_length() -> None:
    lines = shown(LINE_ONLY).splitlines()
    assert lines[:4] == [
        "   0.02  line      connected",
        "   0.10  bot       (speaks for 1.2 s)",
        "   2.00  caller    [bold]hello[/bold]",
        "   4.00  barge-in  (speaks)",
    ]
    assert "   5.00  caller    (presses 7)" in lines
    assert "   6.20  carrier   (dials +15005550009: busy)" in lines
    assert lines[-1] == "   6.50  line      the bot hung up"


def test_with_a_feed_the_words_are_shown() -> None:
    text = shown(FEED + LINE_ONLY)
    assert "speaks for" not in text
    assert "bot       Hello, this is the bot." in text
    assert "heard     hallo" in text
    assert "bot       (cut off after: How can)" in text


def test_a_terminal_has_a_status_line_as_well() -> None:
    text = shown(LINE_ONLY, terminal=True)
    assert "ringing" in text
    assert "the caller is speaking" not in shown(LINE_ONLY)


def test_the_summary_is_a_row_a_turn() -> None:
    console = Console(file=StringIO(), width=140, color_system=None)
    console.print(summary(build_report("CA1", FEED + LINE_ONLY)))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "[bold]hello[/bold]" in text
    assert "(keys 7)" in text
    assert "voice to voice 500 ms (median)" in text
    assert "word errors 100%" in text
    assert "warning 31951: unknown event" in text


def test_a_call_without_turns_has_a_summary() -> None:
    console = Console(file=StringIO(), width=140, color_system=None)
    console.print(summary(build_report("CA1", [])))
    assert isinstance(console.file, StringIO)
    assert "unknown after 0.0 s" in console.file.getvalue()
