import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from providers.errors import TranscriptionError
from providers.voice.local.inference import InferenceQueue

LONG_S = 30.0


class Gate:
    """Work that runs until it is let go, so that a test decides what waits behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        self.opened.wait(LONG_S)
        return "gate"


@pytest.fixture
def queue() -> Iterator[InferenceQueue]:
    queue = InferenceQueue("speech_to_text", limit=8, error=TranscriptionError)
    yield queue
    queue.shutdown()


@pytest.fixture
def gate(queue: InferenceQueue) -> Iterator[Gate]:
    """The queue's thread is busy for as long as the gate is shut."""
    gate = Gate()
    queue.submit("someone else", gate)
    gate.entered.wait(LONG_S)
    yield gate
    gate.opened.set()


async def test_work_runs_elsewhere_and_gives_its_result(queue: InferenceQueue) -> None:
    ran_on = await queue.submit("call", threading.current_thread).result(LONG_S)
    assert ran_on is not threading.current_thread()


async def test_the_loop_goes_on_while_work_runs(queue: InferenceQueue, gate: Gate) -> None:
    job = queue.submit("call", lambda: "mine")
    waiting = asyncio.ensure_future(job.result(LONG_S))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    gate.opened.set()
    assert await waiting == "mine"


async def test_calls_take_turns_and_each_keeps_its_order(queue: InferenceQueue, gate: Gate) -> None:
    done: list[str] = []

    def work(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    jobs = [queue.submit(name[0], work(name)) for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1")]
    gate.opened.set()
    for job in jobs:
        await job.result(LONG_S)
    assert done == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


async def test_a_full_queue_refuses_and_says_that_later_may_do(queue: InferenceQueue, gate: Gate) -> None:
    jobs = [queue.submit("call", lambda: None) for _ in range(8)]
    with pytest.raises(TranscriptionError, match="overloaded") as caught:
        queue.submit("other", lambda: None)
    assert (caught.value.retryable, caught.value.provider) == (True, "local")
    jobs[3].withdraw()
    queue.submit("other", lambda: None)


async def test_a_withdrawn_job_never_runs_and_makes_room(queue: InferenceQueue, gate: Gate) -> None:
    done: list[str] = []
    first, second = queue.submit("call", lambda: done.append("1")), queue.submit("call", lambda: done.append("2"))
    assert queue.waiting == 2
    first.withdraw()
    first.withdraw()
    assert queue.waiting == 1
    gate.opened.set()
    await second.result(LONG_S)
    assert done == ["2"]


async def test_cancelling_the_wait_withdraws_the_job(queue: InferenceQueue, gate: Gate) -> None:
    waiting = asyncio.ensure_future(queue.submit("call", lambda: "unheard").result(LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert queue.waiting == 0


async def test_cancelling_while_it_runs_leaves_the_thread_usable(queue: InferenceQueue) -> None:
    gate = Gate()
    waiting = asyncio.ensure_future(queue.submit("call", gate).result(LONG_S))
    await asyncio.to_thread(gate.entered.wait, LONG_S)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.opened.set()
    assert await queue.submit("call", lambda: "next").result(LONG_S) == "next"


async def test_a_wait_has_an_end(queue: InferenceQueue, gate: Gate) -> None:
    job = queue.submit("call", lambda: None)
    with pytest.raises(TranscriptionError, match="no result within 0 s") as caught:
        await job.result(0)
    assert caught.value.retryable
    assert queue.waiting == 0


async def test_a_failure_is_attributed_and_its_text_kept_out(queue: InferenceQueue) -> None:
    def fail() -> None:
        raise RuntimeError("the caller said: my card number is 4111")

    with pytest.raises(TranscriptionError) as caught:
        await queue.submit("call", fail).result(LONG_S)
    assert "4111" not in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert (caught.value.operation, caught.value.retryable) == ("speech_to_text", False)


async def test_a_failure_of_the_right_kind_passes_as_it_is(queue: InferenceQueue) -> None:
    error = TranscriptionError("mine")

    def fail() -> None:
        raise error

    with pytest.raises(TranscriptionError) as caught:
        await queue.submit("call", fail).result(LONG_S)
    assert caught.value is error


async def test_shutdown_ends_what_runs_refuses_what_waits_and_takes_no_more(queue: InferenceQueue, gate: Gate) -> None:
    waiting = asyncio.ensure_future(queue.submit("call", lambda: "late").result(LONG_S))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(queue.shutdown))
    with pytest.raises(TranscriptionError, match="shut down"):
        await waiting
    gate.opened.set()
    await closing
    with pytest.raises(TranscriptionError, match="shut down"):
        queue.submit("call", lambda: None)
