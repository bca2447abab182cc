"""The tables of the records. `migrations` makes them; a test compares the two.

Instants are seconds of the epoch. A call's events are keyed by its streams, numbered from 1, and by their position in
the stream's journal: whoever writes one twice writes it once, and a process that has lost a call without knowing it
writes beside the one that has taken it up.
"""

from sqlalchemy import JSON, Column, Double, ForeignKey, Integer, MetaData, Table, Text

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("account_sid", Text, nullable=False),
    Column("caller", Text, nullable=False, index=True),
    Column("called", Text, nullable=False),
    Column("started_at", Double, nullable=False, index=True),
    Column("streams", Integer, nullable=False),  # the number of the last of them
    Column("process", Text, nullable=False),  # that serves, or served, that one
    Column("ended_at", Double),  # of the last of them
    Column("ended", Text),  # why
)

events = Table(
    "events",
    metadata,
    Column("call_sid", ForeignKey("calls.sid", ondelete="CASCADE"), primary_key=True),
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("details", JSON, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("call_sid", Text, primary_key=True),
    Column("stream", Integer, nullable=False),
    Column("stream_sid", Text, nullable=False),  # the carrier's name for it
    Column("process", Text, index=True),  # null: nobody holds it
    Column("expires_at", Double, nullable=False, index=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("seal", Text, primary_key=True),
    Column("expires_at", Double, nullable=False, index=True),
)
