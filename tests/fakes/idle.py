"""A service that closes connections which stay silent for too long, in invented time."""

from websockets.asyncio.server import ServerConnection


class IdleWatch:
    """Time passes when the test says so; a connection is watched from its first `heard` on."""

    def __init__(self, limit_s: float, close_code: int, reason: str) -> None:
        self._limit_s = limit_s
        self._close_code = close_code
        self._reason = reason
        self._now = 0.0
        self._heard_at: dict[ServerConnection, float] = {}

    def heard(self, connection: ServerConnection) -> None:
        """The connection was opened, or brought something that counts."""
        self._heard_at[connection] = self._now

    async def pass_time(self, seconds: float) -> None:
        """So much time passes; connections that were silent for longer than the limit are closed."""
        self._now += seconds
        for connection, heard_at in list(self._heard_at.items()):
            if self._now - heard_at > self._limit_s:
                del self._heard_at[connection]
                await connection.close(self._close_code, self._reason)
