"""What the audio path costs, and what the resampler's settings do to speech: delay, ripple, aliases."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from providers.audio import mulaw, resample
from providers.audio.resample import Resampler
from providers.errors import ConfigurationError
from telephony.audio.vad import WINDOW_S, WINDOW_SAMPLES, load_engine
from tests.bench.results import Row

ENGINE_RATES = (8000, 16000, 22050, 24000, 44100, 48000)
"""What speech engines take and give, in Hz."""
SETTINGS = ((0.80, 66.0), (0.85, 66.0), (0.90, 66.0), (0.85, 50.0), (0.85, 80.0))
"""Passband, as a share of the lower Nyquist frequency, and stopband in dB; the second is ours."""

_BATCHES = 7
_BATCH_S = 0.05
_TONE_S = 0.25
_SETTLED = 0.3  # of a tone is left out, where the filter fills
_LEVEL = 16000


def cost_us(work: Callable[[], object]) -> float:
    """Microseconds that one call of `work` takes: the median of several batches, after a warm-up."""
    work()
    began_at = perf_counter()
    work()
    count = max(1, int(_BATCH_S / max(perf_counter() - began_at, 1e-7)))
    times: list[float] = []
    for _ in range(_BATCHES):
        began_at = perf_counter()
        for _ in range(count):
            work()
        times.append((perf_counter() - began_at) / count)
    return median(times) * 1e6


def costs() -> list[Row]:
    """μ-law and resampling, 20 ms and 1 s at a time."""
    rows: list[Row] = []

    def add(name: str, work: Callable[[bytes], object], second: bytes) -> None:
        fiftieth = second[: len(second) // 50 // 2 * 2]
        rows.append(
            {"work": name, "µs per 20 ms": cost_us(lambda: work(fiftieth)), "µs per 1 s": cost_us(lambda: work(second))}
        )

    pcm = _tone(1000, 8000, 1.0).tobytes()
    add("μ-law to PCM", mulaw.decode, mulaw.encode(pcm))
    add("PCM to μ-law", mulaw.encode, pcm)
    for rate in ENGINE_RATES[1:]:
        add(f"resample 8000 to {rate}", Resampler(8000, rate).process, pcm)
        add(f"resample {rate} to 8000", Resampler(rate, 8000).process, _tone(1000, rate, 1.0).tobytes())
    return rows


def detection() -> list[Row]:
    """The voice detector, for one call and for many in one run."""
    try:
        engine = load_engine()
    except ConfigurationError as error:
        return [{"calls in a run": str(error)}]
    rows: list[Row] = []
    noise = np.random.default_rng(1).integers(-2000, 2000, (64, WINDOW_SAMPLES)).astype(np.int16)
    for calls in (1, 2, 4, 8, 16, 32, 64):
        run_us = cost_us(partial(engine.run, range(calls), noise[:calls]))
        rows.append(
            {
                "calls in a run": calls,
                "µs per run": run_us,
                "µs per window": run_us / calls,
                "CPU ms per call-s": run_us / calls / WINDOW_S / 1000,
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class Response:
    """A resampler looked at from outside. Levels in dB relative to the tone that went in."""

    source_hz: int
    target_hz: int
    tones_hz: NDArray[np.float64]
    gain_db: NDArray[np.float64]
    strays_db: NDArray[np.float64]
    delay_ms: float
    cost_us: float

    @property
    def ripple_db(self) -> float:
        """Between the loudest and the softest tone of the telephone's band."""
        band = self.gain_db[(self.tones_hz >= 300) & (self.tones_hz <= 3400)]
        return float(band.max() - band.min())

    @property
    def rejection_db(self) -> float:
        """How far below a tone everything is that was not in it: aliases, images, rounding."""
        return float(-self.strays_db.max())


def respond(source_hz: int, target_hz: int) -> Response:
    """Measure one direction with tones from 100 Hz to the source's Nyquist frequency."""
    tones = np.concatenate((np.arange(100.0, 4000.0, 100.0), np.arange(4000.0, source_hz / 2, 250.0)))
    gains, strays = zip(*(_through(source_hz, target_hz, tone) for tone in tones), strict=True)
    second = _tone(1000, source_hz, 0.02).tobytes()
    resampler = Resampler(source_hz, target_hz)
    return Response(
        source_hz,
        target_hz,
        tones,
        np.array(gains),
        np.array(strays),
        resampler.delay_s * 1000,
        cost_us(lambda: resampler.process(second)),
    )


def settings(pairs: Sequence[tuple[int, int]] = ((24000, 8000), (8000, 16000))) -> list[tuple[str, Response]]:
    """Every setting's response, by its name."""
    found: list[tuple[str, Response]] = []
    for passband, stopband_db in SETTINGS:
        with _setting(passband, stopband_db):
            found += [(f"{passband:.0%} and {stopband_db:.0f} dB", respond(*pair)) for pair in pairs]
    return found


def as_rows(found: Sequence[tuple[str, Response]]) -> list[Row]:
    return [
        {
            "setting": name,
            "Hz": f"{response.source_hz} to {response.target_hz}",
            "delay ms": response.delay_ms,
            "rejection dB": response.rejection_db,
            "ripple dB, 300-3400 Hz": response.ripple_db,
            "µs per 20 ms": response.cost_us,
        }
        for name, response in found
    ]


def plot(found: Sequence[tuple[str, Response]], path: Path) -> None:
    """Draw what each setting passes and what it lets stray, one panel a direction."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "offhook"
    import matplotlib.pyplot as plt

    pairs = list(dict.fromkeys((item.source_hz, item.target_hz) for _, item in found))
    figure, panels = plt.subplots(2, len(pairs), figsize=(11, 7), squeeze=False, sharey="row")
    for column, pair in enumerate(pairs):
        for name, item in found:
            if (item.source_hz, item.target_hz) == pair:
                panels[0][column].plot(item.tones_hz, item.gain_db, label=name)
                panels[1][column].plot(item.tones_hz, item.strays_db, label=name)
        panels[0][column].set(title=f"{pair[0]} to {pair[1]} Hz", xlim=(0, 4400), ylim=(-12, 1), ylabel="passes, dB")
        panels[1][column].set(ylim=(-110, 0), ylabel="strays, dB", xlabel="tone, Hz")
        panels[1][column].axhline(-60, color="black", linewidth=0.7)
    panels[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _through(source_hz: int, target_hz: int, tone_hz: float) -> tuple[float, float]:
    """A tone's level behind the resampler, and that of all else there."""
    audio = Resampler(source_hz, target_hz).process(_tone(tone_hz, source_hz, _TONE_S).tobytes())
    samples = np.frombuffer(audio, "<i2").astype(np.float64)
    samples = samples[int(len(samples) * _SETTLED) :]
    times = np.arange(len(samples)) / target_hz
    passed = np.zeros(len(samples))
    if tone_hz < target_hz / 2:
        basis = np.stack((np.sin(2 * np.pi * tone_hz * times), np.cos(2 * np.pi * tone_hz * times)))
        passed = np.linalg.lstsq(basis.T, samples, rcond=None)[0] @ basis
    return _db(passed), _db(samples - passed)


def _db(samples: NDArray[np.float64]) -> float:
    return float(20 * np.log10(max(float(np.sqrt(np.mean(samples**2))), 1e-3) / (_LEVEL / np.sqrt(2))))


def _tone(hz: float, rate_hz: int, seconds: float) -> NDArray[np.int16]:
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.rint(_LEVEL * np.sin(2 * np.pi * hz * times)).astype(np.int16)


@contextmanager
def _setting(passband: float, stopband_db: float) -> Iterator[None]:
    """The resampler with another setting, for as long as it takes to look at it."""
    ours = resample._PASSBAND, resample._STOPBAND_DB
    try:
        resample._PASSBAND, resample._STOPBAND_DB = passband, stopband_db
        resample._filter_bank.cache_clear()
        yield
    finally:
        resample._PASSBAND, resample._STOPBAND_DB = ours
        resample._filter_bank.cache_clear()
