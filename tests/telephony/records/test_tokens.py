"""Tokens that were used: by one process, once."""

import asyncio

from telephony.records.database import Database
from telephony.records.tokens import RedeemedTokens


async def test_a_token_is_redeemed_once_however_many_try(database: Database) -> None:
    fleet = [RedeemedTokens(database) for _ in range(5)]
    tried = await asyncio.gather(*(tokens.redeem("seal", 160.0) for tokens in fleet))
    assert sorted(tried) == [False, False, False, False, True]
    assert await fleet[0].redeem("another seal", 160.0)


async def test_what_has_expired_is_forgotten(database: Database) -> None:
    tokens = RedeemedTokens(database)
    await tokens.redeem("old", 100.0)
    await tokens.redeem("new", 101.0)
    await tokens.forget_expired(100.0)
    assert await tokens.redeem("old", 100.0)
    assert not await tokens.redeem("new", 101.0)
