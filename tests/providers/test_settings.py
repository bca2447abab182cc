from pathlib import Path

import pytest
from pydantic import BaseModel

from providers.errors import ConfigurationError
from providers.settings import LLMSettings, Settings, VoiceSettings, config_from_environment, load


def test_nothing_configured_means_the_embedded_engine() -> None:
    voice = load(VoiceSettings)
    assert (voice.VOICE_PROVIDER, voice.LOCAL_STT_MODEL, voice.LOCAL_TTS_VOICE) == ("local", None, "heart")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VOICE_PROVIDER=fromfile\nVOICE_TTS_PROVIDER=fromfile\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(VoiceSettings.model_config, "env_file", ".env")
    monkeypatch.setenv("VOICE_PROVIDER", "fromenv")
    voice = load(VoiceSettings)
    assert (voice.VOICE_PROVIDER, voice.VOICE_TTS_PROVIDER) == ("fromenv", "fromfile")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_PROVIDER", "")
    assert load(VoiceSettings).VOICE_PROVIDER == "local"


def test_each_bad_variable_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TEMPERATURE", "boiling")
    monkeypatch.setenv("LLM_MAX_TOKENS", "-99173")
    with pytest.raises(ConfigurationError) as caught:
        load(LLMSettings)
    assert {problem.variable for problem in caught.value.problems} == {"LLM_TEMPERATURE", "LLM_MAX_TOKENS"}
    assert "boiling" not in str(caught.value)
    assert "99173" not in str(caught.value)


@pytest.mark.parametrize(("given", "provider"), [("NVIDIA", "nvidia"), ("my.module:Model", "my.module:Model")])
def test_a_language_model_is_a_known_name_or_an_import_path(
    monkeypatch: pytest.MonkeyPatch, given: str, provider: str
) -> None:
    monkeypatch.setenv("LLM_PROVIDER", given)
    assert load(LLMSettings) == LLMSettings(LLM_PROVIDER=provider)


def test_an_unknown_language_model_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_PROVIDER", "oracle")
    with pytest.raises(ConfigurationError, match=r"LLM_PROVIDER must be one of:.*nvidia"):
        load(LLMSettings)


def test_keys_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-geheim")
    llm = load(LLMSettings)
    assert "geheim" not in repr(llm)
    assert llm.NVIDIA_API_KEY is not None
    assert llm.NVIDIA_API_KEY.get_secret_value() == "nvapi-geheim"


def test_settings_are_read_once_and_again_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert settings.voice.VOICE_PROVIDER == "local"
    monkeypatch.setenv("VOICE_PROVIDER", "scripted")
    monkeypatch.setenv("LLM_MAX_TOKENS", "7")
    assert settings.voice.VOICE_PROVIDER == "local"
    assert settings.llm.LLM_MAX_TOKENS == 7
    settings.reload()
    assert settings.voice.VOICE_PROVIDER == "scripted"


class Config(BaseModel):
    api_key: str
    port: int = 1


def test_a_config_is_filled_from_the_first_prefix_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_API_KEY", "two")
    monkeypatch.setenv("SECOND_PORT", "22")
    monkeypatch.setenv("FIRST_PORT", "11")
    assert config_from_environment(Config, "FIRST", "SECOND") == Config(api_key="two", port=11)


def test_a_config_that_cannot_be_filled_names_all_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_PORT", "many")
    with pytest.raises(ConfigurationError) as caught:
        config_from_environment(Config, "FIRST", "SECOND")
    assert [problem.variable for problem in caught.value.problems] == [
        "FIRST_API_KEY or SECOND_API_KEY",
        "FIRST_PORT or SECOND_PORT",
    ]
