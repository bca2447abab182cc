"""The verdict of `make mutants`: of how many small faults in each file the tests took notice, by mutmut's results."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

LEAST_SHARE = 0.85
NOTICED = {"killed", "timeout"}


def verdict(results: Iterable[str]) -> tuple[str, bool]:
    """A table, a line a file, from lines like `telephony.call.turns.xǁTurnTakerǁpoll__mutmut_1: killed`.

    True if in every file the share of faults noticed is large enough; one that was never tried was not noticed.
    """
    files: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for line in results:
        name, _, status = line.strip().rpartition(": ")
        if name:
            files[name.rpartition(".")[0]][status in NOTICED] += 1
    rows, good = [], bool(files)
    for file, counts in sorted(files.items()):
        share = counts[True] / counts.total()
        good = good and share >= LEAST_SHARE
        rows.append(f"{file:28}{counts[True]:6} of{counts.total():5} noticed{share:8.1%}")
    total: Counter[bool] = sum(files.values(), Counter())
    rows.append(f"{'together':28}{total[True]:6} of{total.total():5}, at least {LEAST_SHARE:.0%} of each file's wanted")
    return "\n".join(rows), good


if __name__ == "__main__":
    table, good = verdict(sys.stdin)
    sys.stdout.write(table + "\n")
    sys.exit(not good)
