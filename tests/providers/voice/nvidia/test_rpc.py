import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from providers.errors import Fault, ProviderException, TranscriptionError
from providers.voice.nvidia.frames import END
from providers.voice.nvidia.rpc import Method, close_shared_channels, shared_channel
from providers.voice.nvidia.status import FAULTS
from providers.voice.nvidia.synthesis import SynthesisWire
from providers.voice.remote.service import Service
from tests.fakes.riva import REQUEST_ID, RivaFake
from tests.fakes.trouble import RETRY_AFTER_S, Trouble
from tests.providers.voice.nvidia.engine import caller, engine_of, recognised, words

SERVICE = Service(provider="nvidia", operation="stt", setting="NVIDIA_API_KEY", code_faults=FAULTS)


async def test_all_calls_share_one_connection_until_it_is_closed(fake: RivaFake) -> None:
    channel = shared_channel(fake.target, is_tls=False)
    assert shared_channel(fake.target, is_tls=False) is channel
    await close_shared_channels()
    assert shared_channel(fake.target, is_tls=False) is not channel


async def test_where_nobody_listens_the_setting_is_named(fake: RivaFake) -> None:
    await fake.stop()
    with pytest.raises(ProviderException) as caught:
        await engine_of(fake).connect()
    assert caught.value.fault is Fault.UNAVAILABLE
    assert caught.value.setting.startswith("NVIDIA_SPEECH_")


async def test_one_that_only_hears_connects_to_nothing_else(fake: RivaFake) -> None:
    engine = engine_of(fake)
    engine.config.tts_target = "127.0.0.1:1"
    engine.speaks = False
    await engine.connect()
    assert engine.is_connected
    await engine.disconnect()


async def test_connecting_makes_no_call_that_a_sleeping_worker_could_delay(fake: RivaFake) -> None:
    async with engine_of(fake):
        assert fake.connections == []


def test_the_key_does_not_show() -> None:
    method = Method("127.0.0.1:1", False, "/x/y", 1.0, "SETTING", {"authorization": "Bearer nvapi-geheim"})
    assert "geheim" not in repr(method)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 20.0])
async def test_a_refusal_is_understood_however_much_is_on_its_way(fake: RivaFake, seconds: float) -> None:
    """The library forgets the reason if it comes while a message is being sent."""
    fake.trouble = Trouble.RATE_LIMITED_UNTIL
    with pytest.raises(TranscriptionError) as caught:
        await recognised(engine_of(fake), caller(seconds))
    assert caught.value.fault is Fault.RATE_LIMIT
    assert (caught.value.retry_after_s, caught.value.request_id) == (RETRY_AFTER_S, REQUEST_ID)


async def test_a_wrong_function_id_is_named(fake: RivaFake) -> None:
    with pytest.raises(TranscriptionError) as caught:
        await recognised(engine_of(fake, stt_function="11111111-aaaa-4bbb-8ccc-00000000000f"), caller(0.5))
    assert caught.value.setting == "NVIDIA_SPEECH_STT_FUNCTION_ID"


async def test_a_server_that_goes_and_comes_back_costs_no_words(fake: RivaFake) -> None:
    more = asyncio.Event()
    engine = engine_of(fake)
    hearing = asyncio.create_task(recognised(engine, caller(1.0, more)))
    await fake.until(lambda: bool(fake.connections and len(fake.connections[0].audio) >= 5 * 2560))
    await fake.stop()
    async with RivaFake(port=fake.port) as other:
        more.set()
        assert words(await hearing) == fake.heard
        assert len(other.connections[-1].audio) == 16000
        await close_shared_channels()


async def test_a_call_whose_audio_had_paused_is_made_again(fake: RivaFake) -> None:
    fake.drops_idle_calls = True
    assert words(await recognised(engine_of(fake), caller(1.0))) == fake.heard
    assert [len(call.audio) for call in fake.connections][-1] == 16000


async def test_a_text_that_is_dropped_frees_the_server(fake: RivaFake) -> None:
    engine = engine_of(fake)
    async with aclosing(engine.text_to_speech("one two three " * 500)) as chunks:  # type: ignore[type-var]
        assert await anext(chunks)
        assert fake.open_connections == 1
    await fake.until(lambda: fake.open_connections == 0)


async def test_a_call_that_is_over_takes_no_more(fake: RivaFake) -> None:
    method = Method(fake.target, False, "/no.such.Service/Method", 5.0, "SETTING")
    call = await method.open(SERVICE)
    assert call.is_open
    await call.send(END)
    with pytest.raises(TranscriptionError) as caught:
        await call.receive()
    assert caught.value.setting == "NVIDIA_SPEECH_TARGET"
    assert not call.is_open
    with pytest.raises(TranscriptionError, match="UNIMPLEMENTED"):
        await call.send(b"late")


async def test_a_call_that_takes_too_long_is_ended(fake: RivaFake) -> None:
    fake.trouble = Trouble.STALL
    method = replace(engine_of(fake)._synthesis(), deadline_s=0.05)
    call = await method.open(SERVICE)
    await call.send(SynthesisWire(SERVICE, "en-US", "Aria").speak("Yes.")[0])
    with pytest.raises(TranscriptionError) as caught:
        await call.receive()
    assert caught.value.fault is Fault.TIMEOUT
