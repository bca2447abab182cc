"""The records of one process: what writes, reads, records and tidies up, made from the settings."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.errors import ConfigurationError, OffhookError
from telephony.call.journal import Journal
from telephony.call.session import CallLine
from telephony.records.database import Database, DatabaseAway, connect
from telephony.records.log import Log
from telephony.records.recording import Recorder
from telephony.records.retention import forget_leases, prune
from telephony.records.storage import Bucket, Folder, Storage
from telephony.records.tap import RecordedLine
from telephony.records.tokens import RedeemedTokens
from telephony.records.upgrade import upgrade, why_behind
from telephony.records.writer import Stream, Writer
from telephony.settings import RecordSettings

logger = logging.getLogger(__name__)

FLUSH_LIMIT_S = 5.0
"""How long a process that stops waits for its last records to be written, and for its last recordings to be stored."""
FIRST_TIDYING_S = 60.0
TIDYING_S = 3600.0
DAY_S = 86_400.0


def storage(settings: RecordSettings) -> Storage:
    """Where the settings keep recordings. Raises `ConfigurationError`."""
    folder = Path(settings.RECORDINGS_FOLDER)
    return Folder(folder) if settings.RECORDINGS_URL is None else Bucket.at(settings.RECORDINGS_URL, folder)


def check_recording(settings: RecordSettings, notice: str) -> None:
    """Raise `ConfigurationError` if calls are to be recorded and cannot be, or are with nobody told."""
    if settings.RECORD_CALLS and not (notice or settings.RECORD_WITHOUT_NOTICE):
        raise ConfigurationError.of(
            "RECORD_CALLS",
            "needs a `notice` in BUSINESS_FILE that tells callers of it, or RECORD_WITHOUT_NOTICE=true",
        )
    storage(settings)


class Records:
    """Records calls behind their backs. Raises `ConfigurationError`."""

    def __init__(self, settings: RecordSettings) -> None:
        self.process = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        """The name of this process in the records."""
        self.database: Database = connect(settings.DATABASE_URL)
        self.log = Log(self.database)
        self._storage = storage(settings)
        self._writer = Writer(self.database, self.process, settings.RECORDS_MAX_WAITING)
        self._recorder = Recorder(Path(settings.RECORDINGS_FOLDER), self._storage)
        self._records_sound = settings.RECORD_CALLS
        self._kept_s = settings.RECORDS_KEEP_DAYS * DAY_S
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> str:
        """Begin to write; returns why no calls should be taken, as an operator reads it, or nothing.

        A database that is away is no reason. SQLite's schema is brought up to date, for nobody else would do it.
        """
        self._tasks.append(asyncio.create_task(self._writer.run(), name="records"))
        try:
            if self.database.migrates_itself:
                await upgrade(self.database)
            elif behind := await why_behind(self.database):
                return f"{behind}, then start again"
        except DatabaseAway as away:
            logger.warning("%s: calls are taken, and their records wait in memory", away)
        self._tasks.append(asyncio.create_task(self._keep_tidy(), name="tidying"))
        return ""

    def follow(self, stream: Stream, journal: Journal) -> None:
        """Write down this stream of a call."""
        self._writer.follow(stream, journal)

    @contextmanager
    def recorded(self, line: CallLine, stream: Stream, journal: Journal) -> Iterator[CallLine]:
        """The line for a call to use, its sound being recorded while inside if the settings say so."""
        if not self._records_sound:
            yield line
            return
        recording = self._recorder.record(stream.call_sid, stream.number, journal)
        try:
            yield RecordedLine(line, recording)
        finally:
            self._recorder.finish(recording)

    async def flush(self, limit_s: float) -> int:
        """Wait until all is written, `limit_s` at most; returns how many events are not."""
        return await self._writer.flush(limit_s)

    async def stop(self) -> None:
        """Write what is left, for as long as that may take; say what is lost."""
        is_writing = bool(self._tasks)
        if is_writing and (left := await self.flush(FLUSH_LIMIT_S)):
            logger.error("%d events of calls are lost: the database at DATABASE_URL did not take them in time", left)
        await self._recorder.stop(FLUSH_LIMIT_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.database.close()

    async def tidy(self, now: float) -> None:
        """Delete what is old enough at `now`, of the epoch, and hand on recordings that were left behind."""
        work: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: prune(self.database, self._storage, now - self._kept_s),
            lambda: RedeemedTokens(self.database).forget_expired(now),
            lambda: forget_leases(self.database, now),
            self._recorder.keep_left,
        )
        for part in work:
            try:
                await part()
            except (OffhookError, OSError) as error:
                logger.warning("tidying up the records waits: %s", error)

    async def _keep_tidy(self) -> None:
        await asyncio.sleep(FIRST_TIDYING_S)
        while True:
            await self.tidy(time.time())
            await asyncio.sleep(TIDYING_S)
