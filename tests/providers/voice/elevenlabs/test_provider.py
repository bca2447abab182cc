import base64
import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.elevenlabs import ElevenLabsConfig, ElevenLabsVoiceProvider
from providers.voice.elevenlabs.scribe import Commit
from tests.fakes.elevenlabs import AUDIO_PER_CHARACTER, KEY, ElevenLabsFake

CALLER = bytes(range(256)) * 20


@pytest.fixture
async def fake() -> AsyncIterator[ElevenLabsFake]:
    async with ElevenLabsFake() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
async def engine(fake: ElevenLabsFake) -> AsyncIterator[ElevenLabsVoiceProvider]:
    async with ElevenLabsVoiceProvider(ElevenLabsConfig(api_key=SecretStr(KEY), base_url=fake.url)) as engine:
        yield engine


async def caller() -> AsyncIterator[bytes]:
    for start in range(0, len(CALLER), 160):
        yield CALLER[start : start + 160]


async def test_the_telephones_own_audio_passes_untouched_both_ways(
    fake: ElevenLabsFake, engine: ElevenLabsVoiceProvider
) -> None:
    assert [result.text async for result in engine.speech_to_text(caller())][-1] == fake.heard
    assert b"".join([chunk async for chunk in engine.text_to_speech("Yes.")]) == b"\x55" * AUDIO_PER_CHARACTER * 4
    heard = next(opened for opened in fake.connections if opened.path.endswith("/realtime"))
    assert b"".join(base64.b64decode(json.loads(frame)["audio_base_64"]) for frame in heard.frames) == CALLER


async def test_it_asks_for_what_the_settings_say(fake: ElevenLabsFake, engine: ElevenLabsVoiceProvider) -> None:
    hearing, speaking = sorted(fake.connections, key=lambda opened: opened.path)
    assert hearing.query == {
        "model_id": ["scribe_v2_realtime"],
        "audio_format": ["ulaw_8000"],
        "language_code": ["en"],
        "commit_strategy": ["manual"],
    }
    assert speaking.path == "/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/multi-stream-input"
    assert speaking.query["model_id"] == ["eleven_flash_v2_5"]
    assert speaking.query["auto_mode"] == speaking.query["sync_alignment"] == ["true"]


async def test_its_own_voice_detection_is_told_how_long_a_pause_is(fake: ElevenLabsFake) -> None:
    config = ElevenLabsConfig(api_key=SecretStr(KEY), base_url=fake.url, commit=Commit.VAD)
    async with ElevenLabsVoiceProvider(config):
        queries = [opened.query for opened in fake.connections if "commit_strategy" in opened.query]
    assert queries[0]["vad_silence_threshold_secs"] == ["0.5"]


async def test_our_own_turn_taking_gets_no_other_view(engine: ElevenLabsVoiceProvider) -> None:
    assert [result async for result in engine.speech_to_text(caller())][-1].is_final
    assert not engine.capabilities.end_of_turn
    assert await engine.get_vad_info() is None


async def test_words_are_timed(engine: ElevenLabsVoiceProvider) -> None:
    async for _ in engine.text_to_speech("I do."):
        pass
    assert [(timing.word, timing.start_s) for timing in engine.word_timings()] == [
        ("I", 0.0),
        ("do.", pytest.approx(0.12)),
    ]


def test_settings_make_it_and_a_missing_key_is_named() -> None:
    settings = VoiceSettings(ELEVENLABS_API_KEY=SecretStr("k"), ELEVENLABS_COMMIT="vad", ELEVENLABS_VOICE="v")
    config = ElevenLabsVoiceProvider.from_settings(settings).config
    assert (config.commit, config.voice, config.api_key.get_secret_value()) == (Commit.VAD, "v", "k")
    with pytest.raises(ConfigurationError, match="ELEVENLABS_API_KEY"):
        ElevenLabsVoiceProvider.from_settings(VoiceSettings())
