"""Engines that connect while the carrier is still opening the stream of the call they are for."""

import asyncio
import logging
from collections.abc import Callable

from providers.errors import OffhookError
from telephony.call.voices import Voices

logger = logging.getLogger(__name__)

MOST = 200
"""Calls whose engines may wait for them; those of further calls connect when the stream is there."""


class WarmVoices:
    """A store of engines by CallSid, for as long as their streams may yet come. `make` makes those of one call."""

    def __init__(self, make: Callable[[], Voices], lifetime_s: float) -> None:
        self._make = make
        self._lifetime_s = lifetime_s
        self._waiting: dict[str, tuple[Voices, asyncio.Task[None]]] = {}

    def expect(self, call_sid: str) -> None:
        """A stream of this call is about to be opened: begin to connect, in the background. Never raises."""
        if call_sid in self._waiting or len(self._waiting) >= MOST:
            return
        try:
            voices = self._make()
        except OffhookError:
            return  # the call will be told why, when it asks for engines itself
        task = asyncio.create_task(self._keep(call_sid, voices), name="warm engines")
        self._waiting[call_sid] = voices, task

    def claim(self, call_sid: str) -> Voices:
        """The engines of this call, connected or not; from here on the caller disconnects them."""
        if call_sid not in self._waiting:
            return self._make()
        voices, task = self._waiting.pop(call_sid)
        task.cancel()
        return voices

    async def aclose(self) -> None:
        """Let go of the engines that nobody has claimed."""
        tasks = [task for _, task in self._waiting.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _keep(self, call_sid: str, voices: Voices) -> None:
        """Connect, and wait to be claimed; unclaimed the engines are let go in time."""
        try:
            async with asyncio.timeout(self._lifetime_s):
                await voices.connect()
                await asyncio.Event().wait()
        except TimeoutError:
            logger.info("no stream came for call %s", call_sid)
        except Exception as error:
            logger.info("engines that were to be ready for call %s do not connect yet: %r", call_sid, error)
        finally:
            if call_sid in self._waiting:
                del self._waiting[call_sid]
                await voices.disconnect()
