"""The call as lines: who did what, and nothing that nobody would miss."""

from telephony.scenarios.run import Run, Said
from telephony.scenarios.timeline import timeline
from telephony.simulator import events
from telephony.simulator.carrier import LineStats


def test_every_event_worth_a_line_has_one() -> None:
    happened = (
        events.BotReported(0.0, "call_started", 0, {"call_sid": "CA"}),
        events.WebhookAnswered(0.0, 1.0, ("Connect",)),
        events.BotReported(0.1, "bot_says", 0, {"text": "Hello."}),
        events.BotSpeaking(0.2),
        events.CallerSpeaking(1.0, "Wait.", barge_in=True),
        events.PlaybackCleared(1.2, 300.0),
        events.BotQuiet(1.2),
        events.BotReported(1.2, "bot_said", 0, {"text": "Hel", "interrupted": True}),
        events.CallerSpoke(1.5, "Wait."),
        events.BotReported(1.7, "caller_said", 1, {"text": "Wait."}),
        events.CallerPressed(2.0, "5"),
        events.BotReported(2.1, "log", 0, {"text": "the reply failed"}),
        events.BotReported(2.2, "barge_in", 1, {}),
        events.BotReported(2.3, "reply_dropped", 1, {"tokens": 3}),
        events.Dialled(3.0, ("+1555",), "busy"),
        events.CarrierSpoke(3.5, "Nobody answers."),
        events.Warned(3.6, 31951, "malformed"),
        events.StreamClosed(3.9, "caller", 1000, LineStats(), events.Lateness()),
        events.CallEnded(4.0, "the caller hung up", "completed"),
    )
    run = Run(happened, (Said("bot", "Hel—"),), "Hel", ())
    assert [line.strip() for line in timeline(run)] == [
        "0.10  bot      says: Hello.",
        "0.20  bot      (is heard)",
        "1.00  caller   (barges in) Wait.",
        "1.20  line     (cleared: 300 ms are not played)",
        "1.20  bot      (falls silent)",
        "1.20  bot      was heard, cut off: Hel",
        "1.50  caller   (has spoken)",
        "1.70  bot      understood: Wait.",
        "2.00  caller   (presses 5)",
        "2.10  log      the reply failed",
        "2.20  bot      barge_in",
        "2.30  bot      reply_dropped: tokens 3",
        "3.00  carrier  (dials +1555: busy)",
        "3.50  carrier  Nobody answers.",
        "3.60  carrier  warning: malformed",
        "4.00  line     (over: the caller hung up)",
        "heard:  Hel",
        "history:  bot: Hel—",
    ]
    assert len(timeline(Run(happened, None, None, ()))) == 16
