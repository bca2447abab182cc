import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.stats import Spread, percentile

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.76, 4.0), (1.0, 4.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == value


@given(numbers, st.floats(0.0, 1.0))
def test_so_many_values_do_not_exceed_a_percentile(values: list[float], share: float) -> None:
    at = percentile(values, share)
    assert at in values
    assert sum(value <= at for value in values) >= share * len(values) - 1e-9
    assert sum(value < at for value in values) <= share * len(values)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_spread_tells_its_extremes_only_where_they_differ() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).text() == "2.0 (1.0–3.0)"
    assert Spread.of([2.001, 2.0, 1.999]).text() == "2.0"
