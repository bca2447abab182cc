"""Settings as a test wants them."""

from collections.abc import Callable, Iterator

import pytest

from agent.llm_factory import LLMFactory
from providers.settings import LLMSettings, settings

type Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Set environment variables of the language model; all others of its settings are unset."""

    def set_all(**variables: str) -> None:
        for name in LLMSettings.model_fields:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.reload()

    set_all()
    LLMFactory.reset_cache()
    yield set_all
    monkeypatch.undo()
    settings.reload()
    LLMFactory.reset_cache()
