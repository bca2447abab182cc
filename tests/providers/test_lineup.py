"""Who is asked, and that probes bring the first choice back while nobody waits."""

import asyncio

import pytest

from providers.breaker import Breaker, State
from providers.errors import Fault, ProviderException
from providers.lineup import Choice, Lineup

AWAY = ProviderException(fault=Fault.TIMEOUT)


class Engines:
    """Two engines by name, and what their probes wait for and find."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.error: Exception | None = None
        self.probed: list[str] = []
        choices = [Choice(name, name, Breaker()) for name in ("first", "second")]
        self.first, self.second = choices
        self.lineup = Lineup(choices, self._probe)

    async def _probe(self, choice: Choice[str]) -> None:
        self.probed.append(choice.name)
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    def fail(self, *choices: Choice[str], error: Exception = AWAY, ago_s: float = 0.0) -> None:
        for choice in choices:
            choice.breaker.failed(choice.breaker.begin(), asyncio.get_running_loop().time() - ago_s, error)

    def ready(self) -> list[str]:
        return [choice.name for choice in self.lineup.ready()]

    async def until_probed(self) -> None:
        await asyncio.gather(*self.lineup._probes.values())


@pytest.fixture
async def engines() -> Engines:
    return Engines()


async def test_all_are_ready_in_their_order(engines: Engines) -> None:
    assert engines.ready() == ["first", "second"]


async def test_one_that_fails_is_left_out_and_not_probed_too_soon(engines: Engines) -> None:
    engines.fail(engines.first)
    assert engines.ready() == ["second"]
    await engines.until_probed()
    assert engines.probed == []


async def test_a_probe_runs_beside_the_calls_and_brings_it_back(engines: Engines) -> None:
    engines.fail(engines.first, ago_s=5.0)
    assert engines.ready() == engines.ready() == ["second"]
    await asyncio.sleep(0)
    assert engines.probed == ["first"]
    engines.gate.set()
    await engines.until_probed()
    assert engines.ready() == ["first", "second"]


async def test_a_probe_that_fails_keeps_it_away(engines: Engines, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    engines.error = TimeoutError()
    engines.gate.set()
    engines.fail(engines.first, ago_s=5.0)
    assert engines.ready() == ["second"]
    await engines.until_probed()
    assert engines.ready() == ["second"]
    assert engines.probed == ["first"]
    assert "first is still away: TimeoutError" in caplog.text


async def test_when_all_fail_all_are_asked_but_those_that_told_us_to_wait(engines: Engines) -> None:
    engines.fail(engines.first, error=ProviderException(fault=Fault.RATE_LIMIT, retry_after_s=60.0))
    engines.fail(engines.second)
    assert engines.ready() == ["second"]
    with engines.second.attempt():
        pass
    assert engines.second.breaker.state is State.CLOSED


async def test_one_that_is_being_probed_is_not_asked_for_anything_else_meanwhile(engines: Engines) -> None:
    engines.fail(engines.first, ago_s=5.0)
    engines.ready()
    engines.fail(engines.second)
    assert engines.ready() == ["second"]
    engines.gate.set()
    await engines.until_probed()
    assert engines.ready() == ["first"]


async def test_closed_it_leaves_no_probe_and_no_breaker_that_waits_for_one(engines: Engines) -> None:
    engines.fail(engines.first, ago_s=5.0)
    engines.ready()
    await asyncio.sleep(0)
    await engines.lineup.aclose()
    await engines.lineup.aclose()
    assert engines.first.breaker.is_due(asyncio.get_running_loop().time())
