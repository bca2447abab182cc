import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio.resample import Resampler
from tests.providers.audio.signals import PAIRS, RATES, decibels, noise, pcm16, rms, samples, tone

pairs = st.sampled_from(PAIRS)
each_pair = pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)


def resampled(pcm: bytes, source_hz: int, target_hz: int) -> bytes:
    resampler = Resampler(source_hz, target_hz)
    return resampler.process(pcm) + resampler.flush()


def steady(pcm: bytes, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The middle of it, clear of the filter's beginning and end."""
    edge = rate_hz // 50
    return np.asarray(samples(pcm)[edge:-edge])


@given(pairs, st.binary(max_size=3000), st.lists(st.integers(0, 400), max_size=40))
def test_chunks_do_not_show(pair: tuple[int, int], audio: bytes, cuts: list[int]) -> None:
    resampler = Resampler(*pair)
    pieces, rest = [], audio
    for cut in cuts:
        pieces.append(resampler.process(rest[:cut]))
        rest = rest[cut:]
    pieces += [resampler.process(rest), resampler.flush()]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == resampled(audio, *pair)


@each_pair
def test_chunks_of_loud_noise_do_not_show(source_hz: int, target_hz: int) -> None:
    audio = noise(source_hz // 2, rms=20000)
    whole = resampled(audio, source_hz, target_hz)
    for size in (319, source_hz // 50 * 2):
        resampler = Resampler(source_hz, target_hz)
        pieces = [resampler.process(audio[start : start + size]) for start in range(0, len(audio), size)]
        assert b"".join(pieces) + resampler.flush() == whole


@each_pair
def test_every_chunk_is_answered_in_full(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    given_samples = taken_samples = 0
    for start in range(0, source_hz, source_hz // 50):
        chunk = noise(len(range(start, min(start + source_hz // 50, source_hz))))
        given_samples += len(chunk) // 2
        taken_samples += len(resampler.process(chunk)) // 2
        assert taken_samples == math.ceil(given_samples * target_hz / source_hz)


@each_pair
def test_delay_is_as_told_and_short(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    assert resampler.delay_s <= 0.005
    click_at = source_hz // 100
    click = np.zeros(source_hz // 20)
    click[click_at] = 30000
    heard = samples(resampler.process(pcm16(click)))
    weights = np.abs(heard) ** 2
    centre = float(np.sum(np.arange(len(heard)) * weights) / np.sum(weights))
    assert centre / target_hz == pytest.approx(
        click_at / source_hz + resampler.delay_s, abs=0.25 / min(source_hz, target_hz)
    )


@each_pair
def test_flush_gives_back_the_delay_and_starts_afresh(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    audio = tone(500, source_hz, 0.05)
    first = resampler.process(audio) + resampler.flush()
    assert len(first) / 2 / target_hz == pytest.approx(0.05 + resampler.delay_s, abs=2 / 8000)
    assert resampler.process(audio) + resampler.flush() == first


@each_pair
@pytest.mark.parametrize("frequency_hz", [300, 1000, 2500, 3400])
def test_the_voice_band_passes_unchanged(source_hz: int, target_hz: int, frequency_hz: int) -> None:
    before = tone(frequency_hz, source_hz)
    after = resampled(before, source_hz, target_hz)
    assert abs(decibels(rms(steady(after, target_hz)) / rms(steady(before, source_hz)))) < 0.1


@given(pairs.filter(lambda pair: pair[0] > pair[1]), st.floats(0, 1))
def test_what_would_alias_is_gone(pair: tuple[int, int], place: float) -> None:
    source_hz, target_hz = pair
    frequency_hz = target_hz / 2 + place * (source_hz - target_hz) / 2
    after = resampled(tone(frequency_hz, source_hz), source_hz, target_hz)
    assert decibels(rms(steady(after, target_hz)) / (20000 / math.sqrt(2))) < -60


@given(pairs.filter(lambda pair: pair[0] < pair[1]), st.floats(0.02, 1))
def test_images_are_gone(pair: tuple[int, int], place: float) -> None:
    source_hz, target_hz = pair
    tone_hz = place * source_hz / 2
    after = steady(resampled(tone(tone_hz, source_hz), source_hz, target_hz), target_hz)
    times = np.arange(len(after)) / target_hz
    wave = np.stack([np.sin(2 * np.pi * tone_hz * times), np.cos(2 * np.pi * tone_hz * times)], axis=1)
    residue = after - wave @ np.linalg.lstsq(wave, after)[0]
    assert decibels(rms(residue) / (20000 / math.sqrt(2))) < -60


@given(pairs, st.integers(-32768, 32767))
def test_a_constant_stays_what_it_is(pair: tuple[int, int], level: int) -> None:
    source_hz, target_hz = pair
    after = resampled(pcm16(np.full(source_hz // 10, float(level))), source_hz, target_hz)
    assert np.all(np.abs(steady(after, target_hz) - level) <= 1 + abs(level) * 0.001)


@each_pair
def test_overshoot_saturates(source_hz: int, target_hz: int) -> None:
    square = np.where(np.arange(source_hz // 5) * 200 // source_hz % 2 == 0, 32767.0, -32768.0)
    after = steady(resampled(pcm16(square), source_hz, target_hz), target_hz)
    turns = np.count_nonzero(np.diff(np.sign(after)))
    assert turns == pytest.approx(0.16 * 200, abs=1)
    assert after.max() == 32767
    assert after.min() == -32768


@pytest.mark.parametrize("rate_hz", RATES)
def test_equal_rates_pass_the_samples(rate_hz: int) -> None:
    resampler = Resampler(rate_hz, rate_hz)
    chunk = noise(160)
    assert resampler.process(chunk) is chunk
    assert resampler.process(b"abc") == b"ab"
    assert resampler.process(b"d") == b"cd"
    assert resampler.flush() == b""
    assert resampler.delay_s == 0


def test_half_a_sample_is_dropped_at_the_end() -> None:
    resampler = Resampler(8000, 8000)
    resampler.process(b"a")
    resampler.flush()
    assert resampler.process(b"bc") == b"bc"


@pytest.mark.parametrize(
    ("source_hz", "target_hz"), [(8000, 96000), (4000, 8000), (0, 8000), (-8000, 8000), (8000, 44101)]
)
def test_rates_without_a_filter(source_hz: int, target_hz: int) -> None:
    with pytest.raises(ValueError, match=f"cannot resample {source_hz} Hz to {target_hz} Hz"):
        Resampler(source_hz, target_hz)
