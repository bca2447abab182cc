"""What is deleted, and when: records that are old enough, and all of one caller's when they ask for it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select

from telephony.records.database import Database
from telephony.records.recording import recording_name
from telephony.records.schema import calls, leases
from telephony.records.storage import Storage

AT_ONCE = 50
"""Calls deleted in one transaction, so that whoever writes need not wait for long."""
MOST_AT_A_TIME = 10_000
"""Calls that one run of the background job deletes."""
LEASE_KEPT_S = 86_400.0
"""How long a lease that nobody holds counts the streams of its call: longer than any call."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many calls were deleted, and how many of them had not ended and may leave new records."""

    calls: int
    unended: int


async def prune(database: Database, storage: Storage, before: float) -> int:
    """Delete calls that began before an instant of the epoch, with events and recordings; returns how many.

    Raises `DatabaseAway` and `StorageFailed`, and may be run again then, as after it was cancelled.
    """
    pruned = 0
    while pruned < MOST_AT_A_TIME and (some := await _delete_some(database, storage, calls.c.started_at < before)):
        pruned += some.calls
    return pruned


async def forget(database: Database, storage: Storage, number: str) -> Forgotten:
    """Delete all calls from this number, given as Twilio gives it, with events and recordings. Raises as `prune`."""
    total = Forgotten(0, 0)
    while some := await _delete_some(database, storage, calls.c.caller == number):
        total = Forgotten(total.calls + some.calls, total.unended + some.unended)
    return total


async def forget_leases(database: Database, now: float) -> None:
    """Delete leases that ended long ago. Raises `DatabaseAway`."""
    old = delete(leases).where(leases.c.expires_at < now - LEASE_KEPT_S)
    await database.transaction(lambda connection: connection.execute(old))


async def _delete_some(database: Database, storage: Storage, which: ColumnElement[bool]) -> Forgotten | None:
    """Recordings first: a row that is left finds them again."""
    found = select(calls.c.sid, calls.c.streams, calls.c.ended_at).where(which).limit(AT_ONCE)
    rows = await database.transaction(lambda connection: connection.execute(found).all())
    if not rows:
        return None
    await storage.delete(recording_name(row.sid, stream) for row in rows for stream in range(1, row.streams + 1))
    those = delete(calls).where(calls.c.sid.in_([row.sid for row in rows]))
    await database.transaction(lambda connection: connection.execute(those))
    return Forgotten(len(rows), sum(row.ended_at is None for row in rows))
