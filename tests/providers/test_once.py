"""One piece of work for all who ask, its failures and its end."""

import asyncio

import pytest

from providers.once import Once


class Work:
    """Waits for its gate, then fails if it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.fails = False
        self.begun = 0
        self.once = Once(self._do, "work")

    async def _do(self) -> None:
        self.begun += 1
        await self.gate.wait()
        if self.fails:
            raise LookupError


@pytest.fixture
async def work() -> Work:
    return Work()


async def test_it_is_done_once_for_all(work: Work) -> None:
    asking = [asyncio.create_task(work.once.done()) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    work.gate.set()
    await asyncio.wait(asking)
    await work.once.done()
    assert [task.cancelled() for task in asking] == [True, False, False]
    assert work.begun == 1


async def test_what_failed_is_done_again(work: Work) -> None:
    work.gate.set()
    work.fails = True
    for _ in range(2):
        with pytest.raises(LookupError):
            await work.once.done()
    work.fails = False
    await work.once.done()
    assert work.begun == 3


async def test_given_up_it_stops_and_may_begin_again(work: Work) -> None:
    task = work.once.begin()
    await asyncio.sleep(0)
    await work.once.give_up()
    await work.once.give_up()
    assert task.cancelled()
    work.gate.set()
    await work.once.done()
    assert work.begun == 2
