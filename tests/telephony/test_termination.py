"""What SIGTERM does, with the signal really sent, to this process."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from telephony.termination import drain_on_sigterm


@pytest.fixture
def ended() -> Iterator[asyncio.Event]:
    """Set when what stood before our handler is called, as uvicorn's would be."""
    ended = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    yield ended
    signal.signal(signal.SIGTERM, before)


async def test_the_calls_are_handed_over_before_the_process_ends(ended: asyncio.Event) -> None:
    draining, drained = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        draining.set()
        await drained.wait()

    with drain_on_sigterm(drain):
        os.kill(os.getpid(), signal.SIGTERM)
        await draining.wait()
        assert not ended.is_set()
        drained.set()
        await ended.wait()


async def test_a_second_signal_changes_nothing(ended: asyncio.Event) -> None:
    begun, drained = 0, asyncio.Event()

    async def drain() -> None:
        nonlocal begun
        begun += 1
        await drained.wait()

    with drain_on_sigterm(drain):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
        drained.set()
        await ended.wait()
    assert begun == 1


async def test_a_drain_that_fails_does_not_keep_the_process(
    ended: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    async def drain() -> None:
        raise RuntimeError("out of order")

    with drain_on_sigterm(drain):
        os.kill(os.getpid(), signal.SIGTERM)
        await ended.wait()
    assert "handing the calls over failed" in caplog.text


async def test_afterwards_the_signal_does_what_it_did_before(ended: asyncio.Event) -> None:
    async def drain() -> None:
        raise AssertionError("nobody asked for this")

    with drain_on_sigterm(drain):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    await ended.wait()


def test_outside_of_the_main_thread_signals_are_left_alone() -> None:
    def run() -> None:
        async def inside() -> None:
            with drain_on_sigterm(asyncio.sleep):  # type: ignore[arg-type]
                pass

        asyncio.run(inside())

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
