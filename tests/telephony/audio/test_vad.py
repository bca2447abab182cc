import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from providers.audio import mulaw
from providers.errors import ConfigurationError
from telephony.audio import silero, vad
from telephony.audio.gate import REMINDER_WINDOWS, REMINDERS
from telephony.audio.loudness import LoudnessEngine
from telephony.audio.silero import SileroEngine
from telephony.audio.vad import WINDOW_S, VadHub, VadStream, load_engine
from telephony.audio.webrtc import WebRtcEngine

LEVELS = mulaw.decode(bytes(range(255, 127, -1)))  # the positive codes, by rising level


def window(level: int) -> bytes:
    """A window of one constant level, 0 to 127."""
    return bytes([255 - level]) * 256


class Meter:
    """An engine that answers the level of a window as a fraction, and can be held up or made to fail."""

    hangover_ms = 50.0

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.forgotten: list[int] = []
        self.threads: set[int] = set()
        self.error: Exception | None = None
        self.may_run = threading.Event()
        self.may_run.set()
        self.running = threading.Event()
        self._runs = threading.Condition()

    def has_run(self, count: int) -> None:
        """Blocks until there were so many runs."""
        with self._runs:
            assert self._runs.wait_for(lambda: len(self.batches) >= count, 10)

    def run(self, streams: Sequence[int], windows: NDArray[np.int16]) -> list[float]:
        self.running.set()
        assert self.may_run.wait(10)
        self.threads.add(threading.get_ident())
        with self._runs:
            self.batches.append(list(streams))
            self._runs.notify_all()
        if self.error:
            raise self.error
        levels = np.frombuffer(LEVELS, "<i2")
        return [float(np.flatnonzero(levels == row[0])[0]) / 128 for row in windows]

    def forget(self, stream: int) -> None:
        self.forgotten.append(stream)


class Ear:
    """What one call hears of its probabilities, as levels."""

    def __init__(self) -> None:
        self.levels: list[int] = []
        self._more = asyncio.Event()

    def __call__(self, probability: float) -> None:
        self.levels.append(round(probability * 128))
        self._more.set()

    async def hears(self, count: int) -> list[int]:
        async with asyncio.timeout(10):
            while len(self.levels) < count:
                self._more.clear()
                await self._more.wait()
        return self.levels


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
async def hub(meter: Meter) -> AsyncIterator[VadHub]:
    hub = VadHub(lambda: meter, gather_s=0)
    await hub.start()
    yield hub
    meter.may_run.set()
    await hub.stop()


async def busy(meter: Meter) -> None:
    """Wait until a run has begun."""
    await asyncio.to_thread(meter.running.wait, 10)


async def test_one_probability_a_window_in_order(hub: VadHub, meter: Meter) -> None:
    ear = Ear()
    stream = hub.open(ear)
    audio = b"".join(window(level) for level in range(50))
    for start in range(0, len(audio), 160):
        stream.feed(audio[start : start + 160])
        await asyncio.sleep(0)
    assert await ear.hears(50) == list(range(50))
    assert meter.threads.isdisjoint({threading.get_ident()})
    assert len(meter.threads) == 1


async def test_a_line_at_rest_is_passed_over_but_not_its_time(hub: VadHub, meter: Meter) -> None:
    ear = Ear()
    stream = hub.open(ear)
    for count in range(1, 31):
        stream.feed(window(1))
        assert await ear.hears(count) == [1] * min(count, 8) + [0] * (count - 8)
    assert len(meter.batches) == 8
    stream.feed(window(100) + window(1) + window(1))  # what follows a voice is for the detector, as far as it is behind
    assert (await ear.hears(33))[30:] == [100, 1, 1]
    assert len(meter.batches) == 11


async def talking(hub: VadHub) -> tuple[VadStream, Ear]:
    """A stream of a clear line on which somebody talks, and who hears of it."""
    ear = Ear()
    stream = hub.open(ear)
    for count, level in enumerate([0] * 60 + [110] * 20, start=1):
        stream.feed(window(level))
        await ear.hears(count)
    ear.levels.clear()
    return stream, ear


async def test_while_words_vouch_for_a_voice_the_detector_hears_a_part_of_it_and_nobody_waits(
    hub: VadHub, meter: Meter
) -> None:
    stream, ear = await talking(hub)
    for _ in range(3):
        meter.running.clear()
        for _ in range(REMINDER_WINDOWS):
            assert not meter.running.is_set()
            stream.vouch()
            stream.feed(window(110))
            await asyncio.sleep(0)
        await busy(meter)
    assert ear.levels == [128] * 3 * REMINDER_WINDOWS
    heard = len(meter.batches)
    for _ in range(2 * REMINDERS):  # some of the pause, too
        stream.feed(window(0))
    assert ear.levels[-2 * REMINDERS :] == [0] * 2 * REMINDERS
    stream.feed(window(100))
    assert (await ear.hears(3 * REMINDER_WINDOWS + 2 * REMINDERS + 1))[-1] == 100
    assert heard < len(meter.batches) <= heard + REMINDERS + 1


async def test_of_a_pause_the_detector_hears_all_that_it_is_to_hear(
    hub: VadHub, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vad, "REMINDED_WITHIN_S", 0.0)
    stream, ear = await talking(hub)
    heard = len(meter.batches)
    stream.vouch()
    stream.feed(window(110) + window(0) * REMINDERS)
    assert ear.levels == [128] + [0] * REMINDERS
    await asyncio.to_thread(meter.has_run, heard + REMINDERS)


async def test_before_a_window_that_waits_the_detector_hears_all_of_the_pause(hub: VadHub, meter: Meter) -> None:
    stream, ear = await talking(hub)
    heard = len(meter.batches)
    stream.vouch()
    stream.feed(window(110) + window(0) * 2 * REMINDERS + window(100))  # a sound after a pause, with no time between
    assert (await ear.hears(2 * REMINDERS + 2))[-1] == 100
    assert len(meter.batches) == heard + REMINDERS + 1


async def test_what_words_vouch_for_is_told_after_all_that_waits(hub: VadHub, meter: Meter) -> None:
    stream, ear = await talking(hub)
    meter.may_run.clear()
    meter.running.clear()
    stream.feed(window(111))
    await busy(meter)
    stream.feed(window(112) + window(113))
    stream.vouch()
    stream.feed(window(114))
    assert ear.levels == []
    meter.may_run.set()
    assert await ear.hears(4) == [111, 128, 128, 128]


async def test_what_waits_of_many_streams_is_run_together(hub: VadHub, meter: Meter) -> None:
    ears = [Ear() for _ in range(4)]
    streams = [hub.open(ear) for ear in ears]
    meter.may_run.clear()
    streams[0].feed(window(1))
    await busy(meter)
    for level, stream in enumerate(streams):
        stream.feed(window(10 + level) + window(20 + level))
    meter.may_run.set()
    assert await ears[0].hears(3) == [1, 10, 20]
    for level in range(1, 4):
        assert await ears[level].hears(2) == [10 + level, 20 + level]
    assert meter.batches == [[0], [0, 1, 2, 3], [0, 1, 2, 3]]


async def test_streams_wait_a_moment_for_each_other(meter: Meter) -> None:
    hub, ears = VadHub(lambda: meter, gather_s=0.001), [Ear(), Ear()]
    await hub.start()
    streams = [hub.open(ear) for ear in ears]
    streams[0].feed(window(1))
    await asyncio.sleep(0)
    streams[1].feed(window(2))
    assert await ears[0].hears(1) == [1]
    assert await ears[1].hears(1) == [2]
    assert meter.batches == [[0, 1]]
    await hub.stop()


async def test_nobody_waits_where_a_stream_is_behind(meter: Meter) -> None:
    hub, ears = VadHub(lambda: meter, gather_s=3600.0), [Ear(), Ear()]
    await hub.start()
    streams = [hub.open(ear) for ear in ears]
    streams[0].feed(window(1) + window(2) + window(3))
    assert await ears[0].hears(2) == [1, 2]
    assert meter.batches == [[0], [0]]
    await hub.stop()


async def test_a_stream_that_is_behind_has_two_windows_told_at_a_time(hub: VadHub, meter: Meter) -> None:
    told_after: list[int] = []  # so many windows scored
    ear = Ear()

    def hears(probability: float) -> None:
        told_after.append(len(meter.batches))
        ear(probability)

    stream = hub.open(hears)
    meter.may_run.clear()
    stream.feed(window(1))
    await busy(meter)
    stream.feed(window(2) + window(3) + window(4))
    meter.may_run.set()
    assert await ear.hears(4) == [1, 2, 3, 4]
    assert told_after == [1, 3, 3, 4]


async def test_the_hub_knows_how_long_its_engine_lingers(hub: VadHub) -> None:
    assert hub.hangover_ms == 50.0
    await hub.stop()
    assert hub.hangover_ms == 0.0


async def test_streams_may_open_before_the_hub_starts(meter: Meter) -> None:
    hub, ear = VadHub(lambda: meter), Ear()
    hub.open(ear).feed(window(3))
    await hub.start()
    assert await ear.hears(1) == [3]
    await hub.stop()


async def test_a_stream_behind_loses_its_oldest_windows_and_keeps_its_time(
    meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    hub, ear, other = VadHub(lambda: meter, gather_s=0, backlog_s=3 * WINDOW_S), Ear(), Ear()
    await hub.start()
    stream, prompt = hub.open(ear), hub.open(other)
    meter.may_run.clear()
    stream.feed(window(9))
    await busy(meter)
    for level in range(1, 8):
        stream.feed(window(level))
    prompt.feed(window(40))
    meter.may_run.set()
    assert await ear.hears(8) == [9, 9, 9, 9, 9, 5, 6, 7]
    assert await other.hears(1) == [40]
    assert hub.dropped_windows == 4
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    await hub.stop()


async def test_nothing_is_heard_after_close(hub: VadHub, meter: Meter) -> None:
    ear, other = Ear(), Ear()
    stream, following = hub.open(ear), hub.open(other)
    meter.may_run.clear()
    stream.feed(window(1))
    following.feed(window(2))
    await busy(meter)
    stream.feed(window(3))
    stream.close()
    stream.close()
    stream.feed(window(4))
    following.feed(window(5))
    meter.may_run.set()
    assert await other.hears(2) == [2, 5]
    assert ear.levels == []
    assert meter.forgotten == [0]


async def test_a_stream_may_close_itself_from_its_listener(hub: VadHub) -> None:
    heard: list[float] = []
    other = Ear()

    def once(probability: float) -> None:
        heard.append(probability)
        stream.close()

    stream, following = hub.open(once), hub.open(other)
    stream.feed(window(1) + window(2))
    following.feed(window(1) + window(2) + window(3))
    await other.hears(3)
    assert len(heard) == 1


async def test_a_call_that_ends_takes_its_waiting_windows_along(hub: VadHub, meter: Meter) -> None:
    stream = hub.open(Ear())
    stream.feed(window(1))
    stream.close()
    await asyncio.sleep(0)
    ear = Ear()
    hub.open(ear).feed(window(2))
    assert await ear.hears(1) == [2]
    assert meter.batches == [[1]]


async def test_a_failing_run_counts_as_silence_and_is_logged_once(
    hub: VadHub, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()
    stream = hub.open(ear)
    meter.error = MemoryError("no room")
    stream.feed(window(5) + window(6))
    assert await ear.hears(2) == [0, 0]
    assert hub.failure is meter.error
    meter.error = None
    stream.feed(window(7))
    assert await ear.hears(3) == [0, 0, 7]
    assert hub.failure is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_an_error_in_one_listener_stays_there(hub: VadHub) -> None:
    errors: list[str] = []

    def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        errors.append(str(context["exception"]))

    def stumble(probability: float) -> None:
        raise RuntimeError("stumbled")

    asyncio.get_running_loop().set_exception_handler(note)
    ear = Ear()
    broken, sound = hub.open(stumble), hub.open(ear)
    broken.feed(window(1) + window(2))
    sound.feed(window(1) + window(2) + window(3))
    assert await ear.hears(3) == [1, 2, 3]
    assert errors == ["stumbled", "stumbled"]


async def test_a_model_that_cannot_be_had() -> None:
    def load() -> LoudnessEngine:
        raise ConfigurationError.of("VAD_MODEL_PATH", "gone")

    hub = VadHub(load)
    with pytest.raises(ConfigurationError, match="gone"):
        await hub.start()
    await hub.stop()


async def test_stop_ends_all_and_start_begins_again(hub: VadHub, meter: Meter) -> None:
    ear = Ear()
    stream = hub.open(ear)
    meter.may_run.clear()
    stream.feed(window(1))
    await busy(meter)
    await hub.stop()
    await hub.stop()
    meter.may_run.set()
    stream.feed(window(2))
    await hub.start()
    assert await ear.hears(1) == [2]
    await hub.stop()
    stream.close()
    assert meter.forgotten == []


async def test_a_tone_can_be_a_caller() -> None:
    hub, ear = VadHub(LoudnessEngine, gather_s=0), Ear()
    await hub.start()
    hub.open(ear).feed(mulaw.SILENCE * 256 + window(100))
    assert await ear.hears(2) == [0, 128]
    await hub.stop()


def test_the_packaged_model_is_the_default() -> None:
    assert isinstance(load_engine(), SileroEngine)


def test_a_model_of_ones_own() -> None:
    assert isinstance(load_engine(str(silero.packaged_model())), SileroEngine)


def test_a_path_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="VAD_MODEL_PATH: there is no file"):
        load_engine(str(tmp_path / "model.onnx"))


def test_webrtc_stands_in_where_silero_is_not_packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def vad(mode: int) -> Callable[[], None]:
        raise AssertionError("made for the first stream only")

    package = ModuleType("webrtcvad")
    monkeypatch.setattr(package, "Vad", vad, raising=False)
    monkeypatch.setitem(sys.modules, "webrtcvad", package)
    monkeypatch.setattr(silero, "packaged_model", lambda: None)
    assert isinstance(load_engine(), WebRtcEngine)
