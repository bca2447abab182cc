"""A caller with a real voice, made once, and the bot to phone."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from providers.settings import settings as provider_settings
from telephony.settings import settings as line_settings
from telephony.simulator.voice import ProviderVoice, Voice
from tests.wire.office import Office, in_process

type Open = Callable[..., AbstractAsyncContextManager[Office]]


class Remembered:
    """A voice that says every line once, and after that from memory."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._lines: dict[str, bytes] = {}

    async def speak(self, text: str) -> bytes:
        if text not in self._lines:
            self._lines[text] = await self._voice.speak(text)
        return self._lines[text]


@pytest.fixture(scope="session")
def caller_voice() -> Voice:
    """The embedded engine's voice: real speech, so that the real detector of voice is at work."""
    return Remembered(asyncio.run(ProviderVoice.named("local")))


@pytest.fixture
def open_office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caller_voice: Voice, logging_put_back: None) -> Open:
    """Opens the bot in this process, its settings changed by keyword: see `tests.wire.office.in_process`."""

    def set_variables(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        provider_settings.reload()
        line_settings.reload()

    return partial(in_process, set_variables, tmp_path, caller_voice)
