"""Leases: which process of the fleet serves which call, so that there are never two bots on one."""

from dataclasses import dataclass, fields

from sqlalchemy import Executable, and_, bindparam, func, select, update

from telephony.records.database import Database
from telephony.records.schema import leases


@dataclass(frozen=True, slots=True)
class Lease:
    """A process holds a call's stream of this number until `expires_at`, has let it expire, or has let it go.

    `stream_sid` is the carrier's name for the stream, empty once the carrier was told what comes after it; `process` is
    None for a call that was let go.
    """

    call_sid: str
    stream: int
    stream_sid: str
    process: str | None
    expires_at: float


# Built once, for to build a statement takes longer than to carry it out.
_LEASE = leases.c.call_sid == bindparam("of_call")
_OF = select(leases).where(_LEASE)
_WITH_STREAM = update(leases).where(_LEASE, leases.c.stream_sid == bindparam("of_stream"))
"""The lease of a call that has had no stream since this one, nor is about to."""
_EXPIRING = _WITH_STREAM.values(expires_at=bindparam("at")).returning(leases.c.stream)
_TAKEN = _WITH_STREAM.values(stream_sid="", process=None, expires_at=bindparam("at")).returning(leases.c.stream)
_RELEASED = (
    _WITH_STREAM.where(leases.c.process == bindparam("of_process"))
    .values(process=None, expires_at=bindparam("at"))
    .returning(leases.c.stream)
)


class Leases:
    """The leases of one process, among those of the fleet. `now` is of the epoch: the fleet's clocks should agree.

    Every method is one statement, so that two processes never both succeed; all raise `DatabaseAway`, after which the
    order may or may not have been carried out. Cancelling is safe in the same sense.
    """

    def __init__(self, database: Database, process: str, lifetime_s: float = 15.0) -> None:
        self._database = database
        self._process = process
        self._lifetime_s = lifetime_s
        self._claim = _claim(database)

    async def claim(self, call_sid: str, stream_sid: str, now: float) -> int:
        """A stream of this call has begun here: take the call from whoever has it; returns the stream's number.

        The carrier has decided where the call is, so the newest stream wins.
        """
        held = {"call_sid": call_sid, "stream": 1, "stream_sid": stream_sid, **self._held(now)}
        return await self._database.transaction(lambda connection: connection.execute(self._claim, held).scalar_one())

    async def of(self, call_sid: str) -> Lease | None:
        """A call's lease, whoever holds it, or held it last; None if it has had no stream."""
        which = {"of_call": call_sid}
        row = await self._database.transaction(lambda connection: connection.execute(_OF, which).one_or_none())
        return None if row is None else Lease(**row._mapping)

    async def take_over(self, seen: Lease, now: float) -> bool:
        """Take a call whose stream is over from whoever held it; False if its lease is not as it was `seen` any more.

        Nobody holds it then, and it has no stream: whoever takes it tells the carrier what is next. A process that
        serves it after all finds out when it renews.
        """
        is_unchanged = and_(*(leases.c[field.name] == getattr(seen, field.name) for field in fields(Lease)))
        take = update(leases).where(is_unchanged).values(stream_sid="", process=None, expires_at=now)
        return await self._changes(take.returning(leases.c.stream))

    async def let_expire(self, call_sid: str, stream_sid: str, at: float) -> bool:
        """A stream is over: from `at` on its call counts as lost; False if it has another, or somebody took it."""
        return await self._changes(_EXPIRING, of_call=call_sid, of_stream=stream_sid, at=at)

    async def take_stream(self, call_sid: str, stream_sid: str, now: float) -> bool:
        """Take a call whose stream is over, as `take_over` does, whatever its holder has done with it meanwhile."""
        return await self._changes(_TAKEN, of_call=call_sid, of_stream=stream_sid, at=now)

    async def renew(self, now: float) -> set[str]:
        """Go on holding all that this process holds; returns the calls, without those that were taken from it."""
        renew = update(leases).where(leases.c.process == self._process).values(expires_at=now + self._lifetime_s)
        renewed = renew.returning(leases.c.call_sid)
        return await self._database.transaction(lambda connection: {*connection.execute(renewed).scalars()})

    async def release(self, call_sid: str, stream_sid: str, now: float) -> bool:
        """Let a call go whose stream has ended; False if it was not this process's any more, or has another stream."""
        which = {"of_call": call_sid, "of_stream": stream_sid, "of_process": self._process}
        return await self._changes(_RELEASED, **which, at=now)

    async def expired(self, now: float, most: int = 100) -> list[Lease]:
        """Leases whose process has not renewed them, the longest expired first."""
        lost = and_(leases.c.process.is_not(None), leases.c.expires_at <= now)
        found = select(leases).where(lost).order_by(leases.c.expires_at).limit(most)
        rows = await self._database.transaction(lambda connection: connection.execute(found).all())
        return [Lease(**row._mapping) for row in rows]

    async def live(self, now: float) -> int:
        """How many calls the fleet holds."""
        held = and_(leases.c.process.is_not(None), leases.c.expires_at > now)
        count = select(func.count()).where(held)
        return await self._database.transaction(lambda connection: connection.execute(count).scalar_one())

    async def _changes(self, change: Executable, **values: str | float) -> bool:
        """Change one lease; False if there is none such."""
        changed = await self._database.transaction(
            lambda connection: connection.execute(change, values).scalar_one_or_none()
        )
        return changed is not None

    def _held(self, now: float) -> dict[str, str | float]:
        return {"process": self._process, "expires_at": now + self._lifetime_s}


def _claim(database: Database) -> Executable:
    insert = database.insert_into(leases)
    held = {name: insert.excluded[name] for name in ("stream_sid", "process", "expires_at")}
    claim = insert.on_conflict_do_update(
        index_elements=[leases.c.call_sid], set_={"stream": leases.c.stream + 1, **held}
    )
    return claim.returning(leases.c.stream)
