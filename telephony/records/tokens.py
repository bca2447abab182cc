"""Stream tokens that were used, known to the whole fleet."""

from sqlalchemy import delete

from telephony.records.database import Database
from telephony.records.schema import tokens


class RedeemedTokens:
    """Remembers the seals of tokens until the tokens have expired by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._redeem = database.insert_into(tokens).on_conflict_do_nothing().returning(tokens.c.seal)

    async def redeem(self, seal: str, expires_at: float) -> bool:
        """Use a token up; False if any process has done so before. `expires_at` is of the epoch.

        Raises `DatabaseAway`, after which the token may be used up; so it may be if this is cancelled.
        """
        token = {"seal": seal, "expires_at": expires_at}
        redeemed = await self._database.transaction(
            lambda connection: connection.execute(self._redeem, token).scalar_one_or_none()
        )
        return redeemed is not None

    async def forget_expired(self, now: float) -> None:
        """Forget the tokens that are refused anyway. Raises `DatabaseAway`."""
        expired = delete(tokens).where(tokens.c.expires_at <= now)
        await self._database.transaction(lambda connection: connection.execute(expired))
