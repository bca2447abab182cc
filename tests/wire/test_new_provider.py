"""Engines written from the owner's document alone, by its words: they take part in calls, and its steps work here."""

import asyncio
import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

from providers.voice.factory import VoiceProviderFactory
from telephony.settings import environment_with
from telephony.simulator.caller import Say
from telephony.simulator.voice import Voice
from tests.wire import seed
from tests.wire.conftest import Open
from tests.wire.lines import INTERRUPT, PARTING, PRICE
from tests.wire.office import GOODBYE, GREETING, ROOT, assert_in_order, in_a_process, reported


@pytest.mark.parametrize("way", ["import path", "register", "entry point"])
async def test_a_provider_outside_the_project_takes_a_whole_call(
    open_office: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    (tmp_path / "myprovider_module.py").write_text(seed.MY_PROVIDER)
    (tmp_path / "myprovider_sdk.py").write_text(seed.MY_PROVIDER_SDK)
    monkeypatch.setattr(VoiceProviderFactory, "_registry", {})
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    name = "myprovider"
    match way:
        case "import path":
            name = "myprovider_module:MyProvider"
        case "register":
            VoiceProviderFactory.register(name, importlib.import_module("myprovider_module").MyProvider)
        case _:
            package = tmp_path / "my_provider-1.0.dist-info"
            package.mkdir()
            (package / "METADATA").write_text("Metadata-Version: 2.1\nName: my-provider\nVersion: 1.0\n")
            (package / "entry_points.txt").write_text("[offhook.voice]\nmyprovider = myprovider_module:MyProvider\n")
    try:
        async with open_office(VOICE_PROVIDER=name, MY_PROVIDER_API_KEY="mp_secret") as office:
            report = await office.call(Say(INTERRUPT), Say(PARTING))
    finally:
        for module in ("myprovider_module", "myprovider_sdk"):
            sys.modules.pop(module, None)

    assert reported(report, "caller_said") == [INTERRUPT, PARTING]
    assert reported(report, "bot_said") == [GREETING, PRICE, GOODBYE]
    assert report.reason == "the bot hung up over REST"
    assert_in_order(report)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project in which the document's steps have been taken, voice and language model."""
    tree = tmp_path / "tree"
    for package in ("providers", "agent", "telephony"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    (tree / "myprovider_sdk.py").write_text(seed.MY_PROVIDER_SDK)
    (tree / "langchain_myprovider.py").write_text(seed.LLM_PACKAGE)

    (tree / "providers/voice/myprovider.py").write_text(seed.MY_PROVIDER)
    factory = tree / "providers/voice/factory.py"
    factory.write_text(factory.read_text() + seed.REGISTRATION)
    insert(factory, seed.FACTORY_BRANCH, before=r"\n        return cls\._registry\[provider_name\]\.from_settings")
    settings = tree / "providers/settings.py"
    insert(settings, "from typing import Optional\n", before="from functools import")
    insert(settings, seed.VOICE_SETTINGS, before=r"\n\nclass LLMSettings")
    llm_factory = tree / "agent/llm_factory.py"
    insert(llm_factory, seed.LLM_IMPORT, before="import langsmith")
    insert(llm_factory, seed.LLM_BRANCH, before=r"\n        if llm is None:")
    replace(settings, r'\n    @field_validator\("LLM_PROVIDER"\).*?return ",".*?\n', seed.LLM_SETTINGS)
    (tree / "tests/unit").mkdir(parents=True)
    (tree / "tests/unit/test_myprovider.py").write_text(seed.MY_PROVIDER_TEST)
    (tree / "tests/unit/test_myprovider_llm.py").write_text(seed.LLM_TEST)
    return tree


def insert(path: Path, text: str, before: str) -> None:
    """As an author would with an editor: `before` must be there, once."""
    found, count = re.subn(f"(?={before})", text.replace("\\", r"\\"), path.read_text())
    assert count == 1, f"{path.name}: {before} found {count} times"
    path.write_text(found)


def replace(path: Path, pattern: str, text: str) -> None:
    found, count = re.subn(pattern, lambda _: text, path.read_text(), flags=re.DOTALL)
    assert count == 1, f"{path.name}: {pattern} found {count} times"
    path.write_text(found)


async def test_the_documents_own_steps_and_tests_work(tree: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"),
        cwd=tree,
        env=environment_with(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"3 passed" in output


async def test_engines_added_by_the_documents_steps_take_a_call(
    tree: Path, tmp_path: Path, caller_voice: Voice
) -> None:
    named = {"VOICE_PROVIDER": "myprovider", "LLM_PROVIDER": "myprovider", "MY_PROVIDER_API_KEY": "mp_secret"}
    async with in_a_process(tmp_path, caller_voice, named, cwd=tree) as office:
        report = await office.call(Say(INTERRUPT))

    assert reported(report, "caller_said") == [INTERRUPT]
    assert reported(report, "bot_said") == [GREETING, "I am default-model."]
    assert report.reason == "the caller hung up"
    assert_in_order(report)
