"""The file that a scenario is written in: who the bot is, what the caller does, what must come of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from providers.yaml_lines import InvalidFile, load_yaml
from telephony.call.rules import CallRules
from telephony.scenarios.bot import Bot
from telephony.scenarios.expect import Expect
from telephony.scenarios.parts import Part, Text
from telephony.scenarios.steps import Step

RULES = TypeAdapter(CallRules)


def _unknown(given: Mapping[str, object], kind: type) -> Iterator[str]:
    """Names that are no rules, inside the groups of rules too: pydantic lets them pass for a plain dataclass."""
    known = {field.name: field.type for field in fields(kind)}
    for name, value in given.items():
        group = known.get(name)
        if group is None:
            yield f"there is no rule {name}, only: {', '.join(sorted(known))}"
        elif isinstance(group, type) and is_dataclass(group) and isinstance(value, Mapping):
            yield from _unknown(value, group)


class Scenario(Part):
    """One call. `rules` overrides fields of `CallRules`; the caller's clock says `at`, in the business's time zone.

    A call that goes on for longer than `longest` seconds is broken off, and has failed.
    """

    name: Text
    description: str = ""
    at: datetime = datetime(2026, 11, 24, 12, 0)
    bot: Bot = Bot()
    rules: dict[str, object] = Field(default_factory=dict)
    caller: Annotated[tuple[Step, ...], Field(min_length=1)]
    expect: Expect
    longest: Annotated[float, Field(gt=0, le=7200)] = 120.0

    @field_validator("rules")
    @classmethod
    def _rules_exist(cls, rules: dict[str, object]) -> dict[str, object]:
        if unknown := next(_unknown(rules, CallRules), ""):
            raise ValueError(unknown)
        try:
            RULES.validate_python(rules)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        return rules


def load_scenario(path: Path) -> Scenario:
    """Read one file; the business file it names is looked for beside it. Raises `InvalidFile`."""
    scenario = load_yaml(Scenario, path)
    business = scenario.bot.business
    if business is None:
        return scenario
    bot = scenario.bot.model_copy(update={"business": path.parent / business})
    return scenario.model_copy(update={"bot": bot})


def find_scenarios(paths: Iterable[Path]) -> list[Path]:
    """The files meant by `paths`: files as they are, folders by the `.yaml` and `.yml` in and below them, by name.

    Raises `InvalidFile` for a path that is not there, and for no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InvalidFile([f"{path}: no such file or folder"])
        inside = (
            sorted(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        )
        found += inside
    if not found:
        raise InvalidFile(["there is no scenario there: no .yaml file"])
    return list(dict.fromkeys(found))
