import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.voice.local.mel import _filters, log_mel, samples_of
from tests.providers.voice.local.sounds import noise, silence, tone


@given(st.binary())
def test_samples_are_the_whole_ones_scaled(pcm: bytes) -> None:
    samples = samples_of(pcm)
    assert samples.dtype == np.float32
    assert len(samples) == len(pcm) // 2
    assert all(-1 <= sample < 1 for sample in samples.tolist())


def test_samples_are_signed_and_little_endian() -> None:
    assert samples_of(b"\x00\x80\x00\x40\xff") == pytest.approx([-1.0, 0.5])


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("heard_s", [0.0, 0.013, 1.0, 3.0])
def test_the_shape_is_that_of_the_window_whatever_was_heard(bands: int, heard_s: float) -> None:
    spectrogram = log_mel(noise(heard_s, -20) if heard_s else silence(0), 2.0, bands)
    assert spectrogram.shape == (bands, 200)
    assert spectrogram.dtype == np.float32


@pytest.mark.parametrize("level", [-10, -30])
def test_values_span_eight_decades_below_the_maximum_at_any_level(level: int) -> None:
    spectrogram = log_mel(np.concatenate([noise(0.5, level), silence(0.5)]), 1.0)
    assert spectrogram.max() - spectrogram.min() == pytest.approx(2.0)


def test_ten_times_the_amplitude_is_two_decades_of_power() -> None:
    quiet, loud = (log_mel(tone(1000, 1.0, amplitude=amplitude), 1.0) for amplitude in (0.05, 0.5))
    assert loud.max() - quiet.max() == pytest.approx(2 / 4, abs=1e-4)


@pytest.mark.parametrize(("hertz", "band"), [(500, 12), (1000, 26), (4000, 62)])
def test_a_tone_shows_in_its_band(hertz: float, band: int) -> None:
    """The band whose centre is nearest on Slaney's scale: 15 mel at 1 kHz, 45.2 at 8 kHz, 80 bands between."""
    spectrogram = log_mel(tone(hertz, 1.0), 1.0)
    assert abs(int(spectrogram[:, 50].argmax()) - band) <= 1


def test_time_runs_along_the_second_axis() -> None:
    spectrogram = log_mel(np.concatenate([silence(0.5), tone(1000, 0.5)]), 1.0)
    assert spectrogram[:, :45].max() < spectrogram[:, 55:].max() - 1


def test_the_filters_are_the_ones_whisper_was_trained_with() -> None:
    """The first weight and the area of each triangle, as the Slaney scale gives them for 16 kHz and 400 points."""
    assert _filters(80)[0, :3] == pytest.approx([0.0, 0.02486259, 0.0])
    assert _filters(80)[60:].sum(axis=1) * 40 == pytest.approx(np.ones(20), rel=0.02)
