import pytest

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from tests.providers.voice.engines import EchoConfig, EchoProvider, HTTPVoiceProvider


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("ECHO_PROVIDER", "PARROT", "HTTP"):
        for field in EchoConfig.model_fields:
            monkeypatch.delenv(f"{prefix}_{field.upper()}", raising=False)


def test_the_contract_cannot_be_met_halfway() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseVoiceProvider(VoiceProviderConfig(provider_name="x"))  # type: ignore[abstract]


def test_a_config_has_the_owners_defaults() -> None:
    config = VoiceProviderConfig(provider_name="x")
    assert (config.sample_rate_input, config.sample_rate_output, config.chunk_duration_ms) == (24000, 48000, 80)


async def test_entering_connects_and_leaving_disconnects() -> None:
    engine = EchoProvider(EchoConfig(api_key="k"))
    assert not engine.is_connected
    async with engine as entered:
        assert entered is engine
        assert engine.is_connected
    assert not engine.is_connected


@pytest.mark.parametrize("variable", ["ECHO_PROVIDER_API_KEY", "PARROT_API_KEY"])
def test_an_unknown_engine_finds_its_own_variables(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "secret")
    monkeypatch.setenv("PARROT_MODEL", "large")
    engine = EchoProvider.from_settings(VoiceSettings())
    assert isinstance(engine, EchoProvider)
    assert (engine.config.api_key, engine.config.model) == ("secret", "large")


def test_the_name_in_the_environment_drops_the_suffix_every_engine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_API_KEY", "secret")
    assert HTTPVoiceProvider.from_settings(VoiceSettings()).config.api_key == "secret"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match="ECHO_PROVIDER_API_KEY or PARROT_API_KEY"):
        EchoProvider.from_settings(VoiceSettings())


async def test_an_engine_with_nothing_to_load_is_prepared_at_once() -> None:
    await EchoProvider.prepare(VoiceSettings())


def test_an_engine_need_not_know_when_it_says_each_word() -> None:
    assert EchoProvider(EchoConfig(api_key="k")).word_timings() == ()
