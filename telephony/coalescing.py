"""Reads the sockets of many calls together. To be woken costs a process more than what it is woken for.

Frames of strangers come one at a time, fifty a second from each: with a hundred calls a process is woken five thousand
times a second, and on a virtual machine each time costs several times what is then done with a frame. So where there
is a crowd, its sockets are looked at every few milliseconds, as a network card does that coalesces its interrupts.
"""

import asyncio
import os
import select
from contextlib import suppress
from typing import ClassVar, Protocol

CROWD = 64
"""With fewer sockets each is read as soon as there is something to read: nobody has to wait where there is time."""
GATHER_S = 0.005
"""How long frames may gather."""
AT_ONCE = 64
"""Sockets read before others have their turn: one or two milliseconds of the event loop."""
READ_BYTES = 8192
"""Read of a socket at a time: some twenty frames, where it has been behind."""


class Reader(Protocol):
    """Whoever reads a socket, through a transport that does not meanwhile."""

    transport: asyncio.Transport

    def data_received(self, data: bytes) -> None:
        """Something has come, cut anywhere."""

    def read_alone(self) -> None:
        """The socket is at its end, or broken: let the transport read it, which will tell."""


class CoalescedReading:
    """The sockets of one event loop. They are watched through one descriptor, which the loop watches."""

    _of: ClassVar[dict[asyncio.AbstractEventLoop, "CoalescedReading"]] = {}

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "CoalescedReading | None":
        """The loop's own; None where the system has no such descriptors, as all but Linux."""
        if not hasattr(select, "epoll"):
            return None
        return cls._of.get(loop) or cls(loop)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._readers: dict[int, Reader] = {}
        self._epoll: select.epoll | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, fd: int, reader: Reader) -> None:
        """Give `reader` what comes to this socket, which nobody else may read meanwhile."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._of[self._loop] = self
            self._loop.add_reader(self._epoll.fileno(), self._wake)
        self._readers[fd] = reader
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int, reader: Reader) -> None:
        """Read it no more, if it is read for this reader: its descriptor may be another's by now."""
        if self._epoll is None or self._readers.get(fd) is not reader:
            return
        del self._readers[fd]
        with suppress(OSError):  # it is closed already, and forgotten with that
            self._epoll.unregister(fd)
        if not self._readers:
            self._stop(self._epoll)

    def _stop(self, epoll: select.epoll) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        else:
            self._loop.remove_reader(epoll.fileno())
        epoll.close()
        self._epoll = None
        del self._of[self._loop]

    def _wake(self) -> None:
        """There is something to read. In a crowd it is the first of many, and the clock takes over."""
        if self._read() and len(self._readers) >= CROWD and self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._timer = self._loop.call_later(GATHER_S, self._look)

    def _look(self) -> None:
        """Read what has gathered; where nothing has, wait to be woken."""
        ready = self._read()
        if self._epoll is None:
            return
        if ready and len(self._readers) >= CROWD:
            self._timer = self._loop.call_later(0.0 if ready == AT_ONCE else GATHER_S, self._look)
        else:
            self._timer = None
            self._loop.add_reader(self._epoll.fileno(), self._wake)

    def _read(self) -> int:
        """Read every socket that has something, up to `AT_ONCE`; how many had."""
        if self._epoll is None:
            return 0
        ready = self._epoll.poll(0, AT_ONCE)
        for fd, _ in ready:
            reader = self._readers.get(fd)
            if reader is None:
                continue  # it has left while others were read
            if reader.transport.is_closing():
                # Nobody reads it any more, so it would wake us for ever; and closed, its number may be a file's by now.
                self.remove(fd, reader)
            else:
                self._read_one(fd, reader)
        return len(ready)

    def _read_one(self, fd: int, reader: Reader) -> None:
        """An error of one call's stays in that call."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            if data:
                reader.data_received(data)
            else:
                reader.read_alone()
        except Exception as error:
            self._loop.call_exception_handler({"message": "what came to a socket was not taken", "exception": error})
            reader.transport.abort()
