from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection

from providers.errors import ConfigurationError, Fault, ProviderException
from providers.settings import VoiceSettings
from providers.voice.assemblyai import AssemblyAIConfig, AssemblyAIVoiceProvider
from tests.fakes.assemblyai import AUDIO_PER_CHARACTER, KEY, PACE, AssemblyAIFake
from tests.fakes.trouble import Trouble

CALLER = bytes(range(256)) * 60
"""1.9 s: more than may come at once."""


@pytest.fixture
async def fake() -> AsyncIterator[AssemblyAIFake]:
    async with AssemblyAIFake() as fake:
        yield fake
        assert fake.complaints == []


def engine_of(fake: AssemblyAIFake) -> AssemblyAIVoiceProvider:
    return AssemblyAIVoiceProvider(
        AssemblyAIConfig(api_key=SecretStr(KEY), stt_url=fake.url, tts_url=fake.url, pace=PACE)
    )


async def caller() -> AsyncIterator[bytes]:
    for start in range(0, len(CALLER), 160):
        yield CALLER[start : start + 160]


async def hear(engine: AssemblyAIVoiceProvider) -> list[str]:
    return [result.text async for result in engine.speech_to_text(caller()) if result.is_final]


async def test_the_telephones_own_audio_passes_untouched_both_ways(fake: AssemblyAIFake) -> None:
    async with engine_of(fake) as engine:
        assert " ".join(await hear(engine)) == fake.heard
        assert b"".join([chunk async for chunk in engine.text_to_speech("Yes.")]) == b"\x55" * AUDIO_PER_CHARACTER * 4
    heard = next(opened for opened in fake.connections if opened.path == "/v3/ws")
    assert heard.audio.rstrip(b"\xff") == CALLER.rstrip(b"\xff")


async def test_sessions_are_terminated_so_that_they_are_not_billed_on(fake: AssemblyAIFake) -> None:
    async with engine_of(fake):
        pass
    await fake.until(lambda: fake.open_connections == 0)
    assert [opened.frames for opened in fake.connections] == [['{"type":"Terminate"}']] * 2


class CutOnce(AssemblyAIFake):
    """Breaks the first connection after its second word."""

    async def turn(self, connection: ServerConnection, order: int, count: int, origin_s: float) -> None:
        await super().turn(connection, order, count, origin_s)
        if count == 2 and sum(opened.path == "/v3/ws" for opened in self.connections) == 1:
            await connection.close(1011)


async def test_after_a_break_only_what_may_still_change_is_sent_again() -> None:
    async with CutOnce() as fake, engine_of(fake) as engine:
        heard = await hear(engine)
        await fake.until(lambda: fake.open_connections == 2)
    first, second = (opened for opened in fake.connections if opened.path == "/v3/ws")
    assert heard[0] == "I"
    assert CALLER.startswith(first.audio)
    assert second.audio.startswith(CALLER[160:])  # one word stands, of 20 ms
    assert fake.complaints == []


async def test_silence_is_recognised_as_nothing(fake: AssemblyAIFake) -> None:
    fake.is_silent = True
    async with engine_of(fake) as engine:
        assert await hear(engine) == [""]


@pytest.mark.parametrize("hears", [True, False])
async def test_a_bad_key_is_found_while_connecting(fake: AssemblyAIFake, hears: bool) -> None:
    fake.trouble = Trouble.REFUSES_KEY
    engine = engine_of(fake)
    engine.hears, engine.speaks = hears, not hears
    with pytest.raises(ProviderException) as caught:
        await engine.connect()
    await engine.disconnect()
    assert (caught.value.fault, caught.value.setting) == (Fault.AUTHENTICATION, "ASSEMBLYAI_API_KEY")


def test_settings_make_it_and_a_missing_key_is_named() -> None:
    settings = VoiceSettings(ASSEMBLYAI_API_KEY=SecretStr("k"), ASSEMBLYAI_VOICE="v")
    config = AssemblyAIVoiceProvider.from_settings(settings).config
    assert (config.voice, config.pace, config.api_key.get_secret_value()) == ("v", 1.0, "k")
    with pytest.raises(ConfigurationError, match="ASSEMBLYAI_API_KEY"):
        AssemblyAIVoiceProvider.from_settings(VoiceSettings())
