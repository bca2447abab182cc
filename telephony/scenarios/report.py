"""The outcome of many scenarios: for a person on the terminal, for CI as JUnit XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from telephony.scenarios.run import Run
from telephony.scenarios.timeline import timeline
from telephony.scenarios.verdict import Check, Outcome

_UNPRINTABLE = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if code not in (9, 10, 13)}
"""What XML 1.0 cannot hold."""


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario: its call and the checks of it, or why there was no call."""

    path: Path
    name: str
    run: Run | None
    checks: tuple[Check, ...] = ()
    skipped: str = ""

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.outcome is Outcome.FAILED]

    @property
    def unchecked(self) -> list[Check]:
        return [check for check in self.checks if check.outcome is Outcome.UNCHECKED]

    @property
    def outcome(self) -> Outcome:
        """Passed means that something was checked and nothing failed."""
        if self.failed:
            return Outcome.FAILED
        return Outcome.PASSED if len(self.checks) > len(self.unchecked) else Outcome.UNCHECKED


_MARKS = {
    Outcome.PASSED: "[green]✓[/]",
    Outcome.FAILED: "[bold red]✗[/]",
    Outcome.UNCHECKED: "[yellow]–[/]",
}


def show(result: Result, console: Console) -> None:
    """One line for a scenario; below it what failed and, for that, the call itself."""
    length = f"  [dim]{result.run.duration_s:.1f} s of call[/]" if result.run else ""
    console.print(f"{_MARKS[result.outcome]} {escape(result.name)}{length}", highlight=False)
    if result.skipped:
        console.print(Text(f"    not run: {result.skipped}", style="yellow"), soft_wrap=True)
    for check in result.failed:
        console.print(Text(f"    {check.what}: {check.reason}", style="red"), soft_wrap=True)
    for check in result.unchecked:
        console.print(Text(f"    not checked live: {check.what}: {check.reason}", style="yellow"), soft_wrap=True)
    if result.failed and result.run:
        console.print(Text(f"    {result.path}", style="dim"), soft_wrap=True)
        for line in timeline(result.run):
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)


def show_summary(results: Sequence[Result], took_s: float, console: Console) -> None:
    """How many of each, in one line."""
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    call_s = sum(result.run.duration_s for result in results if result.run)
    console.print(f"{told}: {call_s:.0f} s of calls in {took_s:.1f} s", highlight=False)


def has_passed(results: Sequence[Result]) -> bool:
    """Whether nothing failed and something was checked at all."""
    outcomes = {result.outcome for result in results}
    return Outcome.FAILED not in outcomes and Outcome.PASSED in outcomes


def write_junit(results: Sequence[Result], path: Path) -> None:
    """JUnit's XML: a test case for each scenario, `time` being seconds of call. Raises `OSError`."""
    suite = ElementTree.Element(
        "testsuite",
        name="offhook scenarios",
        tests=str(len(results)),
        failures=str(sum(result.outcome is Outcome.FAILED for result in results)),
        skipped=str(sum(result.outcome is Outcome.UNCHECKED for result in results)),
        time=f"{sum(result.run.duration_s for result in results if result.run):.3f}",
    )
    for result in results:
        seconds = result.run.duration_s if result.run else 0.0
        case = ElementTree.SubElement(
            suite, "testcase", classname=str(result.path), name=_printable(result.name), time=f"{seconds:.3f}"
        )
        lines = timeline(result.run) if result.run else []
        if result.failed:
            reasons = [f"{check.what}: {check.reason}" for check in result.failed]
            failure = ElementTree.SubElement(case, "failure", message=_printable("; ".join(reasons)))
            failure.text = _printable("\n".join([*reasons, "", *lines]))
        elif result.outcome is Outcome.UNCHECKED:
            ElementTree.SubElement(case, "skipped", message=_printable(result.skipped or "nothing could be checked"))
        if result.unchecked:
            told = "\n".join(f"not checked live: {check.what}: {check.reason}" for check in result.unchecked)
            ElementTree.SubElement(case, "system-out").text = _printable(told)
    tree = ElementTree.ElementTree(suite)
    ElementTree.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    return text.translate(_UNPRINTABLE)
