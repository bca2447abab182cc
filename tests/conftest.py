"""What every test starts from: no environment of ours, no `.env`, no settings left over, no clock in hypothesis."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings

from providers.settings import CoreSettings, LLMSettings, VoiceSettings
from providers.settings import settings as provider_settings
from telephony.settings import TelephonySettings
from telephony.settings import settings as line_settings
from tests.telephony.records.postgres import Postgres

hypothesis_settings.register_profile("offhook", deadline=None)
hypothesis_settings.register_profile(
    "mutants", deadline=None, max_examples=20, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
hypothesis_settings.load_profile("offhook")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings have their defaults unless the test says otherwise."""
    for group in (VoiceSettings, LLMSettings, TelephonySettings):
        monkeypatch.setitem(group.model_config, "env_file", None)
        for name in group.model_fields:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(CoreSettings.model_config, "env_file", None)
    provider_settings.reload()
    line_settings.reload()
    yield
    provider_settings.reload()
    line_settings.reload()


@pytest.fixture
def logging_put_back() -> Iterator[None]:
    """For tests of code that takes logging over, as a process of its own may: afterwards pytest has it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    root.handlers = []  # so that the handlers of pytest are not closed
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that really runs."""
    with Postgres() as server:
        yield server
