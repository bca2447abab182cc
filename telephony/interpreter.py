"""What we ask of the interpreter, because calls wait for it: that threads get their turn, that it makes no pauses."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_S = 0.0005
"""How long a thread may be kept from running by another: the detector's and the database's have little to do, but must
do it while the event loop is busy. With Python's own 5 ms they fell behind at 200 calls."""

GENERATIONS = (700, 1, 1800)
"""How many objects are made before the garbage collector looks through the young ones, how often it does that before it
looks through the middle-aged, and that before the old. By Python's 2000, 10 and 10 it paused for 17 ms with 200 calls,
now for 5. The old ones take a tenth of a second, and a call that has ended leaves hardly anything among them."""


def hurry() -> None:
    """Let threads have their turn soon, and the garbage collector pause for less at a time."""
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*GENERATIONS)


@contextmanager
def loading() -> Iterator[None]:
    """Spare the garbage collector what is loaded inside, then and for ever: hardly any of it is garbage.

    To look through it again and again is a sixth of the time until we are ready; to look through it once is a pause of
    a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
