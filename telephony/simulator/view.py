"""A call on the terminal: the talk line by line as it happens, and a table at the end."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from telephony.simulator import events
from telephony.simulator.report import CallReport, Turn


class LiveView:
    """Shows events; use it as a context manager and pass it as `on_event`.

    On a terminal a status line says what is going on; elsewhere there are plain lines only.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._has_feed = False
        self._bot_began_at_s = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("ringing …")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.BotReported():
                self._has_feed = True
                self._reported(event)
            case events.BotSpeaking(at_s):
                self._bot_began_at_s = at_s
                self._now("the bot is speaking")
            case events.BotQuiet(at_s):
                if not self._has_feed:
                    self._line(self._bot_began_at_s, "bot", f"(speaks for {at_s - self._bot_began_at_s:.1f} s)", "cyan")
                self._now("listening")
            case events.CallerSpeaking(at_s, text, barge_in):
                self._line(at_s, "barge-in" if barge_in else "caller", text or "(speaks)", "green")
                self._now("the caller is speaking")
            case events.CallerSpoke():
                self._now("waiting for the bot")
            case _:
                self._carrier(event)

    def _reported(self, event: events.BotReported) -> None:
        if event.kind == "bot_says":
            self._line(event.at_s, "bot", event.text(), "cyan")
        elif event.kind == "bot_said" and event.fields.get("interrupted") is True:
            self._line(event.at_s, "bot", f"(cut off after: {event.text()})", "dim cyan")
        elif event.kind == "caller_said":
            self._line(event.at_s, "heard", event.text(), "dim green")

    def _carrier(self, event: events.Event) -> None:
        match event:
            case events.StreamOpened(at_s):
                self._line(at_s, "line", "connected", "dim")
                self._now("listening")
            case events.StreamClosed(at_s, by):
                self._line(at_s, "line", f"disconnected by the {by}", "dim")
            case events.CallerPressed(at_s, digit):
                self._line(at_s, "caller", f"(presses {digit})", "green")
            case events.CarrierSpoke(at_s, text):
                self._line(at_s, "carrier", text, "magenta")
            case events.CarrierPlayed(at_s, what):
                self._line(at_s, "carrier", f"(plays {what})", "magenta")
            case events.Dialled(at_s, numbers, outcome):
                self._line(at_s, "carrier", f"(dials {', '.join(numbers)}: {outcome})", "magenta")
            case events.Warned(at_s, code, text):
                self._line(at_s, "warning", f"{code} {text}", "yellow")
            case events.CallEnded(at_s, reason):
                self._line(at_s, "line", reason, "dim")
                self._now("hanging up")

    def _now(self, what: str) -> None:
        if self._status:
            self._status.update(f"{what} …")

    def _line(self, at_s: float, who: str, text: str, style: str) -> None:
        self._console.print(Text(f"{at_s:7.2f}  {who:<8}  {text}", style=style), soft_wrap=True)


_COLUMNS: tuple[tuple[str, Callable[[Turn], float | None]], ...] = (
    ("text", lambda turn: turn.text_ms),
    ("first token", lambda turn: turn.first_token_ms),
    ("audio sent", lambda turn: turn.audio_sent_ms),
    ("audio heard", lambda turn: turn.audio_heard_ms),
    ("bot silenced", lambda turn: turn.silenced_ms),
)


def summary(report: CallReport) -> Table:
    """The call's times as a table: a row a turn of the caller, in ms after the last sound of what they said.

    The last column counts from the first sound of a barge-in instead.
    """
    median_ms, errors = report.median_voice_to_voice_ms, report.word_error_rate
    caption = [f"{report.reason} after {report.duration_s:.1f} s"]
    if median_ms is not None:
        caption.append(f"voice to voice {median_ms:.0f} ms (median)")
    if errors is not None:
        caption.append(f"word errors {errors:.0%}")
    caption.append(f"frames late by {report.lateness.worst_ms:.1f} ms at worst")
    caption += [f"warning {warning.code}: {warning.text}" for warning in report.warnings]
    table = Table(title="ms after the caller's last sound", caption="\n".join(caption), expand=True)
    table.add_column("caller", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, _ in _COLUMNS:
        table.add_column(name.replace(" ", "\n"), justify="right")
    for turn in report.turns:
        if said := turn.said or (turn.keys and f"(keys {turn.keys})"):
            cell = Text(("↯ " if turn.barge_in else "") + said)
            table.add_row(cell, *(_figure(value(turn)) for _, value in _COLUMNS))
    return table


def _figure(value_ms: float | None) -> str:
    return "" if value_ms is None else f"{value_ms:.0f}"
