"""The engines of one call: connected together, once, and let go whatever they do."""

import asyncio
import gc
import weakref

import pytest

from providers.errors import ProviderException
from telephony.call.voices import Voices
from tests.providers.voice.standby import AWAY, Script, StandBy, in_invented_time


@in_invented_time
async def test_two_engines_connect_at_once_and_one_that_does_both_connects_once() -> None:
    hears, speaks = (StandBy(script=Script(connect_s=1.0)) for _ in range(2))
    for voices in (Voices(hears, speaks), Voices(hears, hears)):
        at = asyncio.get_running_loop().time()
        await voices.connect()
        await voices.connect()
        assert asyncio.get_running_loop().time() == at + 1.0
        await voices.disconnect()
    assert (hears.connects, speaks.connects) == (2, 1)


@in_invented_time
async def test_one_that_does_not_connect_is_told_and_may_be_tried_again() -> None:
    script = Script(connect=AWAY)
    voices = Voices(StandBy(script=script), StandBy())
    with pytest.RaisesGroup(ProviderException):
        await voices.connect()
    script.connect = None
    await voices.connect()
    await voices.disconnect()


@in_invented_time
async def test_engines_are_let_go_while_they_connect_and_though_one_refuses(caplog: pytest.LogCaptureFixture) -> None:
    class Sticky(StandBy):
        async def disconnect(self) -> None:
            raise AWAY

    voices = Voices(Sticky(), speaks := StandBy(script=Script(connect_s=1.0)))
    connecting = asyncio.create_task(voices.connect())
    await asyncio.sleep(0.5)
    await voices.disconnect()
    await asyncio.wait([connecting])
    assert (speaks.is_connected, speaks.disconnects) == (False, 1)
    assert "an engine does not disconnect" in caplog.text
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_invented_time
async def test_engines_that_are_let_go_do_not_wait_for_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        async with Voices(StandBy(), StandBy()) as voices:
            await voices.connect()
        gone = weakref.ref(voices)
        del voices
        assert gone() is None
    finally:
        gc.enable()
