"""Engines that wait for the stream of their call, claimed in time or let go, in invented time."""

import asyncio

import pytest

from providers.errors import ConfigurationError
from telephony import warm
from telephony.call.voices import Voices
from telephony.warm import WarmVoices
from tests.providers.voice.standby import AWAY, Script, StandBy, in_invented_time

CALL = "CA1"


class Store:
    """A store, and the engine of every pair it made."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script(connect_s=1.0)
        self.made: list[StandBy] = []
        self.warm = WarmVoices(self._make, lifetime_s=60.0)

    def _make(self) -> Voices:
        engine = StandBy(script=self.script)
        self.made.append(engine)
        return Voices(engine, engine)

    async def close(self) -> None:
        """Nothing may be left."""
        await self.warm.aclose()
        assert not any(engine.is_connected for engine in self.made)
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("waited_s", [0.3, 30.0])
@in_invented_time
async def test_a_call_finds_its_engines_connected_or_connecting(waited_s: float) -> None:
    store = Store()
    store.warm.expect(CALL)
    store.warm.expect(CALL)
    await asyncio.sleep(waited_s)
    voices = store.warm.claim(CALL)
    assert voices.hears is store.made[0]
    await voices.connect()
    assert asyncio.get_running_loop().time() == max(1.0, waited_s)
    assert [engine.connects for engine in store.made] == [1]
    await asyncio.sleep(100.0)
    assert store.made[0].is_connected
    await voices.disconnect()
    await store.close()


@in_invented_time
async def test_a_call_that_was_not_expected_gets_engines_of_its_own() -> None:
    store = Store()
    assert store.warm.claim(CALL).hears is store.made[0]
    assert store.made[0].connects == 0
    await store.close()


@in_invented_time
async def test_engines_are_let_go_if_no_stream_comes() -> None:
    store = Store()
    store.warm.expect(CALL)
    await asyncio.sleep(60.1)
    assert (store.made[0].connects, store.made[0].disconnects) == (1, 1)
    assert store.warm.claim(CALL).hears is store.made[1]
    await store.close()


@in_invented_time
async def test_engines_that_do_not_connect_are_tried_again_by_the_call() -> None:
    store = Store(Script(connect=AWAY))
    store.warm.expect(CALL)
    await asyncio.sleep(1.0)
    store.script.connect = None
    voices = store.warm.claim(CALL)
    await voices.connect()
    assert voices.hears.is_connected
    await voices.disconnect()
    await store.close()


@in_invented_time
async def test_there_is_a_limit_to_those_that_wait_and_all_are_let_go_at_the_end() -> None:
    store = Store()
    for number in range(warm.MOST + 5):
        store.warm.expect(f"CA{number}")
    assert len(store.made) == warm.MOST
    await asyncio.sleep(2.0)
    await store.close()


@in_invented_time
async def test_engines_that_cannot_be_made_do_not_keep_the_webhook_from_answering() -> None:
    def unmade() -> Voices:
        raise ConfigurationError.of("VOICE_PROVIDER", "is gone")

    store = WarmVoices(unmade, lifetime_s=60.0)
    store.expect(CALL)
    with pytest.raises(ConfigurationError):
        store.claim(CALL)
    await store.aclose()
