"""Recordings: on the disk while the call runs, right after a kill, paused for keys, and handed on."""

import asyncio
import os
import signal
import stat
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from telephony.call.journal import Journal, Kind
from telephony.records.recording import MOST_BEHIND, Recorder, Recording, _WavFile
from telephony.records.storage import StorageFailed
from telephony.records.tap import RecordedLine
from telephony.records.wav import HEADER_BYTES, SILENCE
from telephony.twilio.messages import Dtmf, Media
from telephony.twilio.stream import Gap, Received
from tests.telephony.call.line import VOICE
from tests.telephony.call.test_session import LONG, Call, call

CALLER, BOT = b"\x11" * 160, b"\x22" * 160
SECOND = 50
ROOT = Path(__file__).parent.parent.parent.parent


class Shelf:
    """A storage that keeps what it is given, or cannot."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.is_away = False

    async def keep(self, recording: Path) -> None:
        if self.is_away:
            raise StorageFailed("the shelf is away")
        self.kept.append(recording.name)

    async def delete(self, names: Iterable[str]) -> None:
        raise AssertionError


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def recorder(tmp_path: Path, shelf: Shelf) -> AsyncIterator[Recorder]:
    recorder = Recorder(tmp_path / "recordings", shelf)
    yield recorder
    await recorder.stop(10.0)


def audio(path: Path) -> tuple[bytes, bytes]:
    """Left and right of a file whose header tells the truth."""
    content = path.read_bytes()
    (size,) = struct.unpack_from("<I", content, HEADER_BYTES - 4)
    assert size == len(content) - HEADER_BYTES
    return content[HEADER_BYTES::2], content[HEADER_BYTES + 1 :: 2]


async def finished(recorder: Recorder, recording: Recording) -> tuple[bytes, bytes]:
    recorder.finish(recording)
    await recorder.stop(10.0)
    return audio(recording.path)


async def test_both_sides_are_on_the_disk_in_step(recorder: Recorder, shelf: Shelf) -> None:
    recording = recorder.record("CA1", 2, Journal(0.0))
    recording.tracks.bot(BOT * 10)
    for _ in range(3 * SECOND + 7):
        recording.caller(CALLER)
    left, right = await finished(recorder, recording)
    assert left == CALLER * (3 * SECOND + 7)
    assert right == BOT * 10 + bytes((SILENCE,)) * 160 * (3 * SECOND - 3)
    assert recording.path.name == "CA1-2.wav"
    assert stat.S_IMODE(recording.path.stat().st_mode) == 0o600
    assert shelf.kept == ["CA1-2.wav"]


async def test_keys_are_not_recorded(recorder: Recorder) -> None:
    journal = Journal(0.0)
    recording = recorder.record("CA1", 1, journal)

    def second() -> None:
        for _ in range(SECOND):
            recording.caller(CALLER)

    second()
    for kinds in ((Kind.KEYS_WANTED, Kind.KEY_PRESSED, Kind.BOT_SAYS), (Kind.KEY_PRESSED,)):
        for kind in kinds:
            journal.note(kind, 1.0)
            second()
        journal.note(Kind.CALLER_SAID, 2.0, text="42")
        second()
    left, _ = await finished(recorder, recording)
    heard = [left[n * 8000] != SILENCE for n in range(len(left) // 8000)]
    assert heard == [True, False, False, False, True, False, True]


KILLED = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from telephony.records.recording import Recording
thread = ThreadPoolExecutor(1)
recording = Recording(Path(sys.argv[1]), thread)
for _ in range(4 * 50 + 20):
    recording.caller(bytes([0x11]) * 160)
thread.submit(lambda: None).result()
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_a_killed_process_leaves_a_file_that_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "CA1-1.wav"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(path), cwd=ROOT)
    assert await process.wait() == -signal.SIGKILL
    left, _ = audio(path)
    assert left == CALLER * 4 * SECOND  # all but the last second


async def test_a_disk_that_takes_nothing_costs_the_recording_and_no_more(
    recorder: Recorder, shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "recordings").write_text("this is no folder")
    recording = recorder.record("CA1", 1, Journal(0.0))
    for _ in range(3 * SECOND):
        recording.caller(CALLER)
    recorder.finish(recording)
    await recorder.stop(10.0)
    assert shelf.kept == []
    assert [record.getMessage() for record in caplog.records] == [
        "a recording breaks off: RECORDINGS_FOLDER cannot be written (File exists)"
    ]


async def test_a_disk_that_falls_behind_is_not_waited_for(
    recorder: Recorder, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()
    append = _WavFile.append

    def slow(file: _WavFile, chunk: bytes) -> None:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        append(file, chunk)

    monkeypatch.setattr(_WavFile, "append", slow)
    recording = recorder.record("CA1", 1, Journal(0.0))
    for _ in range((MOST_BEHIND + 5) * SECOND):
        recording.caller(CALLER)
    assert "the disk is too slow" in caplog.text
    go_on.set()
    left, _ = await finished(recorder, recording)
    assert len(left) == 8000 * (MOST_BEHIND - 1)
    assert shelf.kept == []


async def test_what_a_storage_did_not_take_is_offered_again(
    recorder: Recorder, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.is_away = True
    recording = recorder.record("CA1", 1, Journal(0.0))
    recording.caller(CALLER)
    recorder.finish(recording)
    await asyncio.wait(recorder._keeping)
    assert "the shelf is away; it is left in RECORDINGS_FOLDER" in caplog.text
    shelf.is_away = False
    live = recorder.record("CA2", 1, Journal(0.0))
    live.caller(CALLER)
    await live.close()
    await recorder.keep_left()
    assert shelf.kept == []  # it may be a file that another process is writing
    for path in (recording.path, live.path):
        os.utime(path, (0, 0))
    await recorder.keep_left()
    assert shelf.kept == ["CA1-1.wav"]


class Line:
    """A line that gives what it was told to give, and keeps what it gets."""

    def __init__(self, *gives: Received) -> None:
        self._gives = gives
        self.sent: list[object] = []

    async def read(self, take: Callable[[Received], None]) -> None:
        for item in self._gives:
            take(item)

    def media(self, payload: bytes) -> None:
        self.sent.append(payload)

    def mark(self, name: str) -> None:
        self.sent.append(name)

    def clear(self) -> None:
        self.sent.append("clear")


async def test_a_recorded_line_is_the_line_and_its_sound(recorder: Recorder) -> None:
    given: list[Received] = [Media("MZ1", 1, 1, 0, CALLER), Dtmf("MZ1", 2, "5"), Gap(40)]
    line = Line(*given)
    recording = recorder.record("CA1", 1, Journal(0.0))
    tapped = RecordedLine(line, recording)
    tapped.media(BOT)
    tapped.mark("end")
    came: list[Received] = []
    await tapped.read(came.append)
    assert came == given
    tapped.media(BOT)
    tapped.clear()
    assert line.sent == [BOT, "end", BOT, "clear"]
    left, right = await finished(recorder, recording)
    assert left == CALLER + bytes((SILENCE,)) * 320
    assert right == BOT + bytes((SILENCE,)) * 320


def sounding(track: bytes) -> list[int]:
    """The frames in which speech begins and ends, by turns."""
    frames = [bool(set(track[n : n + 160]) - {0xFF, 0x7F}) for n in range(0, len(track), 160)]
    return [n for n, (before, now) in enumerate(pairwise([False, *frames])) if before != now]


def test_a_whole_call_is_recorded_as_the_caller_heard_it(tmp_path: Path) -> None:
    thread = ThreadPoolExecutor(1)
    recording = Recording(tmp_path / "CA1-1.wav", thread)

    def tap(one: Call) -> None:
        one.session._line = RecordedLine(one.line, recording)

    done = call(talk=[(2.0, 1.0), (5.0, 1.0)], hears=["Tell me.", "Stop."], replies=[[LONG], ["Yes?"]], prepare=tap)
    assert len(done.line.cleared_at) == 1  # a barge-in
    asyncio.run(recording.close())
    thread.shutdown()
    left, right = audio(recording.path)
    assert left.count(VOICE[0]) == 2 * 8000
    recorded, heard = sounding(right), sounding(done.line.heard())
    assert [len(track) for track in (recorded, heard)] == [6, 6]  # a greeting, an answer that is cut off, another
    assert all(abs(one - other) <= 1 for one, other in zip(recorded, heard, strict=True))
