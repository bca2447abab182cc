"""An event loop in invented time: when nothing is ready it jumps to the next timer instead of waiting for it."""

import asyncio
import selectors


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: a wish to wait moves the clock on, while ready sockets and woken threads are still served first."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits for something that will never happen")
        self.now += timeout
        return []


class InventedTimeLoop(asyncio.SelectorEventLoop):
    """For code without threads or real peers: hours pass in milliseconds, always in the same order."""

    def __init__(self) -> None:
        self._invented = _JumpingSelector()
        super().__init__(self._invented)

    def time(self) -> float:
        return self._invented.now

    def jump(self, seconds: float) -> None:
        """Let time pass while nothing runs, as code does that blocks the loop."""
        self._invented.now += seconds
