"""Recordings of calls: streamed to a file while the call runs, then handed to the storage."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from telephony.call.journal import Journal, Kind
from telephony.records.storage import Storage, StorageFailed
from telephony.records.wav import BYTES_PER_S, HEADER_BYTES, Tracks, header

logger = logging.getLogger(__name__)

CHUNK_BYTES = BYTES_PER_S
"""Written at a time: a second, which is what a killed process loses."""
MOST_BEHIND = 30
"""Chunks that may wait for the disk before a recording is given up."""
UNTOUCHED_S = 60.0
"""After this long a file that nobody has written to belongs to no call that goes on."""


def recording_name(call_sid: str, stream: int) -> str:
    """The file of one stream of a call."""
    return f"{call_sid}-{stream}.wav"


class Recorder:
    """What records calls, for all calls of one process. One thread writes all files, in order."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder = folder
        self._storage = storage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        self._live: set[Path] = set()
        self._keeping: set[asyncio.Task[None]] = set()

    def record(self, call_sid: str, stream: int, journal: Journal) -> "Recording":
        """Begin to record a stream. While keys are asked for or pressed, which the journal tells, it is silent."""
        recording = Recording(self._folder / recording_name(call_sid, stream), self._thread)
        self._live.add(recording.path)
        journal.watchers.add(lambda: recording.heed(journal.entries[-1].kind))
        return recording

    def finish(self, recording: "Recording") -> None:
        """The stream is over: complete the file and hand it on, in the background."""
        task = asyncio.create_task(self._finish(recording), name="keep recording")
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def keep_left(self) -> None:
        """Hand on what was left behind: by a storage that was away, or by a process that was killed."""
        for path in await asyncio.to_thread(self._left, time.time()):
            await self._keep(path)

    async def stop(self, limit_s: float) -> None:
        """Wait so long for what is being handed on; what is not done by then is left in the folder."""
        if self._keeping:
            _, late = await asyncio.wait(self._keeping, timeout=limit_s)
            for task in late:
                task.cancel()
        self._thread.shutdown(wait=False)

    async def _finish(self, recording: "Recording") -> None:
        is_complete = await recording.close()
        self._live.discard(recording.path)
        if is_complete:
            await self._keep(recording.path)

    async def _keep(self, path: Path) -> None:
        try:
            await self._storage.keep(path)
        except StorageFailed as failure:
            logger.error("%s; it is left in RECORDINGS_FOLDER and tried again within the hour", failure)

    def _left(self, now: float) -> list[Path]:
        paths: Iterable[Path] = self._folder.glob("*.wav")
        return [path for path in paths if path not in self._live and path.stat().st_mtime < now - UNTOUCHED_S]


class Recording:
    """One stream being recorded, in constant memory. None of what a call does to it waits or raises."""

    def __init__(self, path: Path, thread: ThreadPoolExecutor) -> None:
        self.path = path
        self.tracks = Tracks()
        self._thread = thread
        self._file = _WavFile(path)
        self._chunk = bytearray()
        self._behind: deque[Future[None]] = deque()
        self._has_failed = False
        self._write(b"")

    def caller(self, ulaw: bytes) -> None:
        """The caller's next audio, and with it the time it takes."""
        self._chunk += self.tracks.caller(ulaw)
        if len(self._chunk) >= CHUNK_BYTES:
            self._write(bytes(self._chunk))
            self._chunk.clear()

    def heed(self, kind: Kind) -> None:
        """Pause while the caller is asked for keys or presses them, until they have said or keyed what they will."""
        if kind in (Kind.KEYS_WANTED, Kind.KEY_PRESSED):
            self.tracks.is_paused = True
        elif kind is Kind.CALLER_SAID:
            self.tracks.is_paused = False

    async def close(self) -> bool:
        """Write the rest; whether the recording is complete."""
        self._write(bytes(self._chunk))
        self._behind.append(self._thread.submit(self._file.close))
        await asyncio.wait([asyncio.wrap_future(self._behind[-1])])
        self._collect()
        return not self._has_failed

    def _write(self, audio: bytes) -> None:
        self._collect()
        if len(self._behind) >= MOST_BEHIND:
            self._fail("the disk is too slow")
        if not self._has_failed:
            self._behind.append(self._thread.submit(self._file.append, audio))

    def _collect(self) -> None:
        while self._behind and self._behind[0].done():
            error = self._behind.popleft().exception()
            if error is not None:
                self._fail(getattr(error, "strerror", None) or type(error).__name__)

    def _fail(self, why: str) -> None:
        if not self._has_failed:
            logger.error("a recording breaks off: RECORDINGS_FOLDER cannot be written (%s)", why)
        self._has_failed = True


class _WavFile:
    """A WAV file that grows. Its header is corrected after each piece of audio: it is right even after a kill."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._audio_bytes = 0

    def append(self, audio: bytes) -> None:
        """Raises `OSError`."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        _write_all(self._file, audio, HEADER_BYTES + self._audio_bytes)
        self._audio_bytes += len(audio)
        _write_all(self._file, header(self._audio_bytes), 0)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


def _write_all(file: int, data: bytes, offset: int) -> None:
    """`os.pwrite` writes less than it was given on a disk that is all but full, and raises only then."""
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
