"""Leases: which process of the fleet serves which call, so that there are never two bots on one."""

from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, and_, func, select, update

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


class Leases:
    """The leases of one process, among those of the fleet. `now` is of the epoch: the fleet's clocks should agree.

    Every method is one statement, so that two processes never both succeed; all raise `DatabaseAway`, after which the
    order may or may not have been carried out. Cancelling is safe in the same sense.
    """

    def __init__(self, database: Database, process: str, lifetime_s: float = 15.0) -> None:
        self._database = database
        self._process = process
        self._lifetime_s = lifetime_s

    async def claim(self, call_sid: str, stream_sid: str, now: float) -> int:
        """A stream of this call has begun here: take the call from whoever has it; returns the stream's number.

        The carrier has decided where the call is, so the newest stream wins.
        """
        held = {"stream_sid": stream_sid, **self._held(now)}
        insert = self._database.insert_into(leases).values(call_sid=call_sid, stream=1, **held)
        claim = insert.on_conflict_do_update(
            index_elements=[leases.c.call_sid], set_={"stream": leases.c.stream + 1, **held}
        )
        numbered = claim.returning(leases.c.stream)
        return await self._database.transaction(lambda connection: connection.execute(numbered).scalar_one())

    async def of(self, call_sid: str) -> Lease | None:
        """A call's lease, whoever holds it, or held it last; None if it has had no stream."""
        wanted = select(leases).where(leases.c.call_sid == call_sid)
        row = await self._database.transaction(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else Lease(**row._mapping)

    async def take_over(self, seen: Lease, now: float) -> bool:
        """Take a call whose stream is over from whoever held it; False if its lease is not as it was `seen` any more.

        Nobody holds it then, and it has no stream: whoever takes it tells the carrier what is next. A process that
        serves it after all finds out when it renews.
        """
        is_unchanged = and_(*(leases.c[field.name] == getattr(seen, field.name) for field in fields(Lease)))
        return await self._change(is_unchanged, stream_sid="", process=None, expires_at=now)

    async def let_expire(self, call_sid: str, stream_sid: str, at: float) -> bool:
        """A stream is over: from `at` on its call counts as lost; False if it has another, or somebody took it."""
        return await self._change(self._with(call_sid, stream_sid), expires_at=at)

    async def take_stream(self, call_sid: str, stream_sid: str, now: float) -> bool:
        """Take a call whose stream is over, as `take_over` does, whatever its holder has done with it meanwhile."""
        return await self._change(self._with(call_sid, stream_sid), stream_sid="", process=None, expires_at=now)

    async def renew(self, now: float) -> set[str]:
        """Go on holding all that this process holds; returns the calls, without those that were taken from it."""
        renew = update(leases).where(leases.c.process == self._process).values(expires_at=now + self._lifetime_s)
        renewed = renew.returning(leases.c.call_sid)
        return await self._database.transaction(lambda connection: {*connection.execute(renewed).scalars()})

    async def release(self, call_sid: str, stream_sid: str, now: float) -> bool:
        """Let a call go whose stream has ended; False if it was not this process's any more, or has another stream."""
        mine = and_(self._with(call_sid, stream_sid), leases.c.process == self._process)
        return await self._change(mine, process=None, expires_at=now)

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

    async def _change(self, which: ColumnElement[bool], **values: str | float | None) -> bool:
        """Change one lease; False if there is none such."""
        change = update(leases).where(which).values(**values).returning(leases.c.stream)
        changed = await self._database.transaction(lambda connection: connection.execute(change).scalar_one_or_none())
        return changed is not None

    @staticmethod
    def _with(call_sid: str, stream_sid: str) -> ColumnElement[bool]:
        """The lease of a call that has had no stream since this one, nor is about to."""
        return and_(leases.c.call_sid == call_sid, leases.c.stream_sid == stream_sid)

    def _held(self, now: float) -> dict[str, str | float]:
        return {"process": self._process, "expires_at": now + self._lifetime_s}
