"""Engines on trial, sound and unsound, in invented time."""

import asyncio
import io
from dataclasses import replace

import pytest
from rich.console import Console

from providers.errors import ConfigurationError, ProviderException, TTSError
from providers.voice.factory import VoiceProviderFactory
from providers.voice.scripted import ScriptedVoiceProvider
from telephony import engine_check
from telephony.engine_check import SENTENCE, show_trial, try_engine
from tests.providers.voice.standby import AWAY, NATIVE, STREAMING, Script, StandBy, in_invented_time, utterance


@in_invented_time
async def test_an_engine_speaks_and_hears_itself_and_its_times_are_taken() -> None:
    engine = StandBy("good morning", Script(connect_s=0.3, slow_s=0.2))
    steps: list[str] = []
    trial = await try_engine(engine, steps.append)
    assert steps == ["loading", "connecting", "speaking", "listening"]
    assert trial.connect_s == 0.3
    assert trial.first_audio_s == pytest.approx(0.2)
    assert trial.text_s == pytest.approx(0.2)
    assert trial.speech_s == pytest.approx(len(SENTENCE) * 0.02)
    assert trial.text == "good morning"
    spoken = "".join(SENTENCE).encode()
    assert bytes(byte for byte in engine.heard[0][::160] if byte != 0xFF) == spoken
    assert not engine.is_connected


@in_invented_time
async def test_a_streaming_engine_hears_at_the_pace_of_a_caller() -> None:
    engine = StandBy("all", Script(finals=[("some", 0.6)]), STREAMING)
    trial = await try_engine(engine, lambda _: None)
    assert trial.speech_s is not None
    assert trial.text == "some all"
    assert trial.text_s == pytest.approx(0.5)
    assert trial.words_s == pytest.approx(0.6 - 0.5 - trial.speech_s)
    assert asyncio.get_running_loop().time() == pytest.approx(trial.speech_s + 1.0)


@in_invented_time
async def test_an_engine_of_one_direction_is_tried_in_that(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = StandBy(can=replace(NATIVE, stt=False))
    assert (await try_engine(voice, lambda _: None)).text is None
    ear = StandBy("understood", can=replace(NATIVE, tts=False))
    monkeypatch.setattr(engine_check, "STAND_IN", "scripted")
    trial = await try_engine(ear, lambda _: None)
    assert (trial.first_audio_s, trial.text) == (None, "understood")
    assert len(ear.heard[0]) > len(utterance(1.0))


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (StandBy(script=Script(connect=AWAY)), "is away"),
        (StandBy(script=Script(connect_s=31.0)), "did not connect within 30 s"),
        (StandBy(script=Script(slow_s=60.0)), "no audio for 4 s"),
        (StandBy(""), "heard no words"),
        (StandBy(script=Script(error=LookupError())), r"failed in its own code \(LookupError\)"),
        (StandBy("silent", script=Script(speaks=0, error=AWAY)), "is away"),
    ],
)
@in_invented_time
async def test_what_is_wrong_is_said_and_the_engine_let_go(engine: StandBy, reason: str) -> None:
    with pytest.raises(ProviderException, match=reason):
        await try_engine(engine, lambda _: None)
    assert engine.disconnects == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Broken(ScriptedVoiceProvider):
    """Has no voice."""

    async def connect(self) -> None:
        raise TTSError("the [key] is refused", provider="broken", operation="tts", setting="BROKEN_API_KEY")


@pytest.mark.parametrize(
    ("name", "works", "said"),
    [
        ("scripted", True, "first audio after"),
        (f"{__name__}:Broken", False, "broken tts: the [key] is refused (look at BROKEN_API_KEY)"),
    ],
)
async def test_the_outcome_is_shown(name: str, works: bool, said: str) -> None:
    out = io.StringIO()
    assert await show_trial(name, Console(file=out, width=120)) is works
    assert said in out.getvalue()


async def test_an_engine_that_cannot_be_made_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError):
        await show_trial("nobody", Console(file=io.StringIO()))
    assert "nobody" not in VoiceProviderFactory.known()
