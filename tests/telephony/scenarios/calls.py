"""Scenarios written in a test, and their runs."""

from pathlib import Path

from providers.yaml_lines import parse_yaml
from telephony.scenarios.command import run_file
from telephony.scenarios.format import Scenario
from telephony.scenarios.report import Result
from telephony.scenarios.run import Run
from telephony.simulator import events

SOURCE = "call.yaml"


def scenario(caller: str, expect: str = "{}", **others: str) -> Scenario:
    """A scenario whose parts are YAML in flow style."""
    parts = {"name": "a call", "caller": caller, "expect": expect} | others
    return parse_yaml(Scenario, "\n".join(f"{key}: {value}" for key, value in parts.items()), SOURCE)


def outcome(caller: str, expect: str = "{}", **others: str) -> Result:
    return run_file(Path(SOURCE), scenario(caller, expect, **others))


def call(caller: str, **others: str) -> Run:
    """The run of a scenario that expects nothing."""
    run = outcome(caller, **others).run
    assert run is not None
    return run


def reported(run: Run, kind: str) -> list[str]:
    """The texts of all lines of the feed of one kind."""
    return [event.text() for event in run.events if isinstance(event, events.BotReported) and event.kind == kind]


def instants(run: Run, kind: type[events.Event]) -> list[float]:
    return [event.at_s for event in run.events if isinstance(event, kind)]
