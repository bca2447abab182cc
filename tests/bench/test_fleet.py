from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.fleet import Costs, Dyno, Fleet, needs, table

COSTS = Costs(cpu_ms_per_s=5.0, memory_kib=600.0, events=60.0, sockets=4)
DYNO = Dyno(cores=1.0, memory_mib=1024.0, base_mib=200.0)


def test_a_dyno_is_full_when_its_core_or_its_memory_is() -> None:
    assert DYNO.calls(COSTS) == 140
    assert DYNO.calls(Costs(0.1, 600.0, 60.0, 4)) == (1024 - 200) * 1024 // 600
    assert Dyno(1.0, 100.0, 200.0).calls(COSTS) == 0


def test_a_dyno_that_carries_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="carries no call"):
        needs(10, COSTS, Dyno(1.0, 100.0, 200.0))


@given(st.integers(1, 10**7))
def test_the_dynos_carry_the_calls_with_room_to_spare(calls: int) -> None:
    need = needs(calls, COSTS, DYNO)
    assert need.dynos * DYNO.calls(COSTS) >= calls
    assert need.sockets == 4 * calls
    assert need.batches_per_s <= need.writes_per_s


def test_more_calls_never_need_fewer_dynos() -> None:
    dynos = [needs(calls, COSTS, DYNO).dynos for calls in range(1, 2000, 7)]
    assert dynos == sorted(dynos)


def test_the_fleet_on_paper_turns_hardly_anybody_away() -> None:
    rows = table((100, 5000), COSTS, DYNO, Random(1))
    assert all(float(row["turned away"]) < 1e-3 for row in rows)


def test_a_fleet_without_room_for_an_uneven_router_turns_callers_away() -> None:
    day = Fleet(dynos=10, most=100, random=Random(1)).run(1000, 180.0, 600.0)
    assert day.refused_share > 0.01
    assert day.fullest == 100


def test_as_many_calls_come_as_go() -> None:
    fleet = Fleet(dynos=10, most=10_000, random=Random(1))
    fleet.run(2000, 180.0, 900.0)
    assert fleet.calls == pytest.approx(2000, rel=0.1)


def test_calls_of_a_dyno_that_restarts_go_on_elsewhere() -> None:
    fleet = Fleet(dynos=4, most=10_000, random=Random(1))
    day = fleet.run(400, 180.0, 120.0, restart_every_s=60.0)
    assert day.moved > 400
    assert day.refused == 0
    assert fleet.calls == pytest.approx(400, rel=0.2)
