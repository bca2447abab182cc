"""The writer: what calls note goes to the database behind their backs, in order, each entry once."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, Executable

from telephony.call.journal import Entry, Journal, Kind
from telephony.records.database import Database, DatabaseAway
from telephony.records.schema import calls, events

logger = logging.getLogger(__name__)

WAITING = Gauge("offhook_records_waiting", "Events of calls that are not in the database yet")
DROPPED = Counter(
    "offhook_records_dropped", "Events of calls that were given up because the database was away too long"
)

LINGER_S = 0.1
"""How long an event waits for others to be written with it: what a killed process may lose."""
_FROM_CALLERS = frozenset({Kind.CALLER_SAID, Kind.KEY_PRESSED})
"""What does not wait: a bot says its words again, but nobody can tell callers which of theirs were lost."""
BATCH = 50
"""Events written at a time: one or two milliseconds of the event loop."""
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0
"""A database that is away is tried again after these pauses, each twice as long as the one before."""

type Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a call: `number` counts from 1, `started_at` is of the epoch. Numbers are as Twilio gave them."""

    call_sid: str
    account_sid: str
    caller: str = field(repr=False)
    called: str = field(repr=False)
    number: int
    started_at: float


class Writer:
    """Writes the journals it follows. Following one costs a call a few microseconds an entry, and never waits.

    A stream, a position: that is the key of an event, so that a batch of which nobody knows whether it was written is
    written again without harm. With more than `most_waiting` events unwritten, calls that have ended are given up,
    the one that ended first before the others; a live call's never are, and its journal has a limit of its own.
    """

    def __init__(self, database: Database, process: str, most_waiting: int) -> None:
        self._database = database
        self._put_calls = _latest_call(database)
        self._put_events = database.insert_into(events).on_conflict_do_nothing()
        self._process = process
        self._most_waiting = most_waiting
        self._unwritten: dict[_Followed, None] = {}  # in the order in which they are to be written
        self._ended: dict[_Followed, None] = {}  # of them, in the order in which they ended
        self._writing: set[_Followed] = set()
        self._grown = asyncio.Event()
        self._gone_on = asyncio.Event()  # set once, when less is left to be written
        self._hurried = asyncio.Event()
        self._waiting = 0
        self._dropped = 0  # since the database went away
        self.is_away = False
        """Whether the database did not take what it was last given."""

    @property
    def waiting(self) -> int:
        """Events that are not in the database yet, as far as is known."""
        return self._waiting

    def follow(self, stream: Stream, journal: Journal) -> None:
        """Write all that is and will be in this journal."""
        followed = _Followed(stream, journal)
        journal.watchers.add(lambda: self._noted(followed, 1))
        if journal.entries:
            self._noted(followed, len(journal.entries))

    async def run(self) -> None:
        """Write until cancelled. Cancelling may leave a batch of which nobody knows whether it was written."""
        retry_s = FIRST_RETRY_S
        while True:
            await self._grown.wait()
            await self._rest(LINGER_S)
            is_behind = True
            while is_behind and self._unwritten:
                batch = self._next_batch()
                try:
                    await self._write(batch)
                except DatabaseAway as away:
                    self._failed(batch, away.reason)
                except Exception as error:  # whatever it is, the next call is to be recorded too
                    self._failed(batch, type(error).__name__)
                else:
                    retry_s = FIRST_RETRY_S
                    self._written(batch)
                    # Of a batch with room to spare nothing was left; what came while it was written waits for company.
                    is_behind = sum(len(piece.entries) for piece in batch) == BATCH
                    continue
                await self._rest(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)
            if not self._unwritten:
                self._grown.clear()

    async def flush(self, limit_s: float) -> int:
        """Wait until all is written that is noted by now, `limit_s` at most; returns how many events of that are not.

        Events that are given up are not waited for. Cancelling does no harm.
        """
        noted = {followed: len(followed.journal.entries) for followed in self._unwritten}
        if noted:
            self._hurried.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._left_of(noted):
                    await self._gone_on.wait()
        return self._left_of(noted)

    def _left_of(self, noted: "Mapping[_Followed, int]") -> int:
        return sum(max(0, end - followed.written) for followed, end in noted.items() if followed in self._unwritten)

    # --- what waits --------------------------------------------------------------------------------------------

    def _noted(self, followed: "_Followed", count: int) -> None:
        self._unwritten[followed] = None
        if followed.journal.is_closed:
            self._ended[followed] = None
        self._count(count)
        self._grown.set()
        if followed.journal.entries[-1].kind in _FROM_CALLERS and not self.is_away:
            self._hurried.set()
        if self._waiting > self._most_waiting:
            self._give_up_one()

    def _give_up_one(self) -> None:
        oldest = next((followed for followed in self._ended if followed not in self._writing), None)
        if oldest is None:
            return
        if not self._dropped:
            logger.error(
                "records of calls are being lost: more events wait for the database than RECORDS_MAX_WAITING (%d)",
                self._most_waiting,
            )
        left = oldest.left
        self._forget(oldest)
        self._count(-left)
        self._dropped += left
        DROPPED.inc(left)
        self._go_on()

    def _go_on(self) -> None:
        """Tell those who flush that less is left."""
        self._gone_on.set()
        self._gone_on = asyncio.Event()

    def _forget(self, followed: "_Followed") -> None:
        del self._unwritten[followed]
        self._ended.pop(followed, None)

    def _count(self, change: int) -> None:
        self._waiting += change
        WAITING.inc(change)

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until somebody is in a hurry."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()
        self._hurried.clear()

    # --- writing -----------------------------------------------------------------------------------------------

    def _next_batch(self) -> "list[_Piece]":
        batch: list[_Piece] = []
        room = BATCH
        for followed in self._unwritten:
            piece = _Piece(
                followed, followed.written, followed.journal.entries[followed.written : followed.written + room]
            )
            batch.append(piece)
            room -= len(piece.entries)
            if not room:
                break
        self._writing = {piece.followed for piece in batch}
        return batch

    async def _write(self, batch: "Iterable[_Piece]") -> None:
        rows = [piece.followed.row(self._process, piece.end) for piece in batch if piece.changes_call]

        def put(connection: Connection) -> None:
            if rows:
                connection.execute(self._put_calls, rows)
            connection.execute(self._put_events, [row for piece in batch for row in piece.rows()])

        await self._database.transaction(put)

    def _written(self, batch: "Iterable[_Piece]") -> None:
        self._writing = set()
        for piece in batch:
            followed = piece.followed
            followed.written += len(piece.entries)
            followed.is_known = True
            self._count(-len(piece.entries))
            del self._unwritten[followed]
            if followed.left:
                self._unwritten[followed] = None  # behind those that have waited longer
            else:
                self._ended.pop(followed, None)
        self._go_on()
        if self.is_away:
            logger.warning("records are written again; %d events were lost, %d wait", self._dropped, self._waiting)
            self.is_away, self._dropped = False, 0

    def _failed(self, batch: "Iterable[_Piece]", reason: str) -> None:
        self._writing = set()
        for piece in batch:
            piece.followed.is_known = False  # the call's row may have been deleted
        if not self.is_away:
            logger.warning("records cannot be written and wait in memory: DATABASE_URL cannot be used (%s)", reason)
            self.is_away = True


@dataclass(eq=False, slots=True)
class _Followed:
    """A journal and how much of it is in the database."""

    stream: Stream
    journal: Journal
    written: int = 0
    is_known: bool = False
    """Whether the call has its row."""

    @property
    def left(self) -> int:
        return len(self.journal.entries) - self.written

    def row(self, process: str, end: Entry | None) -> Row:
        stream = self.stream
        return {
            "sid": storable(stream.call_sid),
            "account_sid": storable(stream.account_sid),
            "caller": storable(stream.caller),
            "called": storable(stream.called),
            "started_at": stream.started_at,
            "streams": stream.number,
            "process": process,
            "ended_at": None if end is None else stream.started_at + end.at_s,
            "ended": None if end is None else storable(str(end.details.get("reason"))),
        }


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some entries of one journal, from a position on."""

    followed: _Followed
    first: int
    entries: list[Entry]

    @property
    def end(self) -> Entry | None:
        """The entry that ends the call, if it is among these."""
        is_last = self.first + len(self.entries) == len(self.followed.journal.entries)
        return self.entries[-1] if is_last and self.followed.journal.is_closed else None

    @property
    def changes_call(self) -> bool:
        return self.end is not None or not self.followed.is_known

    def rows(self) -> Iterable[Row]:
        stream = self.followed.stream
        for position, entry in enumerate(self.entries, self.first):
            yield {
                "call_sid": storable(stream.call_sid),
                "stream": stream.number,
                "position": position,
                "at": stream.started_at + entry.at_s,
                "kind": entry.kind.value,
                "details": entry.details,
            }


def _latest_call(database: Database) -> Executable:
    """Writes a call's row, unless a later stream of the call has written it."""
    insert = database.insert_into(calls)
    newer = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[calls.c.sid],
        set_={name: newer[name] for name in ("streams", "process", "ended_at", "ended")},
        where=newer.streams >= calls.c.streams,
    )


def storable(text: str) -> str:
    """Text as both databases take it: no NUL, no half of a surrogate pair. In JSON both are escaped."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
