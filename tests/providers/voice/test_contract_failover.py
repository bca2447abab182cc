"""Every engine in every trouble, with another behind it: the caller's turn completes, and nothing is left."""

import asyncio
from collections import defaultdict

import pytest

from providers.breaker import Breaker
from providers.voice.failover import FailoverVoiceProvider
from tests.fakes.trouble import Trouble
from tests.providers.voice.standby import StandBy, recognised, spoken
from tests.providers.voice.subjects import Subject
from tests.providers.voice.test_contract import short_limits, troubles

__all__ = ["short_limits"]


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize(
    ("subject", "trouble"), troubles(lambda subject: {*subject.hearing_troubles, *subject.speech_troubles})
)
async def test_the_turn_completes(subject: Subject, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    async with subject.fake() as fake:
        fake.trouble = trouble
        behind = StandBy("understood")
        engines = {subject.name: subject.provider(fake), "behind": behind}
        breakers: defaultdict[tuple[str, str], Breaker] = defaultdict(Breaker)
        engine = FailoverVoiceProvider(engines, attempt_s=1.0, breakers=breakers)
        async with engine:
            results = await recognised(engine)
            said = await spoken(engine, subject.text)
        await subject.close_shared()
        await fake.until(lambda: fake.open_connections == 0)
    _check(subject, results[-1].text, said, behind, caplog.text)
    assert not {task for task in asyncio.all_tasks() - before if not task.done()}


def _check(subject: Subject, heard: str, said: str, behind: StandBy, log: str) -> None:
    assert heard == "understood"
    assert said.endswith(behind.texts[0]) if behind.texts else said  # not every trouble strikes in every direction
    assert f"{subject.name} " in log
    assert "behind steps in" in log
    assert subject.secret not in log
