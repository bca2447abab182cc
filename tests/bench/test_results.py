import json
from pathlib import Path

import pytest

from tests.bench.caller import Measures
from tests.bench.load import Outcome
from tests.bench.results import Round, fold, keep
from tests.bench.stats import Spread


def a_round(cpu_s: float = 1.0, answered_s: float = 0.5, gaps: int = 0, lost: int = 0, wall_s: float = 10.0) -> Round:
    measures = Measures([answered_s], [0.3], [0.1] * gaps, lost)
    outcome = Outcome(100.0, wall_s, cpu_s, [measures], late_s=[0.001])
    return Round("ours", 4, 4 * 1024 * 200, 0.3, outcome)


def test_figures_are_per_call_and_beyond_the_silence_by_design() -> None:
    done = a_round(cpu_s=0.5)
    assert done.cpu_ms == pytest.approx(5.0)
    assert done.core == pytest.approx(0.05)
    assert done.added_ms(0.5) == pytest.approx(200.0)
    assert done.clear_ms(0.5) == pytest.approx(300.0)
    assert done.kib_per_call == pytest.approx(200.0)


def test_a_ratio_is_taken_within_each_round() -> None:
    row = fold([a_round(cpu_s=1.0), a_round(cpu_s=4.0)], {0: 5.0, 1: 10.0})
    assert row["× floor"] == Spread(3.0, 2.0, 4.0)
    assert row["CPU ms per call-s"] == Spread(25.0, 10.0, 40.0)
    assert "× floor" not in fold([a_round()], {})


@pytest.mark.parametrize(
    ("done", "why"),
    [
        (a_round(), ""),
        (a_round(answered_s=0.59), ""),
        (a_round(answered_s=0.61), "p99 worse by 110 ms"),
        (a_round(gaps=2), "2 gaps"),
        (a_round(lost=1), "1 answers lost"),
        (a_round(cpu_s=9.8), "the core is full"),
    ],
)
def test_a_server_keeps_up_until_a_caller_would_notice(done: Round, why: str) -> None:
    assert done.trouble(base_ms=200.0) == why


def test_a_server_that_never_answers_has_no_latency_and_does_not_keep_up() -> None:
    silent = Round("mute", 1, 0, 0.3, Outcome(30.0, 10.0, 1.0, [Measures(lost=3)], [0.0]))
    assert silent.added_ms(0.5) != silent.added_ms(0.5)
    assert silent.trouble(0.0) == "3 answers lost"


def test_results_are_kept_as_json(tmp_path: Path) -> None:
    keep(tmp_path / "new", "line", [{"server": "ours", "ms": Spread(2.0, 1.0, 3.0), "gaps": 0}])
    kept = json.loads((tmp_path / "new" / "line.json").read_text())
    assert kept == [{"server": "ours", "ms": {"median": 2.0, "min": 1.0, "max": 3.0}, "gaps": 0}]
