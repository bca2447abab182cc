import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.gradium import GradiumConfig, GradiumVoiceProvider, provider
from providers.voice.gradium.listen import TRAIL
from tests.fakes.gradium import AUDIO_PER_CHARACTER, KEY, GradiumFake
from tests.fakes.sockets import Opened

CALLER = bytes(range(256)) * 25


@pytest.fixture
async def fake() -> AsyncIterator[GradiumFake]:
    async with GradiumFake() as fake:
        yield fake
        assert fake.complaints == []


def engine_of(fake: GradiumFake) -> GradiumVoiceProvider:
    return GradiumVoiceProvider(GradiumConfig(api_key=SecretStr(KEY), base_url=fake.url))


async def caller(audio: bytes = CALLER) -> AsyncIterator[bytes]:
    for start in range(0, len(audio), 160):
        yield audio[start : start + 160]


async def hear(engine: GradiumVoiceProvider, audio: AsyncIterator[bytes]) -> str:
    return " ".join([result.text async for result in engine.speech_to_text(audio) if result.is_final])


def audio_of(opened: Opened) -> bytes:
    messages = [json.loads(frame) for frame in opened.frames]
    return b"".join(base64.b64decode(message["audio"]) for message in messages if message["type"] == "audio")


async def test_the_telephones_own_audio_passes_untouched_both_ways(fake: GradiumFake) -> None:
    async with engine_of(fake) as engine:
        assert await hear(engine, caller()) == fake.heard
        assert b"".join([chunk async for chunk in engine.text_to_speech("Yes.")]) == b"\x55" * AUDIO_PER_CHARACTER * 4
    heard = next(opened for opened in fake.connections if opened.path.endswith("/asr"))
    assert audio_of(heard)[: len(CALLER)] == CALLER


async def test_words_are_timed(fake: GradiumFake) -> None:
    async with engine_of(fake) as engine:
        async for _ in engine.text_to_speech("Go"):
            pass
        assert [timing.word for timing in engine.word_timings()] == ["G", "o"]


async def test_several_texts_share_a_socket_until_one_is_dropped_and_then_another_is_there(fake: GradiumFake) -> None:
    async with engine_of(fake) as engine:
        for _ in range(2):
            async for _ in engine.text_to_speech("Yes."):
                pass
        assert [opened.path for opened in fake.connections].count("/api/speech/tts") == 1
        async with aclosing(engine.text_to_speech("A long story.")) as chunks:  # type: ignore[type-var]
            await anext(chunks)
        await fake.until(lambda: [o.is_open for o in fake.connections if o.path.endswith("/tts")] == [False, True])
        async for _ in engine.text_to_speech("Yes."):
            pass
        assert [opened.path for opened in fake.connections].count("/api/speech/tts") == 2


async def test_an_old_session_is_replaced_between_turns(fake: GradiumFake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "LONGEST_SESSION_S", 0.0)
    async with engine_of(fake) as engine:
        engine.speaks = False
        for _ in range(2):
            assert await hear(engine, caller()) == fake.heard
    hearing = [opened for opened in fake.connections if opened.path.endswith("/asr") and audio_of(opened)]
    assert len(hearing) == 2


class CutOnce(GradiumFake):
    """Ends the first session after its second word, as after its longest time."""

    async def _word(self, connection: ServerConnection, number: int, origin_s: float) -> None:
        if number == 2 and sum(opened.path.endswith("/asr") for opened in self.connections) == 1:
            await self.fail(connection, 1008)
        await super()._word(connection, number, origin_s)


async def test_a_session_that_is_cut_in_a_turn_is_heard_again_from_its_last_finished_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with CutOnce() as fake, engine_of(fake) as engine:
        heard = await hear(engine, caller())
        await fake.until(lambda: fake.open_connections == 2)
    first, _, second = fake.connections
    assert heard.split()[:2] == fake.heard.split()[:2]
    assert CALLER.startswith(audio_of(first))
    assert audio_of(second).removesuffix(TRAIL) == CALLER[160:]  # its second word ended at 0.02 s
    assert "connecting again, 0.0 s of audio are lost" in caplog.text


async def test_the_end_of_a_turn_is_told_without_words(fake: GradiumFake) -> None:
    ended = asyncio.Event()

    async def waits_for_the_end() -> AsyncIterator[bytes]:
        async for chunk in caller():
            yield chunk
        await ended.wait()

    async def says_over(connection: ServerConnection, number: int, total_s: float, over: float) -> None:
        await step(connection, number, total_s, 0.9 if total_s > 0.7 else 0.1)

    step = fake.step
    fake.step = says_over  # type: ignore[method-assign]
    async with engine_of(fake) as engine:
        results = []
        async with aclosing(engine.speech_to_text(waits_for_the_end())) as found:  # type: ignore[type-var]
            async for result in found:
                results.append(result)
                info = await engine.get_vad_info()
                if info is not None and info.is_turn_complete:
                    ended.set()
    assert any(not result.text and not result.is_final for result in results)


def test_settings_make_it_and_a_missing_key_is_named() -> None:
    settings = VoiceSettings(GRADIUM_API_KEY=SecretStr("k"), GRADIUM_VOICE="v", GRADIUM_LANGUAGE="fr")
    config = GradiumVoiceProvider.from_settings(settings).config
    assert (config.voice, config.language, config.api_key.get_secret_value()) == ("v", "fr", "k")
    with pytest.raises(ConfigurationError, match="GRADIUM_API_KEY"):
        GradiumVoiceProvider.from_settings(VoiceSettings())
