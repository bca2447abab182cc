"""What the documentation shows can be run, or at least read."""

import re
from pathlib import Path

import pytest

from providers.yaml_lines import parse_yaml
from telephony.scenarios.format import Scenario
from telephony.scenarios.invented import run_invented
from telephony.scenarios.verdict import Outcome, judge

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "scenarios.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
REST = {"name": "name: x\n", "caller": "caller: [hang_up]\n", "expect": "expect: {}\n"}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_a_scenario_or_a_part_of_one(example: str) -> None:
    missing = [text for key, text in REST.items() if not re.search(rf"^{key}:", example, re.MULTILINE)]
    assert parse_yaml(Scenario, example + "".join(missing), PAGE.name)


def test_the_smallest_one_passes() -> None:
    scenario = parse_yaml(Scenario, EXAMPLES[0], PAGE.name)
    checks = judge(scenario.expect, run_invented(scenario))
    assert [check.outcome for check in checks] == [Outcome.PASSED, Outcome.PASSED]


def test_each_complaint_has_what_shows_that_it_is_none_here() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 19))
    for _, shown_by in rows:
        names = re.findall(r"`([^`]+)`", shown_by)
        assert names
        for name in names:
            assert (ROOT / name if "/" in name else ROOT / "tests" / "scenarios" / f"{name}.yaml").is_file(), name
