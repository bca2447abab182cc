"""Sample-rate conversion for live audio: a polyphase FIR filter that answers every chunk at once."""

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
_MOST_PHASES = 1024  # a bank of them takes up to 0.5 MB
_FEW_PHASES = 8  # up to here a product per phase is quicker than one over gathered windows
_GATHERED = 8192  # samples gathered at a time: arrays beyond 128 kB are mapped and unmapped, dearer than the sums


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
        self._slot = 0  # of the next output, whose window starts at the first sample held
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
        held = np.concatenate((self._held, samples), dtype=np.float64)
        origin = bank.window_start(self._slot)
        complete = max(0, len(held) - bank.width + 1)  # windows, one at each input sample
        count = bank.first_slot_at(origin + complete) - self._slot
        if bank.down == 1:
            products = _by_correlation(bank, held, count)
        else:
            # Overlapping rows over one buffer, as sliding_window_view makes them at ten times the price.
            windows = np.ndarray((complete, bank.width), np.float64, held, 0, (held.itemsize, held.itemsize))
            products = (_by_phase if bank.up <= _FEW_PHASES else _by_gathering)(bank, windows, self._slot, count)
        self._held = held[bank.window_start(self._slot + count) - origin :].copy()
        self._slot = (self._slot + count) % bank.up
        np.rint(products, out=products)
        return products.clip(-32768.0, 32767.0, out=products).astype("<i2").tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class _FilterBank:
    """One low-pass filter taken apart into the `up` sets of taps that the outputs use in turn.

    Output n is taken at input time n * down / up: its slot is n, its window of `width` samples starts (relative to the
    first one's) at the whole part of that time, and its taps are the row n mod `up`.
    """

    source_hz: int
    up: int
    down: int
    width: int
    rows: NDArray[np.float64]
    starts: NDArray[np.intp]
    delay_s: float

    def window_start(self, slot: int) -> int:
        return slot * self.down // self.up

    def first_slot_at(self, start: int) -> int:
        """The first slot whose window starts at `start` or later."""
        return -(-start * self.up // self.down)


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
    slots = np.arange(up)
    phases = (np.rint(taps * up * _TAP_SCALE) / _TAP_SCALE).reshape(width, up).T[:, ::-1]
    rows = np.ascontiguousarray(phases[slots * down % up])
    return _FilterBank(source_hz, up, down, width, rows, slots * down // up, half / filter_hz)


def _by_correlation(bank: _FilterBank, held: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """`count` outputs where every input sample begins a window for each phase: rates that are multiples."""
    products = np.empty(count)
    if count:
        for phase, row in enumerate(bank.rows):
            products[phase :: bank.up] = np.correlate(held, row)
    return products


def _by_phase(bank: _FilterBank, windows: NDArray[np.float64], slot: int, count: int) -> NDArray[np.float64]:
    """`count` outputs from `slot` on, the outputs of one phase at a time: their windows lie `down` samples apart."""
    products = np.empty(count)
    for first in range(min(bank.up, count)):
        start = bank.window_start(slot + first) - bank.window_start(slot)
        turn = products[first :: bank.up]
        np.vecdot(windows[start :: bank.down][: len(turn)], bank.rows[(slot + first) % bank.up], out=turn)
    return products


def _by_gathering(bank: _FilterBank, windows: NDArray[np.float64], slot: int, count: int) -> NDArray[np.float64]:
    """The same with windows gathered in output order, for ratios that come back to a phase only rarely."""
    products = np.empty(count)
    origin = bank.window_start(slot)
    done = 0
    while done < count:
        row = (slot + done) % bank.up
        run = min(count - done, bank.up - row, max(1, _GATHERED // bank.width))
        starts = bank.starts[row : row + run] + (bank.window_start(slot + done) - bank.window_start(row) - origin)
        np.vecdot(windows[starts], bank.rows[row : row + run], out=products[done : done + run])
        done += run
    return products
