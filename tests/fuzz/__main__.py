"""Coverage-guided fuzzing of what strangers can send us: `make fuzz`, or `python -m tests.fuzz TARGET`.

It ends by itself after so many inputs, or at the first one that raises what it should not, which is printed and kept
in the working directory as `crash-…`.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["telephony.twilio", "providers.voice"]):
    from tests.fuzz import targets

USAGE = f"python -m tests.fuzz {'|'.join(targets.TARGETS)} [inputs]"


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in targets.TARGETS:
        sys.exit(USAGE)
    target = targets.TARGETS[sys.argv[1]]
    inputs = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], f"-runs={inputs}", "-max_len=4096", "-print_final_stats=1", folder], target.run)
        atheris.Fuzz()


main()
