"""Stream tokens that were used, known to the whole fleet."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from telephony.records.database import insert_into, transaction
from telephony.records.schema import tokens


class RedeemedTokens:
    """Remembers the seals of tokens until the tokens have expired by themselves."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def redeem(self, seal: str, expires_at: float) -> bool:
        """Use a token up; False if any process has done so before. `expires_at` is of the epoch.

        Raises `DatabaseAway`, after which the token may be used up; so it may be if this is cancelled.
        """
        insert = insert_into(self._engine, tokens).values(seal=seal, expires_at=expires_at)
        async with transaction(self._engine) as connection:
            redeemed = await connection.execute(insert.on_conflict_do_nothing().returning(tokens.c.seal))
            return redeemed.scalar_one_or_none() is not None

    async def forget_expired(self, now: float) -> None:
        """Forget the tokens that are refused anyway. Raises `DatabaseAway`."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
