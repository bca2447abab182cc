"""Voice activity detection for all calls of the process: one model in one thread, run on many streams at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from providers.audio import mulaw
from providers.errors import ConfigurationError
from telephony.audio import silero
from telephony.audio.framer import Framer
from telephony.audio.gate import REMINDERS, Gate, loudness
from telephony.audio.silero import SileroEngine
from telephony.audio.webrtc import WebRtcEngine

logger = logging.getLogger(__name__)

WINDOW_SAMPLES = 256
WINDOW_S = WINDOW_SAMPLES / mulaw.RATE_HZ
AT_ONCE = 2
"""Windows of one stream waiting that a run takes: frames of 20 ms make two of them in one `gather_s` now and then."""
REMINDED_WITHIN_S = 0.1
"""How long windows that the detector is to hear, though it is not asked about them, may wait for a run."""


class VadEngine(Protocol):
    """Scores windows of speech; it remembers each stream by its number. Used from one thread, never by two at once."""

    hangover_ms: float
    """How long it goes on calling it speech after the last of it."""

    def run(self, streams: Sequence[int], windows: NDArray[np.int16]) -> list[float]:
        """The probability of speech in the next window of each stream.

        `windows` has one row of `WINDOW_SAMPLES` samples at 8000 Hz a stream; a stream not heard of before starts
        afresh. No stream stands in `streams` twice.
        """

    def forget(self, stream: int) -> None:
        """The stream has ended."""


def load_engine(model_path: str | None = None) -> VadEngine:
    """The Silero model at the path, or the packaged one, or WebRTC's detector where there is no package.

    Takes about 0.2 s, so not for the event loop. Raises `ConfigurationError` if none of them can be had.
    """
    path = Path(model_path) if model_path else silero.packaged_model()
    if path is None:
        return WebRtcEngine()
    if not path.is_file():
        raise ConfigurationError.of("VAD_MODEL_PATH", f"there is no file {path}")
    return SileroEngine(path)


class VadStream:
    """The caller's side of one call; made by `VadHub.open`, used on the event loop."""

    def __init__(self, hub: "VadHub", number: int, on_probability: Callable[[float], None], backlog: int) -> None:
        self._hub = hub
        self._number = number
        self._on_probability = on_probability
        self._backlog = backlog
        self._framer = Framer(WINDOW_SAMPLES)
        self._gate = Gate()
        self._waiting: deque[_Window] = deque()
        self._under_way = 0  # windows taken, and not answered yet
        self._reminders: deque[_Window] = deque(maxlen=REMINDERS)  # told, but the detector is to hear them all the same
        self._last = 0.0
        self._closed = False

    def feed(self, ulaw: bytes) -> None:
        """Hear this μ-law audio, of any length; the probabilities follow, at once where it takes no detector."""
        for audio in self._framer.push(ulaw):
            if self._closed:
                return
            rms = loudness(audio)
            probability = None if self._waiting or self._under_way else self._gate.judge(rms)
            if probability is None:
                self._wait(_Window(audio, rms))
            else:
                self._tell_plainly(audio, rms, probability)

    def vouch(self) -> None:
        """Words were recognised in what was fed lately: somebody talks."""
        self._gate.vouch()

    def close(self) -> None:
        """End the stream: no probability comes after this, not even one under way. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._on_probability = lambda _: None
            self._hub._forget(self._number)

    @property
    def _has_work(self) -> bool:
        return bool(self._waiting or self._reminders)

    def _wait(self, window: "_Window") -> None:
        self._waiting.append(window)
        if len(self._waiting) > self._backlog:
            oldest = self._waiting.popleft()
            self._waiting[0].dropped += oldest.dropped + 1
            self._hub._count_dropped()
        self._hub._wake(soon=len(self._waiting) > AT_ONCE)

    def _take(self) -> "list[_Window]":
        """What the detector hears next: all reminders, to which no answer is wanted, then the oldest windows."""
        wanted = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        for window in wanted:
            window.is_wanted = True
        self._under_way += len(wanted)
        taken = [*self._reminders, *wanted]
        self._reminders.clear()
        return taken

    def _deliver(self, window: "_Window", probability: float) -> None:
        """The detector's answer, after which there may be some that need no detector."""
        if not window.is_wanted:
            return
        self._under_way -= 1
        self._tell_dropped(window)
        self._tell(window.rms, probability)
        while self._waiting and not self._under_way and not self._closed:
            window = self._waiting[0]
            plain = self._gate.judge(window.rms)
            if plain is None:
                return
            self._waiting.popleft()
            self._tell_dropped(window)
            self._tell_plainly(window.audio, window.rms, plain)

    def _tell_plainly(self, audio: bytes, rms: float, probability: float) -> None:
        self._tell(rms, probability)
        if self._gate.reminds(probability):
            self._reminders.append(_Window(audio, rms))
            self._hub._wake_later()

    def _tell_dropped(self, window: "_Window") -> None:
        # A dropped window counts as the one before it: one probability a window keeps the listener's time true.
        for _ in range(window.dropped):
            self._tell(window.rms, self._last)

    def _tell(self, rms: float, probability: float) -> None:
        if not self._closed:
            self._last = probability
            self._gate.learn(rms, probability)
            self._on_probability(probability)


@dataclass(slots=True)
class _Window:
    audio: bytes
    rms: float
    dropped: int = 0
    """Windows before it that nobody heard."""
    is_wanted: bool = False
    """Whether the detector's answer is to be told."""


class VadHub:
    """The process's one detector, shared by its calls; belongs to one event loop.

    A window of which it is plain what it is, by how loud it is, is not scored. Any other is scored together with those
    that other streams have ready within `gather_s`; a lone stream does not wait, nor does any where one is behind. A
    stream more than `backlog_s` behind loses its oldest windows. A run that fails scores its windows 0, as silence, so
    that a call's own limits on silence apply; `failure` tells while that lasts.
    """

    def __init__(
        self, load: Callable[[], VadEngine] = load_engine, *, gather_s: float = 0.032, backlog_s: float = 2.0
    ) -> None:
        self._load = load
        self._gather_s = gather_s
        self._backlog = max(1, int(backlog_s / WINDOW_S))
        self._numbers = count()
        self._streams: dict[int, VadStream] = {}
        self._next: asyncio.Handle | None = None  # what begins the next run
        self._is_next_soon = False
        self._began_at = 0.0  # the last one did
        self._reminding: asyncio.TimerHandle | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._engine: VadEngine | None = None
        self._running: _Run | None = None
        self._failure: Exception | None = None
        self._dropped = 0

    @property
    def failure(self) -> Exception | None:
        """Why the last run failed, or None if it did not."""
        return self._failure

    @property
    def hangover_ms(self) -> float:
        """The loaded engine's."""
        return 0.0 if self._engine is None else self._engine.hangover_ms

    @property
    def dropped_windows(self) -> int:
        """How many windows of all streams were too old to be scored."""
        return self._dropped

    async def start(self) -> None:
        """Load the model and begin to score, once; streams may be open before. Cancelling leaves the hub unstarted.

        Raises `ConfigurationError` if no model can be had.
        """
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vad")
        try:
            self._engine = await asyncio.get_running_loop().run_in_executor(executor, self._load)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        self._executor = executor
        self._go_on()

    async def stop(self) -> None:
        """Score no more; what waits is dropped, and the model is let go. Safe to call twice."""
        for handle in (self._next, self._reminding):
            if handle is not None:
                handle.cancel()
        self._next = self._reminding = None
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._engine = self._running = None

    def open(self, on_probability: Callable[[float], None]) -> VadStream:
        """A stream that calls back on the event loop, once for each `WINDOW_S` of audio fed, in order."""
        number = next(self._numbers)
        stream = self._streams[number] = VadStream(self, number, on_probability, self._backlog)
        return stream

    def _wake(self, *, soon: bool) -> None:
        """A window waits. It is run with those that become ready meanwhile, or at once."""
        if self._engine is None or self._running is not None:
            return  # after which the others have their turn
        soon = soon or len(self._streams) == 1
        if self._next is not None:
            if self._is_next_soon or not soon:
                return
            self._next.cancel()
        loop = asyncio.get_running_loop()
        if soon:
            self._next = loop.call_soon(self._begin)
        else:
            now = loop.time()
            due = self._began_at + self._gather_s  # where windows come all the time, so does a run
            self._next = loop.call_at(due if due > now else now + self._gather_s, self._begin)
        self._is_next_soon = soon

    def _begin(self) -> None:
        """Have the oldest waiting windows scored of every stream that has any."""
        self._next = None
        taken = [(stream, stream._take()) for stream in self._streams.values() if stream._has_work]
        if not taken or self._executor is None or self._engine is None:
            return
        run: _Run = [
            [(stream, windows[number]) for stream, windows in taken if len(windows) > number]
            for number in range(max(len(windows) for _, windows in taken))
        ]
        loop = asyncio.get_running_loop()
        self._running, self._began_at = run, loop.time()

        def over(future: "Future[list[list[float]]]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._end, run, future)

        self._executor.submit(_score, self._engine, run).add_done_callback(over)

    def _end(self, run: "_Run", future: "Future[list[list[float]]]") -> None:
        """Tell what a run has found. An error in one call's listener stays in that call."""
        if run is not self._running:
            return  # the hub was stopped
        self._running = None
        try:
            scores = future.result()
            self._failure = None
        except Exception as error:  # whatever an engine can throw; one bad run must not end detection for all calls
            if self._failure is None:
                logger.exception("voice activity detection fails, callers count as silent")
            self._failure = error
            scores = [[0.0] * len(part) for part in run]
        for part, probabilities in zip(run, scores, strict=True):
            for (stream, window), probability in zip(part, probabilities, strict=True):
                try:
                    stream._deliver(window, probability)
                except Exception as error:
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "the voice of a call was not taken", "exception": error}
                    )
        self._go_on()

    def _go_on(self) -> None:
        """Run what is there already, if anything is, reminders, too."""
        with_work = [stream for stream in self._streams.values() if stream._has_work]
        if with_work:
            self._wake(soon=any(len(stream._waiting) > AT_ONCE for stream in with_work))

    def _wake_later(self) -> None:
        """A reminder can wait for a run that is to be made anyway, if there is one soon."""
        if self._reminding is None:
            self._reminding = asyncio.get_running_loop().call_later(REMINDED_WITHIN_S, self._remind)

    def _remind(self) -> None:
        self._reminding = None
        if any(stream._reminders for stream in self._streams.values()):
            self._wake(soon=False)

    def _count_dropped(self) -> None:
        if not self._dropped:
            logger.warning("voice activity detection is too slow for the calls at hand, it skips audio")
        self._dropped += 1

    def _forget(self, number: int) -> None:
        del self._streams[number]
        if self._executor is not None and self._engine is not None:
            self._executor.submit(self._engine.forget, number)


type _Run = list[list[tuple[VadStream, _Window]]]
"""Windows to be scored, in parts one after the other; none has two of one stream."""


def _score(engine: VadEngine, run: _Run) -> list[list[float]]:
    scores = []
    for part in run:
        audio = mulaw.decode(b"".join([window.audio for _, window in part]))
        samples = np.frombuffer(audio, "<i2").reshape(len(part), WINDOW_SAMPLES)
        scores.append(engine.run([stream._number for stream, _ in part], samples))
    return scores
