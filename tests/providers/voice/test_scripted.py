from array import array
from collections.abc import AsyncIterator

import pytest

from providers.settings import VoiceSettings
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


async def heard(engine: ScriptedVoiceProvider, *sizes: int) -> list[str]:
    results = [result async for result in engine.speech_to_text(chunks(*sizes))]
    assert all(result.is_final for result in results)
    return [result.text for result in results]


async def test_it_hears_its_script_line_by_line_and_from_the_start_again() -> None:
    engine = ScriptedVoiceProvider.from_settings(VoiceSettings(SCRIPTED_TRANSCRIPTS="Hello. | Goodbye."))
    async with engine:
        assert [await heard(engine, 320) for _ in range(3)] == [["Hello."], ["Goodbye."], ["Hello."]]


async def test_a_result_spans_the_audio() -> None:
    async with ScriptedVoiceProvider(ScriptedConfig()) as engine:
        (result,) = [result async for result in engine.speech_to_text(chunks(16000, 15999, 1))]
    assert (result.start_s, result.stop_s) == (0.0, 1.0)


async def test_silence_of_no_length_is_heard_too() -> None:
    async with ScriptedVoiceProvider(ScriptedConfig()) as engine:
        assert await heard(engine) == ["Hello."]


async def test_speech_is_as_long_as_its_text_and_comes_in_chunks() -> None:
    engine = ScriptedVoiceProvider(ScriptedConfig(seconds_per_character=0.1, chunk_duration_ms=80))
    audio = [chunk async for chunk in engine.text_to_speech("hello")]
    assert {len(chunk) for chunk in audio[:-1]} == {24000 * 80 // 1000 * 2}
    assert len(b"".join(audio)) == 24000
    assert await engine.get_vad_info() is None


async def test_the_tone_is_loud_but_not_clipped_and_starts_and_ends_softly() -> None:
    samples = array("h", b"".join([c async for c in ScriptedVoiceProvider(ScriptedConfig()).text_to_speech("hello")]))
    assert 5000 < max(samples) <= 6000
    assert samples[0] == 0
    assert abs(samples[-1]) < 10


async def test_nothing_to_say_gives_no_audio() -> None:
    assert [chunk async for chunk in ScriptedVoiceProvider(ScriptedConfig()).text_to_speech("")] == []


def test_configs_do_not_share_their_script() -> None:
    ScriptedConfig().transcripts.append("more")
    assert ScriptedConfig().transcripts == ["Hello."]


@pytest.mark.parametrize("name", ["scripted"])
def test_the_name_is_the_registered_one(name: str) -> None:
    assert ScriptedConfig().provider_name == name
