"""A fleet of dynos in invented time: does a number of dynos that looks right on paper carry the calls? Pure.

Calls come at random and are sent to a dyno at random, as Heroku's router does, so that dynos are never evenly full; a
dyno that is full turns the call away. Every dyno restarts once a day, and its calls come back through the router.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from random import Random

from telephony.records.writer import LINGER_S

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What one call takes, as measured; `sockets` are those that a dyno holds for it, Twilio's and the engines'."""

    cpu_ms_per_s: float
    memory_kib: float
    events: float
    sockets: int
    mean_s: float = 180.0

    def __post_init__(self) -> None:
        if min(self.cpu_ms_per_s, self.memory_kib, self.mean_s) <= 0:
            raise ValueError("a call takes CPU, memory and time")


@dataclass(frozen=True, slots=True)
class Dyno:
    """A machine of one process. `usable` is the share of its core that calls may take; the rest is for bad moments."""

    cores: float
    memory_mib: float
    base_mib: float
    usable: float = 0.7

    def calls(self, costs: Costs) -> int:
        """How many calls it takes before it turns them away: as many as its core or its memory carry."""
        by_core = self.cores * self.usable * 1000 / costs.cpu_ms_per_s
        by_memory = (self.memory_mib - self.base_mib) * 1024 / costs.memory_kib
        return max(0, math.floor(min(by_core, by_memory)))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a number of calls at once needs, on paper."""

    calls: int
    dynos: int
    new_calls_per_s: float
    writes_per_s: float
    """Rows of events; statements are fewer, for they are written in batches."""
    batches_per_s: float
    sockets: int
    restarts_per_hour: float


def needs(calls: int, costs: Costs, dyno: Dyno, batch_s: float = LINGER_S) -> Needs:
    """Dynos for that many calls with room for an uneven router; raises `ValueError` if a dyno carries no call.

    With random routing a dyno's calls spread around their mean by its root: room for four of those leaves less than
    one call in ten thousand turned away.
    """
    most = dyno.calls(costs)
    if most < 1:
        raise ValueError("the dyno carries no call")
    # The mean m for which m + 4 * sqrt(m) is what a dyno carries.
    mean = max(1.0, (math.sqrt(4 + most) - 2) ** 2)
    dynos = math.ceil(calls / mean)
    return Needs(
        calls=calls,
        dynos=dynos,
        new_calls_per_s=calls / costs.mean_s,
        writes_per_s=calls * costs.events / costs.mean_s,
        batches_per_s=min(dynos / batch_s, calls * costs.events / costs.mean_s),
        sockets=calls * costs.sockets,
        restarts_per_hour=dynos * 3600 / DAY_S,
    )


@dataclass(slots=True)
class Day:
    """What happened to the fleet."""

    placed: int = 0
    refused: int = 0
    moved: int = 0
    """Calls that went on elsewhere when their dyno restarted."""
    fullest: int = 0

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.placed + self.refused)


class Fleet:
    """Dynos and the calls on them; `random` decides when calls come, how long they last and where they go."""

    def __init__(self, dynos: int, most: int, random: Random) -> None:
        self._load = [0] * dynos
        self._most = most
        self._random = random
        self._ends: list[tuple[float, int]] = []
        self.day = Day()

    @property
    def calls(self) -> int:
        return sum(self._load)

    def run(self, calls: int, mean_s: float, duration_s: float, restart_every_s: float = DAY_S) -> Day:
        """From `calls` calls at once on, for so long, as many coming as going."""
        for _ in range(calls):
            self._place(0.0, mean_s)
        restarts = [(self._random.uniform(0.0, restart_every_s), dyno) for dyno in range(len(self._load))]
        heapify(restarts)
        arrival_at = self._random.expovariate(calls / mean_s)
        while arrival_at < duration_s:
            while restarts[0][0] <= arrival_at:
                at, dyno = heappop(restarts)
                self._hang_up(at)
                self._restart(at, dyno, mean_s)
                heappush(restarts, (at + restart_every_s, dyno))
            self._hang_up(arrival_at)
            self._place(arrival_at, mean_s)
            arrival_at += self._random.expovariate(calls / mean_s)
        return self.day

    def _place(self, at: float, mean_s: float) -> bool:
        dyno = int(self._random.random() * len(self._load))
        if self._load[dyno] >= self._most:
            self.day.refused += 1
            return False
        self._load[dyno] += 1
        self.day.placed += 1
        self.day.fullest = max(self.day.fullest, self._load[dyno])
        # How long a call still lasts does not depend on how long it has lasted, so a call that moves is a new one.
        heappush(self._ends, (at + self._random.expovariate(1 / mean_s), dyno))
        return True

    def _hang_up(self, until: float) -> None:
        while self._ends and self._ends[0][0] <= until:
            _, dyno = heappop(self._ends)
            self._load[dyno] -= 1

    def _restart(self, at: float, dyno: int, mean_s: float) -> None:
        staying = [end for end in self._ends if end[1] != dyno]
        leaving = len(self._ends) - len(staying)
        heapify(staying)
        self._ends = staying
        self._load[dyno] = 0
        self.day.moved += sum(self._place(at, mean_s) for _ in range(leaving))


def table(
    sizes: Sequence[int], costs: Costs, dyno: Dyno, random: Random, progress: Callable[[int], None] = lambda _: None
) -> list[dict[str, str | int | float]]:
    """Each size on paper, and what became of it in ten invented minutes, in two for the largest."""
    rows: list[dict[str, str | int | float]] = []
    for calls in sizes:
        progress(calls)
        need = needs(calls, costs, dyno)
        day = Fleet(need.dynos, dyno.calls(costs), random).run(calls, costs.mean_s, 600.0 if calls < 10**5 else 120.0)
        rows.append(
            {
                "calls at once": calls,
                "dynos": need.dynos,
                "calls a dyno takes": dyno.calls(costs),
                "new calls per s": need.new_calls_per_s,
                "events per s": need.writes_per_s,
                "batches per s": need.batches_per_s,
                "sockets": need.sockets,
                "restarts per hour": need.restarts_per_hour,
                "turned away": day.refused_share,
                "fullest dyno": day.fullest,
            }
        )
    return rows
