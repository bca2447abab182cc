from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr, ValidationError

from providers.errors import ConfigurationError, Fault, ProviderException
from providers.settings import VoiceSettings
from providers.voice.deepgram import DeepgramConfig, DeepgramVoiceProvider
from tests.fakes.deepgram import KEY, DeepgramFake
from tests.fakes.trouble import Trouble
from tests.providers.voice.calls import Caller, Heard, recognised, spoken

EVERY_BYTE = bytes(range(256)) * 10


@pytest.fixture
async def fake() -> AsyncIterator[DeepgramFake]:
    async with DeepgramFake() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
async def nova(fake: DeepgramFake) -> AsyncIterator[DeepgramVoiceProvider]:
    async with engine(fake) as provider:
        yield provider


@pytest.fixture
async def flux(fake: DeepgramFake) -> AsyncIterator[DeepgramVoiceProvider]:
    async with engine(fake, stt_model="flux-general-en", tts_model="flux-alexis-en") as provider:
        yield provider


def engine(fake: DeepgramFake, stt_model: str = "nova-3", tts_model: str = "aura-2-thalia-en") -> DeepgramVoiceProvider:
    return DeepgramVoiceProvider(
        DeepgramConfig(api_key=SecretStr(KEY), base_url=fake.url, stt_model=stt_model, tts_model=tts_model)
    )


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
async def test_the_lines_own_audio_passes_untouched_both_ways(fake: DeepgramFake, model: str) -> None:
    async with engine(fake, stt_model=model) as provider:
        await recognised(provider, [EVERY_BYTE])
        hearing = next(opened for opened in fake.connections if opened.path.endswith("listen"))
        assert hearing.audio[: len(EVERY_BYTE)] == EVERY_BYTE
        assert await spoken(provider, "Yes.") == b"\x55" * 480 * 4


async def test_the_model_chooses_the_version(flux: DeepgramVoiceProvider, fake: DeepgramFake) -> None:
    assert {opened.path for opened in fake.connections} == {"/v2/listen", "/v2/speak"}


async def test_flux_is_given_its_own_parameters_only(fake: DeepgramFake) -> None:
    config = DeepgramConfig(
        api_key=SecretStr(KEY),
        base_url=fake.url,
        stt_model="flux-general-multi",
        language="de",
        eager_eot_threshold=0.4,
    )
    provider = DeepgramVoiceProvider(config)
    provider.speaks = False
    async with provider:
        (opened,) = fake.connections
    assert opened.query == {
        "model": ["flux-general-multi"],
        "encoding": ["mulaw"],
        "sample_rate": ["8000"],
        "eager_eot_threshold": ["0.4"],
        "language_hint": ["de"],
    }


async def test_finalize_that_is_not_answered_costs_nothing_after_the_end_of_the_turn(
    nova: DeepgramVoiceProvider, fake: DeepgramFake
) -> None:
    fake.answers_finalize = False
    caller = Caller(b"\x55" * 8000)
    heard = Heard(nova.speech_to_text(caller.audio()))
    await fake.until(lambda: len(fake.connections[0].audio) == 8000)
    await fake.tell(nova_results("Hello.", duration=0.9))
    await heard.until("Hello.", is_final=True)
    caller.end()
    await heard.task
    assert heard.words == "Hello."
    info = await nova.get_vad_info()
    assert info is not None
    assert info.is_turn_complete


def nova_results(text: str, duration: float) -> dict[str, object]:
    return {
        "type": "Results",
        "start": 0.0,
        "duration": duration,
        "is_final": True,
        "speech_final": True,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9}]},
    }


async def test_an_early_end_that_was_none_is_taken_back(flux: DeepgramVoiceProvider, fake: DeepgramFake) -> None:
    caller = Caller()
    heard = Heard(flux.speech_to_text(caller.audio()))
    opinions = []
    for event, text in (
        ("StartOfTurn", "a"),
        ("EagerEndOfTurn", "a table"),
        ("TurnResumed", "a table, er"),
        ("EagerEndOfTurn", "a table for two"),
        ("EndOfTurn", "a table for two"),
    ):
        await fake.tell(flux_info(event, text))
        await heard.until(text, is_final=event == "EndOfTurn")
        info = await flux.get_vad_info()
        assert info is not None
        opinions.append(info.is_turn_complete)
    assert opinions == [False, True, False, True, True]
    caller.end()
    await heard.task
    assert heard.words == "a table for two"


def flux_info(event: str, text: str) -> dict[str, object]:
    return {
        "type": "TurnInfo",
        "event": event,
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 0.5,
        "transcript": text,
        "words": [],
    }


async def test_a_silent_connection_is_closed_by_the_service_and_opened_again(
    nova: DeepgramVoiceProvider, fake: DeepgramFake
) -> None:
    assert await recognised(nova, [b"\x55" * 1600])
    await fake.idle.pass_time(10.5)
    results = await recognised(nova, [b"\x55" * 1600])
    assert results[-1].text == fake.heard
    assert len([opened for opened in fake.connections if opened.path == "/v1/listen"]) == 2


async def test_an_utterance_outlives_its_connection(nova: DeepgramVoiceProvider, fake: DeepgramFake) -> None:
    caller = Caller(b"\x55" * 1600)
    heard = Heard(nova.speech_to_text(caller.audio()))
    await fake.until(lambda: len(fake.connections[0].audio) == 1600)
    await fake.idle.pass_time(10.5)
    await fake.until(lambda: len(fake.listening) == 2)
    caller.say(b"\x66" * 1600)
    caller.end()
    await heard.task
    assert heard.words == fake.heard
    again = [opened for opened in fake.connections if opened.path == "/v1/listen"][1]
    assert again.audio == b"\x55" * 1600 + b"\x66" * 1600


async def test_too_many_streams_are_refused_at_the_upgrade(fake: DeepgramFake) -> None:
    fake.trouble = Trouble.RATE_LIMITED
    with pytest.raises(ProviderException) as caught:
        await engine(fake, stt_model="flux-general-en").connect()
    assert caught.value.fault is Fault.RATE_LIMIT
    assert caught.value.status == 429
    assert caught.value.request_id == "r-1"


def test_its_settings_are_the_operators() -> None:
    settings = VoiceSettings(
        DEEPGRAM_API_KEY=SecretStr(KEY), DEEPGRAM_STT_MODEL="flux-general-en", DEEPGRAM_EAGER_EOT_THRESHOLD=0.5
    )
    config = DeepgramVoiceProvider.from_settings(settings).config
    assert (config.stt_model, config.eager_eot_threshold) == ("flux-general-en", 0.5)
    assert KEY not in repr(config)


def test_it_needs_a_key_and_a_threshold_that_flux_takes() -> None:
    with pytest.raises(ConfigurationError, match="DEEPGRAM_API_KEY"):
        DeepgramVoiceProvider.from_settings(VoiceSettings())
    with pytest.raises(ValidationError):
        DeepgramConfig(api_key=SecretStr(KEY), eager_eot_threshold=0.9)
