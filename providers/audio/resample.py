"""Sample-rate conversion for live audio: a polyphase FIR filter as a matrix, that answers every chunk at once."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LOWEST_HZ = 8000
HIGHEST_HZ = 48000

_PASSBAND = 0.85  # of the lower Nyquist frequency: 3400 Hz beside a telephone's 8000 Hz
_STOPBAND_DB = 66.0  # 60 are promised; the rest is for the rounding of taps and samples
_TAP_SCALE = 1 << 24  # taps are whole multiples of its inverse: float64 adds their products exactly, in any order
_MOST_PHASES = 512  # a matrix of them takes 14 MB at worst; of rates in use 11025 Hz takes most, 1.3 MB
_BLOCK = 16  # outputs made in one row of a matrix product, or the whole multiple of the phases nearest to that
_MOST_PRODUCTS = 1 << 18  # at a time: for more OpenBLAS would wake up threads, which cost more than they help


class Resampler:
    """One stream of mono PCM16 little-endian from `source_hz` to `target_hz`.

    Flat to 85 % of the lower Nyquist frequency and at least 60 dB down from all of it upwards, at a constant delay of
    `delay_s` (3.4 ms beside 8000 Hz). The output does not depend on how the input was cut into chunks, to the bit.
    Equal rates pass the samples as they are. Raises `ValueError` for rates it has no filter for.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self._bank = None if source_hz == target_hz else _filter_bank(source_hz, target_hz)
        self._odd = b""
        self._begin()

    def _begin(self) -> None:
        self._slot = 0  # of the next output in its turn, whose first window starts at the first sample held
        self._held: NDArray[np.float64] = np.zeros(self._bank.width - 1 if self._bank else 0)

    @property
    def delay_s(self) -> float:
        """How much later a sound leaves than it entered."""
        return self._bank.delay_s if self._bank else 0.0

    def process(self, pcm16: bytes) -> bytes:
        """The output that the input so far determines; half a sample waits for its other half."""
        if self._odd or len(pcm16) % 2:
            pcm16 = self._odd + pcm16
            whole = len(pcm16) & ~1
            pcm16, self._odd = pcm16[:whole], pcm16[whole:]
        if self._bank is None or not pcm16:
            return pcm16
        return self._filter(self._bank, np.frombuffer(pcm16, "<i2"))

    def flush(self) -> bytes:
        """What the delay still holds back, after which the resampler starts afresh. Half a sample is dropped."""
        self._odd = b""
        if self._bank is None:
            return b""
        tail = self._filter(self._bank, np.zeros(math.ceil(self._bank.delay_s * self._bank.source_hz), "<i2"))
        self._begin()
        return tail

    def _filter(self, bank: "_FilterBank", samples: NDArray[np.int16]) -> bytes:
        known = len(self._held)
        size = known + len(samples)
        ready = bank.outputs(size)  # of those whose windows are complete, from the beginning of the turn
        rows = -(-ready // bank.block)
        held = np.zeros(max(size, (rows - 1) * bank.step + len(bank.taps)))
        held[:known] = self._held
        held[known:size] = samples
        products = _product(bank, held, rows)[self._slot : ready]
        turns = ready // bank.up
        self._held = held[turns * bank.down : size].copy()
        self._slot = ready - turns * bank.up
        np.rint(products, out=products)
        np.minimum(products, 32767.0, out=products)  # both of them in half the time of clip
        np.maximum(products, -32768.0, out=products)
        return products.astype("<i2").tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class _FilterBank:
    """One low-pass filter taken apart into the `up` sets of taps that the outputs use in turn.

    Output n is taken at input time n * down / up: its window of `width` samples starts (relative to the first one's) at
    the whole part of that time, and it uses set n mod `up`. So a turn of `up` outputs takes `down` samples, and each
    `block` of outputs, which is some whole turns, is the same matrix, `taps`, times the samples that its windows cover.
    A block begins `step` samples after the one before.
    """

    source_hz: int
    up: int
    down: int
    width: int
    block: int
    step: int
    taps: NDArray[np.float64]
    delay_s: float

    def outputs(self, samples: int) -> int:
        """How many windows are complete in so many samples from the first one's start."""
        return max(0, -(-(samples - self.width + 1) * self.up // self.down))


@lru_cache(maxsize=16)
def _filter_bank(source_hz: int, target_hz: int) -> _FilterBank:
    """A sinc under a Kaiser window, sized by his formulas (Oppenheim, Schafer: Discrete-Time Signal Processing)."""
    common = math.gcd(source_hz, target_hz)
    up, down = target_hz // common, source_hz // common
    ratio = f"cannot resample {source_hz} Hz to {target_hz} Hz"
    if min(source_hz, target_hz) < LOWEST_HZ or max(source_hz, target_hz) > HIGHEST_HZ:
        raise ValueError(f"{ratio}: rates go from {LOWEST_HZ} to {HIGHEST_HZ} Hz")
    if up > _MOST_PHASES:
        raise ValueError(f"{ratio}: they have too little in common, {up}:{down}")
    edge_hz = min(source_hz, target_hz) / 2
    transition_hz = (1 - _PASSBAND) * edge_hz
    width = math.ceil((_STOPBAND_DB - 7.95) / (14.36 * transition_hz) * source_hz)
    filter_hz = source_hz * up
    half = (width * up - 1) / 2
    times = np.arange(width * up) - half
    cutoff = (edge_hz - transition_hz / 2) / filter_hz
    taps = 2 * cutoff * np.sinc(2 * cutoff * times) * np.kaiser(width * up, 0.1102 * (_STOPBAND_DB - 8.7))
    phases = (np.rint(taps * up * _TAP_SCALE) / _TAP_SCALE).reshape(width, up).T[:, ::-1]
    block = max(1, round(_BLOCK / up)) * up
    starts = [output * down // up for output in range(block)]
    matrix = np.zeros((starts[-1] + width, block))
    for output, start in enumerate(starts):
        matrix[start : start + width, output] = phases[output * down % up]
    return _FilterBank(source_hz, up, down, width, block, block // up * down, matrix, half / filter_hz)


def _product(bank: _FilterBank, held: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """So many blocks of outputs, in a row, of the samples held."""
    products = np.empty((rows, bank.block))
    at_once = max(1, _MOST_PRODUCTS // bank.taps.size)
    for first in range(0, rows, at_once):
        size = min(at_once, rows - first), len(bank.taps)
        # Overlapping rows over one buffer, as sliding_window_view makes them at ten times the price.
        windows = np.ndarray(size, np.float64, held, first * bank.step * 8, (bank.step * 8, 8))
        np.matmul(np.ascontiguousarray(windows), bank.taps, out=products[first : first + size[0]])
    return products.reshape(-1)
