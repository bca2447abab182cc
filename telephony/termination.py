"""What SIGTERM does: the process hands its calls over before it ends, instead of hanging up on all of them at once."""

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

logger = logging.getLogger(__name__)


@contextmanager
def drain_on_sigterm(drain: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """While inside, the first SIGTERM runs `drain` on the running loop, and when that is over does what it did before.

    Later ones change nothing: a platform may send several. Uvicorn's own handler, which is the one before, closes
    every socket at once, so this is entered after it was set: in the application's lifespan. Outside of the main
    thread, where no signal arrives, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    draining: asyncio.Task[None] | None = None

    async def drain_and_end() -> None:
        try:
            await drain()
        except Exception:
            logger.exception("handing the calls over failed, the process ends all the same")
        if callable(before):
            before(signal.SIGTERM, None)
        else:  # nobody is there to end the process but the system
            signal.signal(signal.SIGTERM, before)
            signal.raise_signal(signal.SIGTERM)

    def begin() -> None:
        nonlocal draining
        if draining is None:
            draining = loop.create_task(drain_and_end(), name="drain")

    def on_signal(_: int, __: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin)

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if draining is not None:
            draining.cancel()
