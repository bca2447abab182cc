"""This process among those that share its database: the calls it holds, and those that nobody holds any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from telephony.records.database import DatabaseAway
from telephony.records.leases import Lease, Leases

logger = logging.getLogger(__name__)

CLAIM_LIMIT_S = 1.0
"""Longest a call waits for the database at its beginning; without it the call goes on all the same."""
RENEW_S = 2.0
LIFETIME_S = 7.0
"""How long a process that renews nothing still holds its calls."""
WATCH_S = 1.0
"""How long a call whose stream is over may take to be taken up before it is brought back."""
MOST_WATCHED = 1000
AT_ONCE = 5
"""Calls that are brought back at a time: each takes some questions of the database, and an order to the carrier."""


class Fleet:
    """Holds this process's calls, and sees to calls that are held by nobody.

    `on_taken` is told of a call of ours that another process has taken. `recover` brings a call back whose stream is
    lost; it is asked by one process only, and must not raise. A database that is away costs no call anything: nothing
    is taken from anybody then. `now` is of the epoch.
    """

    def __init__(
        self,
        leases: Leases,
        on_taken: Callable[[str], None],
        recover: Callable[[str], Awaitable[None]],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._leases = leases
        self._on_taken = on_taken
        self._recover = recover
        self._now = now
        self._sleep = sleep
        self._held: dict[str, str] = {}  # the stream of each call
        self._well_since: float | None = None  # how long the database has been there without a break
        self._watching: dict[str, asyncio.Task[None]] = {}  # by stream
        self._room = asyncio.Semaphore(AT_ONCE)
        self._renewing: asyncio.Task[None] | None = None
        self.live_calls: int | None = None
        """Calls of all processes together, a few seconds ago; None while nobody knows."""

    def start(self) -> None:
        """Begin to renew and to look for lost calls."""
        self._renewing = asyncio.create_task(self._keep_renewing(), name="leases")

    async def stop(self) -> None:
        """Renew and watch no more."""
        tasks = [*self._watching.values(), *([self._renewing] if self._renewing else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def claim(self, call_sid: str, stream_sid: str) -> int | None:
        """Take a call whose stream begins here; the number of the stream, None if the database is away."""
        try:
            async with asyncio.timeout(CLAIM_LIMIT_S):
                number = await self._leases.claim(call_sid, stream_sid, self._now())
        except (DatabaseAway, TimeoutError) as away:
            logger.warning("no other process will know of this call: %s", _why(away))
            return None
        self._held[call_sid] = stream_sid
        return number

    async def release(self, call_sid: str, stream_sid: str) -> None:
        """Let a call go whose stream has ended, unless it has another one by now."""
        if self._held.get(call_sid) == stream_sid:
            del self._held[call_sid]
        with suppress(DatabaseAway, TimeoutError):  # then it expires
            async with asyncio.timeout(CLAIM_LIMIT_S):
                await self._leases.release(call_sid, stream_sid, self._now())

    async def answered(self, call_sid: str) -> None:
        """The carrier is being told what comes after a call's stream: nobody else need tell it.

        Whoever has served that stream may be letting it go just now, or watching it: that changes nothing.
        """
        with suppress(DatabaseAway, TimeoutError):
            async with asyncio.timeout(CLAIM_LIMIT_S):
                seen = await self._leases.of(call_sid)
                if seen is not None:
                    await self._leases.take_stream(call_sid, seen.stream_sid, self._now())

    def watch(self, call_sid: str, stream_sid: str) -> None:
        """The carrier says that a stream is over: see to it that its call, if it is still up, is not forgotten."""
        self._begin(stream_sid, partial(self._watch, call_sid, stream_sid))

    def _begin(self, stream_sid: str, work: Callable[[], Awaitable[None]]) -> None:
        """Look after a stream, unless somebody does; what is not looked after is found when its lease expires."""
        if stream_sid in self._watching or len(self._watching) >= MOST_WATCHED:
            return
        task = asyncio.create_task(_logged(work), name="look after a lost stream")
        self._watching[stream_sid] = task
        task.add_done_callback(lambda _: self._watching.pop(stream_sid))

    async def _watch(self, call_sid: str, stream_sid: str) -> None:
        """If the carrier neither asks what is next nor opens another stream, tell it; if we die, others do."""
        if not await self._leases.let_expire(call_sid, stream_sid, self._now() + WATCH_S):
            return
        await self._sleep(WATCH_S)
        async with self._room:
            if await self._leases.take_stream(call_sid, stream_sid, self._now()):
                await self._recover(call_sid)

    async def _keep_renewing(self) -> None:
        while True:
            await self._sleep(RENEW_S)
            try:
                await self._renew()
                if self._well_since is not None and self._now() - self._well_since >= LIFETIME_S:
                    for lost in await self._leases.expired(self._now()):
                        self._begin(lost.stream_sid, partial(self._bring_back, lost))
            except DatabaseAway as away:
                if self._well_since is not None:
                    logger.warning("no process knows what the others do: %s", away)
                self._well_since = self.live_calls = None

    async def _renew(self) -> None:
        """Whoever was without the database for a while may have lost what it held, and so may all the others."""
        before = dict(self._held)
        renewed = await self._leases.renew(self._now())
        self.live_calls = await self._leases.live(self._now())
        if self._well_since is None:
            self._well_since = self._now()
        for call_sid, stream_sid in before.items():
            if call_sid not in renewed and self._held.get(call_sid) == stream_sid:
                del self._held[call_sid]
                self._on_taken(call_sid)

    async def _bring_back(self, seen: Lease) -> None:
        async with self._room:
            if await self._leases.take_over(seen, self._now()):
                await self._recover(seen.call_sid)


async def _logged(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except DatabaseAway as away:
        logger.warning("a lost call cannot be looked for: %s", away)


def _why(away: Exception) -> str:
    return str(away) or "the database at DATABASE_URL is slow"
