"""Lines of a script turned into telephone audio."""

import wave
from pathlib import Path

import numpy as np
import pytest

from providers.audio import mulaw
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from telephony.simulator.caller import BargeIn, HangUp, PlayWav, Press, Say
from telephony.simulator.measure import measure_mulaw
from telephony.simulator.voice import ProviderVoice, UnusableRecording, prepare, read_wav

VOICE = ProviderVoice(lambda: ScriptedVoiceProvider(ScriptedConfig(seconds_per_character=0.05)))


def write_wav(path: Path, rate_hz: int = 16000, channels: int = 1, seconds: float = 0.5, width: int = 2) -> Path:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2")
    frames = np.concatenate([np.zeros(rate_hz // 2, "<i2"), tone])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(frames, channels).tobytes())
    return path


async def test_an_engine_speaks_at_the_rate_of_the_line() -> None:
    spoken = await VOICE.speak("0123456789")
    facts = measure_mulaw(spoken)
    assert facts.duration_s == pytest.approx(0.5, abs=0.05)
    assert facts.level_dbfs == pytest.approx(-17.8, abs=1.0)


async def test_the_scripted_engine_can_be_had_by_name() -> None:
    voice = await ProviderVoice.named("scripted")
    assert await voice.speak("hello")


async def test_a_script_is_spoken_once_a_line_and_trimmed(tmp_path: Path) -> None:
    spoken: list[str] = []

    class Counting:
        async def speak(self, text: str) -> bytes:
            spoken.append(text)
            return b"\xff" * 800 + await VOICE.speak(text) + b"\xff" * 800

    steps = (Say("hello there"), BargeIn("hello there"), Press("1"), PlayWav(write_wav(tmp_path / "a.wav")), HangUp())
    cues = await prepare(steps, Counting())
    assert spoken == ["hello there"]
    assert [cue.step for cue in cues] == list(steps)
    assert [len(cue.audio) / 8000 for cue in cues] == pytest.approx([0.55, 0.55, 0, 0.5, 0], abs=0.06)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (16000, 2), (44100, 1), (48000, 2)])
def test_wav_files_of_any_rate(tmp_path: Path, rate_hz: int, channels: int) -> None:
    audio = read_wav(write_wav(tmp_path / "a.wav", rate_hz, channels))
    [span] = measure_mulaw(audio).spans
    assert (span.start_s, span.end_s) == pytest.approx((0.5, 1.0), abs=0.03)
    assert np.abs(np.frombuffer(mulaw.decode(audio), "<i2")).max() == pytest.approx(8000, rel=0.1)


def test_files_that_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio at all")
    for path in (
        tmp_path / "missing.wav",
        tmp_path / "text.wav",
        write_wav(tmp_path / "bytes.wav", width=1),
        write_wav(tmp_path / "slow.wav", rate_hz=4000),
        write_wav(tmp_path / "long.wav", rate_hz=8000, seconds=121),
    ):
        with pytest.raises(UnusableRecording, match=path.name):
            read_wav(path)
