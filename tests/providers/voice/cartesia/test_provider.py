import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.cartesia import CartesiaConfig, CartesiaVoiceProvider
from tests.fakes.cartesia import KEY, CartesiaFake
from tests.providers.voice.calls import Caller, Heard, recognised, spoken

EVERY_BYTE = bytes(range(256)) * 10


@pytest.fixture
async def fake() -> AsyncIterator[CartesiaFake]:
    async with CartesiaFake() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
async def ink(fake: CartesiaFake) -> AsyncIterator[CartesiaVoiceProvider]:
    async with engine(fake) as provider:
        yield provider


def engine(fake: CartesiaFake, stt_model: str = "ink-2") -> CartesiaVoiceProvider:
    return CartesiaVoiceProvider(CartesiaConfig(api_key=SecretStr(KEY), base_url=fake.url, stt_model=stt_model))


@pytest.mark.parametrize("model", ["ink-2", "ink-whisper"])
async def test_the_lines_own_audio_passes_untouched_both_ways(fake: CartesiaFake, model: str) -> None:
    async with engine(fake, stt_model=model) as provider:
        await recognised(provider, [EVERY_BYTE])
        hearing = next(opened for opened in fake.connections if opened.path.startswith("/stt"))
        assert hearing.audio == EVERY_BYTE
        assert await spoken(provider, "Yes.") == b"\x55" * 480 * 4


async def test_words_are_timed_as_the_text_parts_them(ink: CartesiaVoiceProvider) -> None:
    await spoken(ink, "Good morning, Sir.")
    assert [timing.word for timing in ink.word_timings()] == ["Good", "morning,", "Sir."]


async def test_speech_that_was_cut_off_is_cancelled_and_its_late_audio_dropped(
    ink: CartesiaVoiceProvider, fake: CartesiaFake
) -> None:
    async with aclosing(ink.text_to_speech("One two three.")) as chunks:  # type: ignore[type-var]
        await anext(chunks)
    assert len(await spoken(ink, "Four.")) == 480 * 5
    speaking = next(opened for opened in fake.connections if opened.path == "/tts/websocket")
    first, cancel, _ = (json.loads(frame) for frame in speaking.frames)
    assert cancel == {"context_id": first["context_id"], "cancel": True}


@pytest.mark.parametrize("ends_turn", [True, False])
async def test_a_turn_in_the_middle_is_told_whole_by_closing(fake: CartesiaFake, ends_turn: bool) -> None:
    """Whether Cartesia ends the turn then or leaves it at the last update is not documented."""
    fake.ends_turn = ends_turn
    async with engine(fake) as ink:
        for _ in range(2):
            results = await recognised(ink, [b"\x55" * 1600])
            assert [result.text for result in results if result.is_final] == [fake.heard]
        assert len([opened for opened in fake.connections if opened.path.startswith("/stt")]) == 2


async def test_nothing_said_is_nothing_heard(ink: CartesiaVoiceProvider) -> None:
    assert [(result.text, result.is_final) for result in await recognised(ink, [])] == [("", True)]


async def test_after_the_end_of_a_turn_the_next_one_comes_over_the_same_connection(
    ink: CartesiaVoiceProvider, fake: CartesiaFake
) -> None:
    for text in ("Hello.", "A table, please."):
        caller = Caller()
        heard = Heard(ink.speech_to_text(caller.audio()))
        hearing = next(socket for socket in fake.sockets if socket.request and "/stt" in socket.request.path)
        for kind in ("turn.start", "turn.eager_end", "turn.resume", "turn.end"):
            event = {"type": kind} if kind in ("turn.start", "turn.resume") else {"type": kind, "transcript": text}
            await hearing.send(json.dumps(event))
        await heard.until(text, is_final=True)
        caller.end()
        await heard.task
    assert len([opened for opened in fake.connections if opened.path.startswith("/stt")]) == 1


async def test_a_connection_closed_for_idleness_is_opened_again(ink: CartesiaVoiceProvider, fake: CartesiaFake) -> None:
    await fake.idle.pass_time(301)
    assert await spoken(ink, "Hello.")
    assert (await recognised(ink, [b"\x55" * 1600]))[-1].text == fake.heard


async def test_a_normal_close_in_the_middle_is_no_end(ink: CartesiaVoiceProvider, fake: CartesiaFake) -> None:
    caller = Caller(b"\x55" * 1600)
    heard = Heard(ink.speech_to_text(caller.audio()))
    await heard.until("I would")
    await fake.idle.pass_time(301)
    caller.say(b"\x55" * 1600)
    caller.end()
    await heard.task
    assert heard.words == fake.heard


def test_a_model_without_turns_says_so(fake: CartesiaFake) -> None:
    assert engine(fake).capabilities.end_of_turn
    assert not engine(fake, stt_model="ink-whisper").capabilities.end_of_turn


def test_its_settings_are_the_operators() -> None:
    settings = VoiceSettings(CARTESIA_API_KEY=SecretStr(KEY), CARTESIA_VOICE_ID="v", CARTESIA_VERSION="2026-08-14")
    config = CartesiaVoiceProvider.from_settings(settings).config
    assert (config.voice_id, config.api_version, config.stt_model) == ("v", "2026-08-14", "ink-2")
    assert KEY not in repr(config)
    with pytest.raises(ConfigurationError, match="CARTESIA_API_KEY"):
        CartesiaVoiceProvider.from_settings(VoiceSettings())
