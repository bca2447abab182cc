import subprocess
import sys

import pytest

from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.voice.factory import SHIPPED, VoiceProviderFactory
from providers.voice.failover import FailoverVoiceProvider
from providers.voice.local import LocalVoiceProvider
from providers.voice.scripted import ScriptedVoiceProvider
from tests.providers.voice.engines import EchoProvider

ECHO = f"{EchoProvider.__module__}:EchoProvider"


def test_the_setting_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_PROVIDER", "Scripted")
    assert isinstance(VoiceProviderFactory.create_provider(), ScriptedVoiceProvider)


def test_an_argument_wins_over_the_setting() -> None:
    assert isinstance(VoiceProviderFactory.create_provider(), LocalVoiceProvider)
    assert isinstance(VoiceProviderFactory.create_provider("SCRIPTED"), ScriptedVoiceProvider)


def test_every_call_gets_an_instance_of_its_own() -> None:
    first, second = (VoiceProviderFactory.create_provider("scripted") for _ in range(2))
    assert first is not second
    assert not first.is_connected


def test_a_change_of_settings_counts_from_the_next_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_TTS_VOICE", "emma")
    engine = VoiceProviderFactory.create_provider("local")
    assert isinstance(engine, LocalVoiceProvider)
    assert engine.config.tts_voice == "emma"


def test_an_import_path_needs_no_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARROT_API_KEY", "k")
    assert type(VoiceProviderFactory.create_provider(ECHO)).__name__ == "EchoProvider"


def test_a_registered_engine_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VoiceProviderFactory, "_registry", {})
    monkeypatch.setenv("PARROT_API_KEY", "k")
    VoiceProviderFactory.register("Parrot", EchoProvider)
    assert isinstance(VoiceProviderFactory.create_provider("parrot"), EchoProvider)


def test_a_list_makes_one_engine_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARROT_API_KEY", "k")
    monkeypatch.setenv("VOICE_PROVIDER", f"Scripted, {ECHO},scripted")
    engine = VoiceProviderFactory.create_provider()
    assert isinstance(engine, FailoverVoiceProvider)
    assert engine.config.provider_name == f"scripted,{ECHO}"
    assert [type(member).__name__ for member in engine.engines] == ["ScriptedVoiceProvider", "EchoProvider"]


def test_what_is_wrong_with_one_of_a_list_is_told() -> None:
    with pytest.raises(ConfigurationError, match="Unknown voice provider: oracle"):
        VoiceProviderFactory.create_provider("scripted,oracle")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        (",", "Unknown voice provider"),
        ("oracle", "Unknown voice provider: oracle .known: .*local, .*scripted"),
        ("no.such.module:Thing", "cannot import no.such.module:Thing"),
        (f"{EchoProvider.__module__}:NoSuchClass", "cannot import"),
        (f"{EchoProvider.__module__}:Unrelated", "is not a BaseVoiceProvider"),
    ],
)
def test_what_is_no_engine_is_a_configuration_error(name: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        VoiceProviderFactory.create_provider(name)
    assert caught.value.problems[0].variable == "VOICE_PROVIDER"


def test_importing_the_factory_loads_no_engine_and_warns_of_nothing() -> None:
    """Every command of the program imports it, also those that need no speech."""
    program = (
        "import sys, providers.voice.factory;"
        "print(*{'numpy', 'onnxruntime', 'ctranslate2', 'grpc', 'hibari', 'httpx', 'langchain_core'} & {*sys.modules})"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, check=True, text=True)  # noqa: S603 - our own program
    assert result.stdout.strip() == ""
    assert result.stderr == ""


@pytest.mark.parametrize("name", sorted(SHIPPED.keys() - {"scripted"}))
def test_every_engine_says_which_setting_holds_its_voice(name: str) -> None:
    assert VoiceProviderFactory.provider_class(name).voice_setting in VoiceSettings.model_fields
