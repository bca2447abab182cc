"""One thread for one engine, shared fairly: jobs of all calls in a bounded queue, each call served in its turn."""

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from providers.errors import ProviderException


class _Waiting(Protocol):
    """A job as the queue sees it, whatever it results in."""

    def _run(self) -> None: ...

    def _refuse(self, error: ProviderException) -> None: ...


class Job[T]:
    """Work handed in, to be awaited or withdrawn: a queued job is then dropped, a running one ends unheard."""

    def __init__(self, queue: "InferenceQueue", call: Hashable, work: Callable[[], T]) -> None:
        self._queue = queue
        self._call = call
        self._work: Callable[[], T] | None = work
        self._future: Future[T] = Future()

    async def result(self, timeout_s: float) -> T:
        """Wait for the result; raises the queue's error after `timeout_s`, or with the cause if the work failed.

        Cancelling is safe and withdraws the job.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(self._future)
        except TimeoutError as error:
            raise self._queue.error(f"no result within {timeout_s:g} s", retryable=True) from error
        except ProviderException:
            raise
        except Exception as error:
            raise self._queue.error(f"{type(error).__name__} in the engine") from error
        finally:
            self.withdraw()

    def withdraw(self) -> None:
        """Give the job up, if it has not run yet; safe to call at any time, and twice."""
        if self._future.cancel():
            self._queue._forget(self._call, self)

    def _run(self) -> None:
        work, self._work = self._work, None  # what the job holds, often seconds of audio, goes as soon as it is used
        if work is None or not self._future.set_running_or_notify_cancel():
            return
        try:
            self._future.set_result(work())
        except BaseException as error:  # whatever it was, the waiting side has to hear of it
            self._future.set_exception(error)

    def _refuse(self, error: ProviderException) -> None:
        self._work = None
        if self._future.set_running_or_notify_cancel():
            self._future.set_exception(error)


class InferenceQueue:
    """Runs jobs one at a time on a thread of its own: first come, first served within a call, in turn between calls.

    `limit` bounds the jobs that wait; `error` is the class of what goes wrong here.
    """

    def __init__(self, operation: str, *, limit: int, error: type[ProviderException]) -> None:
        self._operation = operation
        self._limit = limit
        self._error = error
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=operation)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Hashable, deque[_Waiting]] = OrderedDict()

    def submit[T](self, call: Hashable, work: Callable[[], T]) -> Job[T]:
        """Queue `work` for a call; never blocks. Raises the queue's error, retryable, when it is full or shut down."""
        job = Job(self, call, work)
        with self._lock:
            if sum(map(len, self._waiting.values())) >= self._limit:
                raise self.error(f"overloaded: {self._limit} jobs are waiting", retryable=True)
            try:
                self._pool.submit(self._run_next)
            except RuntimeError as error:
                raise self.error("the engine is shut down") from error
            self._waiting.setdefault(call, deque()).append(job)
        return job

    @property
    def waiting(self) -> int:
        """How many jobs wait, the running one not counted."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def shutdown(self) -> None:
        """Drop what waits, let what runs end, and join the thread; blocks for as long as one job takes."""
        with self._lock:
            dropped = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
        for job in dropped:
            job._refuse(self.error("the engine is shut down"))
        self._pool.shutdown()

    def error(self, message: str, *, retryable: bool = False) -> ProviderException:
        return self._error(message, provider="local", operation=self._operation, retryable=retryable)

    def _run_next(self) -> None:
        """Take the longest waiting call's first job; one of these is pooled per job, so none is left behind."""
        with self._lock:
            if not self._waiting:
                return
            call, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[call] = jobs
        job._run()

    def _forget(self, call: Hashable, job: _Waiting) -> None:
        with self._lock:
            jobs = self._waiting.get(call)
            if jobs is not None and job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._waiting[call]
