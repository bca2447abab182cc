"""A caller with a real voice, made once, and the bot to phone."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from providers.settings import settings as provider_settings
from telephony.settings import settings as line_settings
from telephony.simulator.caller import BargeIn, Press, Say
from telephony.simulator.report import CallReport
from telephony.simulator.voice import ProviderVoice, Voice
from tests.wire.lines import ASK, INTERRUPT, PARTING
from tests.wire.office import Office, in_a_process, in_process
from tests.wire.raw import sends_garbage

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


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call that is over, and the log of the server that took it."""

    report: CallReport
    log: str


@pytest.fixture(scope="session")
def whole_call(caller_voice: Voice, tmp_path_factory: pytest.TempPathFactory) -> WholeCall:
    """One call with everything in it to a server in a process of its own, at its most talkative.

    After it the server is sent garbage.
    """
    steps = (Say(ASK), BargeIn(INTERRUPT, after_s=0.5), Press("42#"), Say(PARTING))
    settings = {"SCRIPTED_TRANSCRIPTS": f"{ASK}|{INTERRUPT}|{PARTING}", "LOG_LEVEL": "DEBUG"}

    async def run() -> WholeCall:
        async with in_a_process(tmp_path_factory.mktemp("whole"), caller_voice, settings) as office:
            report = await office.call(*steps)
            await sends_garbage(office)
        assert office.log is not None
        return WholeCall(report, office.log.read_text())

    return asyncio.run(run())
