import gc
import sys
from collections.abc import Iterator

import pytest

from telephony.interpreter import GENERATIONS, SWITCH_S, hurry, loading


@pytest.fixture(autouse=True)
def interpreter() -> Iterator[None]:
    """As it was, afterwards."""
    interval_s, generations = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval_s)
    gc.set_threshold(*generations)
    gc.unfreeze()


def test_threads_get_their_turn_soon() -> None:
    hurry()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    assert gc.get_threshold() == GENERATIONS


class Node:
    """Something that can be garbage."""


def test_what_was_loaded_is_not_looked_at_again_but_what_comes_is() -> None:
    with loading():
        assert not gc.isenabled()
        loaded = Node()
    assert gc.isenabled()
    watched = {id(item) for item in gc.get_objects()}
    assert id(loaded) not in watched
    assert gc.get_freeze_count() > 10_000
    garbage = Node()
    garbage.itself = garbage  # type: ignore[attr-defined]
    del garbage
    assert gc.collect() >= 1
