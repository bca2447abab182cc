"""What hears and what speaks in one call, connected once, be it before the call's stream has come or after."""

import asyncio
import logging
from collections.abc import Collection
from functools import partial
from types import TracebackType
from typing import Self

from providers.once import Once
from providers.voice.base import BaseVoiceProvider

logger = logging.getLogger(__name__)

DISCONNECT_LIMIT_S = 10.0


class Voices:
    """The engines of one call; the two may be one instance. As a context they are let go at its end."""

    def __init__(self, hears: BaseVoiceProvider, speaks: BaseVoiceProvider) -> None:
        self.hears = hears
        self.speaks = speaks
        self._engines = {id(engine): engine for engine in (hears, speaks)}.values()
        self._connecting = Once(partial(_connect, self._engines), "connect engines")  # not us: that would be a cycle

    async def connect(self) -> None:
        """Connect both, unless they are or somebody is at it; raises what they raise, in a group.

        Cancelling leaves them connecting, until `disconnect`.
        """
        await self._connecting.done()

    async def disconnect(self) -> None:
        """Let go of both, whatever state they are in; what goes wrong is logged."""
        await self._connecting.give_up()
        for engine in self._engines:
            try:
                async with asyncio.timeout(DISCONNECT_LIMIT_S):
                    await engine.disconnect()
            except Exception:
                logger.exception("an engine does not disconnect")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()


async def _connect(engines: Collection[BaseVoiceProvider]) -> None:
    async with asyncio.TaskGroup() as group:
        for engine in engines:
            group.create_task(engine.connect())
