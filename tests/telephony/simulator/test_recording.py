"""The stereo recording of a call."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from providers.audio import mulaw
from telephony.simulator.recording import NoRecording, WavRecording


def read(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def decoded(ulaw: bytes) -> list[int]:
    return list(np.frombuffer(mulaw.decode(ulaw), "<i2"))


def test_the_caller_is_left_and_the_bot_right(tmp_path: Path) -> None:
    with WavRecording(tmp_path / "new" / "call.wav") as recording:
        recording.record(b"\x20" * 160, b"\xa0" * 150)
        recording.record(b"\x21" * 160, b"\xa1" * 100)
    samples = read(tmp_path / "new" / "call.wav")
    assert list(samples[:, 0]) == decoded(b"\x20" * 160 + b"\x21" * 160)
    assert list(samples[:, 1]) == decoded(b"\xa0" * 150 + b"\xa1" * 100 + b"\xff" * 70)


def test_a_gap_between_streams_is_silent_on_both_sides(tmp_path: Path) -> None:
    with WavRecording(tmp_path / "call.wav") as recording:
        recording.align(0.1)
        recording.record(b"\x20" * 8000, b"\xa0" * 8010)
        recording.align(2.0)
        recording.record(b"\x21" * 8, b"\xa1" * 8)
        recording.align(0.5)
    samples = read(tmp_path / "call.wav")
    assert len(samples) == 16008
    assert not samples[:800].any()
    assert not samples[8810:16000].any()
    assert list(samples[16000:, 0]) == decoded(b"\x21" * 8)


@settings(max_examples=25)
@given(pieces=st.lists(st.tuples(st.binary(max_size=9000), st.binary(max_size=9000)), max_size=6))
def test_both_tracks_are_whole(tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bytes, bytes]]) -> None:
    path = tmp_path_factory.mktemp("recording") / "call.wav"
    with WavRecording(path) as recording:
        for caller, bot in pieces:
            recording.record(caller, bot)
    samples = read(path)
    left, right = b"".join(caller for caller, _ in pieces), b"".join(bot for _, bot in pieces)
    assert len(samples) == max(len(left), len(right))
    assert list(samples[: len(left), 0]) == decoded(left)
    assert list(samples[: len(right), 1]) == decoded(right)


def test_no_recording_takes_everything() -> None:
    recorder = NoRecording()
    recorder.align(1.0)
    recorder.record(b"\x20", b"")
