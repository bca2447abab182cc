import pytest

from providers.errors import Fault, ProviderException
from providers.voice.base import VoiceProviderConfig
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.provider import SocketVoiceProvider
from tests.providers.voice.calls import recognised, spoken
from tests.providers.voice.remote.plain import (
    HEARING,
    PlainEars,
    PlainServer,
    PlainVoice,
    ears,
    voice,
)
from tests.providers.voice.remote.test_streaming import answers, speaks

CONFIG = VoiceProviderConfig(provider_name="plain", sample_rate_input=4000)


async def test_it_opens_only_what_the_call_uses() -> None:
    async with PlainServer() as server:
        engine = SocketVoiceProvider(CONFIG, ears(server), voice(server))
        engine.speaks = False
        async with engine:
            assert len(server.connections) == 1
            assert engine.is_connected
        assert not engine.is_connected
        await server.until(lambda: server.open_connections == 0)


async def test_one_direction_that_fails_fails_the_whole_and_leaves_nothing_behind() -> None:
    nowhere: Channel[PlainEars] = Channel(HEARING, lambda: Address("http://nowhere"), PlainEars)
    async with PlainServer() as server:
        engine: SocketVoiceProvider[PlainEars, PlainVoice] = SocketVoiceProvider(CONFIG, nowhere, voice(server))
        with pytest.raises(ProviderException) as caught:
            await engine.connect()
        assert caught.value.fault is Fault.BAD_REQUEST
        assert not engine.is_connected
        await engine.disconnect()
        await server.until(lambda: server.open_connections == 0)


async def test_pcm_counts_two_bytes_a_sample() -> None:
    async with PlainServer(answers) as server:
        engine = SocketVoiceProvider(CONFIG, ears(server), voice(server))
        (result,) = await recognised(engine, [bytes(8000)])
        assert result.stop_s == 1.0
        await engine.disconnect()


async def test_it_knows_words_and_turns_as_long_as_the_connections_stand() -> None:
    async with PlainServer(speaks) as server:
        engine = SocketVoiceProvider(CONFIG, ears(server), voice(server))
        assert engine.word_timings() == ()
        assert await engine.get_vad_info() is None
        await spoken(engine, "yes")
        assert [timing.word for timing in engine.word_timings()] == ["yes"]
        await engine.disconnect()
        assert engine.word_timings() == ()
