"""Where the talks of calls stand: by their log, or by what this process remembers while the log cannot be read."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

from telephony.call.journal import Entry, Journal, Kind
from telephony.records.database import DatabaseAway
from telephony.records.fold import Talk, fold
from telephony.records.records import Records
from telephony.records.writer import Stream

logger = logging.getLogger(__name__)

READ_LIMIT_S = 1.5
FLUSH_LIMIT_S = 0.5
"""How long a question about a call waits for what is not written yet."""
REMEMBERED = 500
"""Calls whose journals are kept in memory, the newest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A call as far as it has come. Instants are of the epoch: when it began, and when each of its streams did.

    `last_stream` is the number of the newest of them.
    """

    talk: Talk
    account_sid: str
    caller: str = field(repr=False)
    called: str = field(repr=False)
    started_at: float
    streams_at: tuple[float, ...]
    last_stream: int


class Talks:
    """Knows every call of the fleet while the database is there, and those of this process in any case."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._remembered: OrderedDict[str, list[tuple[Stream, Journal]]] = OrderedDict()

    def follow(self, stream: Stream, journal: Journal) -> None:
        """Have this stream of a call written down, and remember it."""
        self._records.follow(stream, journal)
        self._remembered.setdefault(stream.call_sid, []).append((stream, journal))
        self._remembered.move_to_end(stream.call_sid)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    async def of(self, call_sid: str) -> Standing | None:
        """Where a call stands; None if nobody knows of it, or nobody can be asked."""
        ours = self._remembered.get(call_sid, [])
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                unwritten = await self._records.flush(FLUSH_LIMIT_S)
                recorded = await self._records.log.of(call_sid)
        except (DatabaseAway, TimeoutError) as away:
            why = str(away) or "the database at DATABASE_URL is slow"
            logger.warning("where a call stands is known from memory alone: %s", why)
            recorded, unwritten = None, 1
        if recorded is None or (unwritten and recorded.streams == len(ours)):
            return _remembered(ours) if ours else None
        return Standing(
            fold(recorded.entries),
            recorded.account_sid,
            recorded.caller,
            recorded.called,
            recorded.started_at,
            tuple(recorded.started_at + entry.at_s for entry in _starts(recorded.entries)),
            recorded.streams,
        )


def _remembered(streams: list[tuple[Stream, Journal]]) -> Standing:
    (first, _), (last, _) = streams[0], streams[-1]
    entries = [entry for _, journal in streams for entry in journal.entries]
    began = tuple(stream.started_at for stream, _ in streams)
    return Standing(fold(entries), first.account_sid, first.caller, first.called, first.started_at, began, last.number)


def _starts(entries: tuple[Entry, ...]) -> list[Entry]:
    return [entry for entry in entries if entry.kind is Kind.CALL_STARTED]
