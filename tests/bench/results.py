"""Rounds of load folded into rows, and rows shown as a table and kept as JSON. Pure but for `show` and `keep`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.load import Outcome
from tests.bench.stats import Spread, percentile

FULL_CORE = 0.97
"""From this share of its core on, a server has nothing left."""
WIDEST = 8
"""A table of more columns is turned."""
WORSE_S = 0.1
"""A 99th percentile worse by this than with few calls is too late for a caller."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of calls against one server."""

    server: str
    calls: int
    rss_growth_bytes: int
    endpointing_s: float
    outcome: Outcome

    @property
    def cpu_ms(self) -> float:
        """Server CPU in milliseconds per second of call, set-up and ending of the calls included."""
        return self.outcome.cpu_s / self.outcome.call_seconds * 1000

    @property
    def core(self) -> float:
        return self.outcome.cpu_s / self.outcome.wall_s

    @property
    def kib_per_call(self) -> float:
        return self.rss_growth_bytes / 1024 / self.calls

    def added_ms(self, share: float) -> float:
        """Voice to voice beyond the silence that the bot waits for by design; NaN if nothing was ever answered."""
        times = [time_s for call in self.outcome.measures for time_s in call.answered_s]
        return (percentile(times, share) - self.endpointing_s) * 1000 if times else float("nan")

    def clear_ms(self, share: float) -> float:
        """From the first sound of a barge-in to `clear`; NaN if it never came."""
        times = [time_s for call in self.outcome.measures for time_s in call.cleared_s]
        return percentile(times, share) * 1000 if times else float("nan")

    @property
    def gaps(self) -> int:
        return sum(len(call.gaps_s) for call in self.outcome.measures)

    @property
    def lost(self) -> int:
        """Answers that did not come, and calls that the server dropped."""
        return self.outcome.dropped + sum(call.lost for call in self.outcome.measures)

    def trouble(self, base_ms: float) -> str:
        """Why this is more than the server can carry, given the p99 with few calls; empty if it is not."""
        if self.core >= FULL_CORE:
            return "the core is full"
        if self.lost:
            return f"{self.lost} answers lost"
        if self.gaps:
            return f"{self.gaps} gaps"
        late_ms = self.added_ms(0.99) - base_ms
        return f"p99 worse by {late_ms:.0f} ms" if late_ms > WORSE_S * 1000 else ""


type Value = str | int | float | Spread
type Row = Mapping[str, Value]


def fold(rounds: Sequence[Round], floor: Mapping[int, float]) -> Row:
    """Rounds of the same server and number of calls as one row.

    `floor` holds, round by round, what the floor's CPU was, so that the ratio is taken within each round.
    """

    def spread(values: Sequence[float]) -> Spread:
        return Spread.of(values)

    row: dict[str, Value] = {
        "server": rounds[0].server,
        "calls": rounds[0].calls,
        "CPU ms per call-s": spread([item.cpu_ms for item in rounds]),
    }
    ratios = [item.cpu_ms / floor[number] for number, item in enumerate(rounds) if number in floor]
    if ratios:
        row["× floor"] = spread(ratios)
    return row | {
        "core": spread([item.core for item in rounds]),
        "added p50 ms": spread([item.added_ms(0.50) for item in rounds]),
        "p95": spread([item.added_ms(0.95) for item in rounds]),
        "p99": spread([item.added_ms(0.99) for item in rounds]),
        "clear p50 ms": spread([item.clear_ms(0.50) for item in rounds]),
        "clear p99": spread([item.clear_ms(0.99) for item in rounds]),
        "gaps": sum(item.gaps for item in rounds),
        "lost": sum(item.lost for item in rounds),
        "KiB per call": spread([item.kib_per_call for item in rounds]),
        "load late p99 ms": spread([percentile(item.outcome.late_s, 0.99) * 1000 for item in rounds]),
    }


def show(console: Console, title: str, rows: Sequence[Row]) -> None:
    """Print rows as a table, lying on its side where it has more figures than a terminal is wide."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_text(row.get(name, "")) for name in columns] for row in rows)]
    if len(columns) > WIDEST:
        cells = [list(line) for line in zip(*cells, strict=True)]
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(cells[0]):
        table.add_column(name, justify="right" if number else "left")
    for line in cells[1:]:
        table.add_row(*line)
    console.print(table)


def keep(folder: Path, section: str, rows: Sequence[Row]) -> None:
    """Write rows as `section.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    (folder / f"{section}.json").write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")


def _text(value: Value) -> str:
    if isinstance(value, Spread):
        return value.text(0 if abs(value.middle) >= 20 else 2)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: Value) -> object:
    return {"median": value.middle, "min": value.least, "max": value.most} if isinstance(value, Spread) else value
