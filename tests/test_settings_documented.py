"""`.env.example` and the README's table name every setting there is, and no other."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from providers.settings import LLMSettings, VoiceSettings
from telephony.settings import TelephonySettings

ROOT = Path(__file__).parent.parent
GROUPS: tuple[type[BaseSettings], ...] = (VoiceSettings, LLMSettings, TelephonySettings)
FIELDS = {name: field for group in GROUPS for name, field in group.model_fields.items()}
EXAMPLE = dict(re.findall(r"^#? ?([A-Z][A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_example_names_every_setting_and_no_other() -> None:
    assert EXAMPLE.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_shows_the_default(name: str) -> None:
    default = FIELDS[name].default
    shown = EXAMPLE[name].strip('"')
    if default is None:
        return  # what stands there is an example of the form
    assert shown == (str(default).lower() if isinstance(default, bool) else str(default))


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert FIELDS[name].description


def test_the_readme_lists_every_setting() -> None:
    listed = set(re.findall(r"^\| `([A-Z][A-Z_0-9]+)`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == FIELDS.keys()
