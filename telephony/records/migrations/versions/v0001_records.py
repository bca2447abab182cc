"""Calls and their events, leases on calls, and the stream tokens that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("sid", sa.Text, primary_key=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False, index=True),
        sa.Column("called", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False, index=True),
        sa.Column("streams", sa.Integer, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("ended", sa.Text),
    )
    op.create_table(
        "events",
        sa.Column("call_sid", sa.Text, sa.ForeignKey("calls.sid", ondelete="CASCADE"), primary_key=True),
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("call_sid", sa.Text, primary_key=True),
        sa.Column("stream", sa.Integer, nullable=False),
        sa.Column("stream_sid", sa.Text, nullable=False),
        sa.Column("process", sa.Text, index=True),
        sa.Column("expires_at", sa.Double, nullable=False, index=True),
    )
    op.create_table(
        "tokens",
        sa.Column("seal", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Double, nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("tokens", "leases", "events", "calls"):
        op.drop_table(table)
