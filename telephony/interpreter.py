"""What we ask of the interpreter, because calls wait for it: that threads get their turn, that it makes no pauses."""

import gc
import sys

SWITCH_S = 0.0005
"""How long a thread may be kept from running by another: the detector's and the database's have little to do, but must
do it while the event loop is busy. With Python's own 5 ms they fell behind at 200 calls."""


def hurry() -> None:
    """Let threads have their turn soon."""
    sys.setswitchinterval(SWITCH_S)


def set_aside() -> None:
    """Spare the garbage collector what has been loaded: to look through it takes a tenth of a second."""
    gc.collect()
    gc.freeze()
