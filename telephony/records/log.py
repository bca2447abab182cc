"""Reading a call back from the database: whose it was, and all that its journals held."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from telephony.call.journal import Entry, Kind
from telephony.records.database import Database
from telephony.records.schema import calls, events

AT_ONCE = 200
"""Entries made of what the database sends in one go: about a millisecond of the event loop."""

_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as it stands in the database. Instants are of the epoch; `entries` count from `started_at`.

    `ended_at` and `ended`, which says why, are those of its last stream: None while it goes on, or if its process died.
    """

    call_sid: str
    account_sid: str
    caller: str = field(repr=False)
    called: str = field(repr=False)
    started_at: float
    streams: int
    process: str
    ended_at: float | None
    ended: str | None
    entries: tuple[Entry, ...] = field(repr=False)


class Log:
    """What the records know of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, call_sid: str) -> RecordedCall | None:
        """One call with its entries, from the first stream to the last; None if there is no such call.

        Entries of a kind that this version does not know, for a later one wrote them, are left out. Raises
        `DatabaseAway`. Cancelling is safe.
        """
        return await self._database.transaction(lambda connection: _read(connection, call_sid))


def _read(connection: Connection, call_sid: str) -> RecordedCall | None:
    call = connection.execute(select(calls).where(calls.c.sid == call_sid)).one_or_none()
    if call is None:
        return None
    columns = (events.c.at, events.c.kind, events.c.details)
    wanted = select(*columns).where(events.c.call_sid == call_sid).order_by(events.c.stream, events.c.position)
    rows = connection.execute(wanted.execution_options(yield_per=AT_ONCE))
    entries = [Entry(at - call.started_at, _KINDS[kind], details) for at, kind, details in rows if kind in _KINDS]
    return RecordedCall(
        call.sid,
        call.account_sid,
        call.caller,
        call.called,
        call.started_at,
        call.streams,
        call.process,
        call.ended_at,
        call.ended,
        tuple(entries),
    )
