"""`offhook scenario run`: what it shows, what it writes, how it ends."""

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from telephony.scenarios.command import run_scenarios

GOOD = "name: good\ncaller: [hang_up]\nexpect: {ended: caller hung up}\n"
BAD = "name: bad\ncaller: [hang_up]\nexpect: {ended: never}\n"


def run(folder: Path, *texts: str, junit: Path | None = None) -> tuple[int, str]:
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    out = io.StringIO()
    return run_scenarios([folder], "", junit, Console(file=out, width=200)), out.getvalue()


def test_a_scenario_that_passes_is_one_line(tmp_path: Path) -> None:
    status, shown = run(tmp_path, GOOD)
    assert status == 0
    assert shown.splitlines()[0].startswith("✓ good")
    assert "1 passed" in shown


def test_one_that_fails_shows_why_and_the_call(tmp_path: Path) -> None:
    status, shown = run(tmp_path, GOOD, BAD)
    assert status == 1
    assert "ended: never: it ended: caller hung up" in shown
    assert "says: Thank you for calling Bella Roma." in shown
    assert "1 passed, 1 failed" in shown


def test_files_that_cannot_be_read_are_all_told_and_nothing_is_run(tmp_path: Path) -> None:
    status, shown = run(tmp_path, GOOD, "name: x", "caller: 5")
    assert status == 2
    assert "1.yaml, line 1: caller: Field required" in shown
    assert "2.yaml, line 1: name: Field required" in shown
    assert "✓" not in shown


def test_junit_is_written_and_the_same_each_time(tmp_path: Path) -> None:
    junit = tmp_path / "out.xml"
    run(
        tmp_path,
        GOOD,
        BAD.replace("bad", "bad \\u0007").replace("name: ", 'name: "').replace("7\n", '7"\n'),
        junit=junit,
    )
    first = junit.read_bytes()
    suite = ElementTree.fromstring(first)  # noqa: S314 - we wrote it
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    good, bad = suite.findall("testcase")
    assert good.get("name") == "good"
    failure = bad.find("failure")
    assert failure is not None
    assert "it ended: caller hung up" in (failure.text or "")
    assert float(good.get("time") or 0) == pytest.approx(3.9, abs=0.1)
    run(tmp_path, GOOD, junit=junit)
    assert junit.read_bytes() == first
