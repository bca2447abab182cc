"""What the table tells of engines that work, lack something, or cannot be imported."""

import io

import pytest
from rich.console import Console

from providers.voice.factory import SHIPPED, VoiceProviderFactory
from providers.voice.scripted import ScriptedVoiceProvider
from providers.voice.types import AudioFormat, VoiceCapabilities
from telephony.engine_table import engine_facts, engine_table


class Wired(ScriptedVoiceProvider):
    """Needs what nobody has."""

    capabilities = VoiceCapabilities(tts=False, streaming_stt=True, input_format=AudioFormat.ULAW_8000)
    languages = "Latin"
    packages = ("no_such_package",)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """The registry, put back afterwards."""
    registry: dict[str, type] = {}
    monkeypatch.setattr(VoiceProviderFactory, "_registry", registry)
    return registry


def shown() -> dict[str, str]:
    """The rows by the name of their engine, their columns a space apart."""
    out = io.StringIO()
    Console(file=out, width=160).print(engine_table())
    rows = [line.split() for line in out.getvalue().splitlines() if line.strip()]
    return {row[0]: " ".join(row[1:]) for row in rows[2:]}


def test_every_shipped_engine_has_a_row() -> None:
    assert shown().keys() == SHIPPED.keys()
    assert shown()["scripted"] == "yes after yes – – – yes"


def test_what_an_engine_lacks_is_named(registry: dict[str, type], monkeypatch: pytest.MonkeyPatch) -> None:
    registry["wired"] = Wired
    assert shown()["wired"] == "no live – in – Latin install no_such_package"
    monkeypatch.setattr(Wired, "packages", ())
    assert shown()["wired"].endswith("Latin yes")
    assert engine_facts("deepgram").unset == ("DEEPGRAM_API_KEY",)
    assert shown()["deepgram"] == "yes live yes both yes en, others set DEEPGRAM_API_KEY"
    monkeypatch.setitem(SHIPPED, "lost", "no.such.module:Thing")
    assert shown()["lost"].startswith("no – – – – – cannot import no.such.module:Thing")
