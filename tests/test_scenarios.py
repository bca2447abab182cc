"""Every scenario of `tests/scenarios`, in invented time."""

from pathlib import Path

import pytest

from telephony.scenarios.command import run_file
from telephony.scenarios.format import find_scenarios, load_scenario
from telephony.scenarios.report import Result
from telephony.scenarios.timeline import timeline

FOLDER = Path(__file__).parent / "scenarios"
FILES = find_scenarios([FOLDER])


def told(result: Result) -> str:
    assert result.run is not None
    return "\n".join([*(f"{check.what}: {check.reason}" for check in result.failed), *timeline(result.run)])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = load_scenario(path)
    result = run_file(path, scenario)
    assert not result.failed, told(result)
    assert result.checks
    assert not result.unchecked
    again = run_file(path, scenario)
    assert (told(again), again) == (told(result), result)
