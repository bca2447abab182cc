"""The engine that the documentation shows can be made and used as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from providers.voice.base import BaseVoiceProvider
from providers.voice.factory import VoiceProviderFactory

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "adding-providers.md"


async def test_the_class_of_the_first_step_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    (source, *_) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    module: dict[str, Any] = {"__name__": "myprovider"}
    exec(compile(source.replace(" ...\n", " pass\n"), PAGE.name, "exec"), module)  # noqa: S102 - our own page
    monkeypatch.setattr(VoiceProviderFactory, "_registry", {})
    monkeypatch.setenv("MY_PROVIDER_API_KEY", "k")
    VoiceProviderFactory.register("myprovider", module["MyProvider"])

    engine: BaseVoiceProvider = VoiceProviderFactory.create_provider("myprovider")
    async with engine:
        assert [chunk async for chunk in engine.text_to_speech("Hello.")] == [b"..."]
