"""Speech that carries its text, through everything that may be done to it on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from telephony.audio.loudness import LoudnessEngine
from telephony.scenarios.sounds import CHARACTER_S, Reader, noise, quieter, speech

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def read(*pieces: bytes) -> list[str]:
    reader = Reader()
    for piece in pieces:
        reader.feed(piece)
    return reader.pieces


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(1, 700), st.booleans())
def test_what_is_said_can_be_read_however_it_is_cut(texts: list[str], size: int, quiet: bool) -> None:
    audio = mulaw.SILENCE * 3 + b"".join(speech(text, quiet=quiet) for text in texts)
    assert read(*(audio[start : start + size] for start in range(0, len(audio), size))) == texts


@given(TEXTS, st.data())
def test_a_character_counts_from_its_middle_on_and_once(text: str, data: st.DataObject) -> None:
    audio = speech(text)
    cut = data.draw(st.integers(0, len(audio)))
    before, after = "".join(read(audio[:cut])), "".join(read(audio[cut:]))
    in_a_group = abs(cut - (len(before) + 0.5) * CHARACTER_S * 8000) <= 8
    assert before + after == text or (in_a_group and len(before + after) == len(text) - 1)
    assert len(before) == pytest.approx(cut / 8000 / CHARACTER_S, abs=0.52)


def test_speech_lasts_as_long_as_its_text() -> None:
    assert len(speech("Hello.")) == round(6 * CHARACTER_S * 8000)


@pytest.mark.parametrize(("sound", "loud"), [(speech("aé"), 1.0), (speech("aé", quiet=True), 0.0), (noise(1), 1.0)])
def test_a_detector_of_loudness_hears_speech_and_noise_but_not_what_is_quiet(sound: bytes, loud: float) -> None:
    windows = np.frombuffer(mulaw.decode(sound[:512]), dtype="<i2").reshape(2, 256)
    assert LoudnessEngine().run([0, 1], windows) == [loud, loud]


def test_noise_says_nothing_and_silence_stays_silence() -> None:
    assert read(noise(5.0)) == []
    assert noise(0.5) == noise(0.5)
    assert quieter(b"\xff\x7f" * 80) == b"\xff\x7f" * 80
    assert read(quieter(speech("echo"))) == ["echo"]


def test_a_damaged_character_is_read_as_something_and_breaks_nothing() -> None:
    damaged = bytes((0x02, 0x1F, 0x1F, 0x1F, 0x1F, 0x1F, 0x1F, 0x90))
    assert read(damaged) == [chr(0x10FFFF)]
