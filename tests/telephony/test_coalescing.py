"""Sockets that are read together: real ones, on an event loop of which only the timers and the watches are ours."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from telephony.coalescing import AT_ONCE, CROWD, GATHER_S, CoalescedReading


class Loop:
    """Wakes nobody by itself."""

    def __init__(self) -> None:
        self.woken: Callable[[], None] | None = None
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.errors: list[BaseException] = []

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        self.woken = callback

    def remove_reader(self, fd: int) -> None:
        assert self.woken is not None
        self.woken = None

    def call_later(self, delay: float, callback: Callable[[], None]) -> "Timer":
        entry = (delay, callback)
        self.timers.append(entry)
        return Timer(lambda: self.timers.remove(entry))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context["exception"])

    def wake(self) -> None:
        assert self.woken is not None
        self.woken()

    def pass_time(self) -> float:
        """The next timer goes off; how long that takes."""
        delay, callback = self.timers.pop(0)
        callback()
        return delay


class Timer:
    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class Transport:
    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted


class End:
    """Our end of a connection."""

    def __init__(self, reading: CoalescedReading) -> None:
        self._reading = reading
        self.peer, self.ours = socket.socketpair()
        self.ours.setblocking(False)
        self.transport = cast(asyncio.Transport, Transport())
        self.got = b""
        self.is_alone = False
        self.take: Callable[[], object] = lambda: None
        reading.add(self.ours.fileno(), self)

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.take()

    def read_alone(self) -> None:
        self.is_alone = True
        self.leave()

    def leave(self) -> None:
        self._reading.remove(self.ours.fileno(), self)

    def close(self) -> None:
        self.leave()
        self.peer.close()
        self.ours.close()


class World:
    def __init__(self) -> None:
        self.loop = Loop()
        self.ends: list[End] = []
        self.reading = self._reading()

    def join(self, count: int = 1) -> list[End]:
        self.reading = self._reading()
        joined = [End(self.reading) for _ in range(count)]
        self.ends += joined
        return joined

    def _reading(self) -> CoalescedReading:
        reading = CoalescedReading.of(cast(asyncio.AbstractEventLoop, self.loop))
        assert reading is not None
        return reading


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for end in world.ends:
        end.close()
    assert world.loop.woken is None, "a watch was left behind"
    assert world.loop.timers == []


def test_few_are_read_as_soon_as_something_comes(world: World) -> None:
    one, other = world.join(2)
    one.peer.send(b"one")
    world.loop.wake()
    assert (one.got, other.got) == (b"one", b"")
    assert not world.loop.timers

    other.peer.send(b"other")
    world.loop.wake()
    assert other.got == b"other"


def test_of_a_crowd_the_first_is_read_at_once_and_the_others_have_time_to_gather(world: World) -> None:
    first, *others = world.join(CROWD)
    first.peer.send(b"first")
    world.loop.wake()
    assert first.got == b"first"
    assert world.loop.woken is None

    for end in others[:10]:
        end.peer.send(b"frame")
    assert world.loop.pass_time() == GATHER_S
    assert [end.got for end in others[:11]] == [b"frame"] * 10 + [b""]
    assert world.loop.pass_time() == GATHER_S  # nothing more came: wait to be woken
    assert world.loop.woken is not None
    assert not world.loop.timers


def test_a_great_crowd_is_read_in_turns(world: World) -> None:
    ends = world.join(2 * AT_ONCE + 1)
    for end in ends:
        end.peer.send(b"frame")
    world.loop.wake()
    assert sum(bool(end.got) for end in ends) == AT_ONCE
    world.loop.pass_time()
    assert world.loop.pass_time() == 0.0
    assert all(end.got == b"frame" for end in ends)


def test_a_crowd_that_has_dispersed_is_read_at_once_again(world: World) -> None:
    stays, *others = world.join(CROWD)
    stays.peer.send(b"one")
    world.loop.wake()
    others[0].leave()
    stays.peer.send(b"two")
    world.loop.pass_time()
    assert stays.got == b"onetwo"
    assert world.loop.woken is not None


def test_a_socket_at_its_end_is_left_to_its_transport(world: World) -> None:
    ending, other = world.join(2)
    ending.peer.close()
    other.peer.send(b"still here")
    world.loop.wake()
    assert ending.is_alone
    assert other.got == b"still here"


@pytest.mark.parametrize("count", [1, CROWD])
def test_the_last_to_leave_ends_the_watch_and_others_may_come(world: World, count: int) -> None:
    for end in (ends := world.join(count)):
        end.peer.send(b"frame")
    world.loop.wake()
    for end in ends:
        end.leave()
    assert world.loop.woken is None
    assert not world.loop.timers

    (late,) = world.join()
    late.peer.send(b"late")
    world.loop.wake()
    assert late.got == b"late"


def test_what_one_cannot_take_costs_only_that_one_its_connection(world: World) -> None:
    faulty, other = world.join(2)
    fault = ValueError("what is this?")

    def fail() -> None:
        raise fault

    faulty.take = fail
    for end in (faulty, other):
        end.peer.send(b"frame")
    world.loop.wake()
    assert cast(Transport, faulty.transport).is_aborted
    assert world.loop.errors == [fault]
    assert other.got == b"frame"


def test_one_that_left_while_others_were_read_gets_nothing(world: World) -> None:
    ends = world.join(2)
    for end, other in (ends, reversed(ends)):
        end.take = other.leave
        end.peer.send(b"frame")
    world.loop.wake()
    assert sorted(end.got for end in ends) == [b"", b"frame"]


def test_one_that_was_closed_while_others_were_read_is_not_read(world: World) -> None:
    ends = world.join(2)
    for end, other in (ends, reversed(ends)):
        end.take = other.transport.abort
        end.peer.send(b"frame")
    world.loop.wake()
    assert sorted(end.got for end in ends) == [b"", b"frame"]


def test_one_that_is_closing_wakes_nobody_for_what_it_still_sends(world: World) -> None:
    closing, other = world.join(2)
    closing.transport.abort()  # its socket stays open while there is something to be written to it
    closing.peer.send(b"still talking")
    world.loop.wake()
    assert closing.got == b""

    other.leave()
    assert world.loop.woken is None


def test_a_descriptor_that_is_anothers_by_now_stays_theirs(world: World) -> None:
    gone, new = world.join(2)
    fd = gone.ours.fileno()
    new.leave()
    os.dup2(new.ours.fileno(), fd)  # which closes that of the one who is gone
    world.reading.add(fd, new)
    world.reading.remove(fd, gone)

    new.peer.send(b"mine")
    world.loop.wake()
    assert new.got == b"mine"
    world.reading.remove(fd, new)
