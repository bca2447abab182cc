"""The bench's command line: one command a section, `all` for everything but the peer."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from tests.bench import audio as audio_path
from tests.bench import clients as engine_clients
from tests.bench import fleet as fleets
from tests.bench import noise as noises
from tests.bench import records as recording
from tests.bench import start as starting
from tests.bench import turn as turns
from tests.bench import validate as validation
from tests.bench.line import NOISE_RMS, Bench, Cell
from tests.bench.peer import PIPECAT, VOCODE, runs
from tests.bench.results import Row, keep, show
from tests.bench.servers import bare, cores, offhook
from tests.bench.speech import sentence

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

RESULTS = Path("bench-results")
FLOOR = "bare best"
SIZES = (100, 10_000, 1_000_000)
ENGINE = offhook("offhook, engine's endpointing", "Endpointing", 0.3)
DETECTOR = offhook("offhook, own detector", "Streaming", 0.5)
BARE = (bare("plain"), bare("best"))

SERVER_CORE, LOAD_CORE = cores()

Rounds = Annotated[int, typer.Option(help="How often each server is measured")]
Noise = Annotated[float, typer.Option(help="RMS of a caller's line at rest, in steps of a 16-bit sample")]
Calls = Annotated[int, typer.Option(help="Calls at once")]


@app.command()
def line(rounds: Rounds = 3, calls: Calls = 100, ramp: bool = True, noise: Noise = NOISE_RMS) -> None:
    """Our server beside the floor under the same calls, then ever more calls until it cannot keep up."""
    cells = [Cell(plan, calls) for plan in (*BARE, ENGINE, DETECTOR)]
    report("line", "Servers under the same calls", on_line(lambda bench: bench.compare(cells, rounds, FLOOR), noise))
    if ramp:
        for name, plan, most in (("engine", ENGINE, 700), ("detector", DETECTOR, 500)):
            levels = (20, *range(50, most + 1, 50))
            report(f"ramp-{name}", plan.name, on_line(partial(Bench.ramp, plan=plan, levels=levels)))


@app.command()
def floor(rounds: Rounds = 3, calls: Calls = 200) -> None:
    """The bare servers alone."""
    cells = [Cell(plan, calls) for plan in BARE]
    report("floor", "The floor", on_line(lambda bench: bench.compare(cells, rounds, FLOOR)))


@app.command()
def pair(
    checkout: Annotated[Path, typer.Option(help="The other's working tree")] = Path(),
    python: Annotated[str, typer.Option(help="The other's Python, with the same packages")] = sys.executable,
    calls: Calls = 80,
    rounds: Rounds = 4,
    detector: Annotated[bool, typer.Option(help="With our own detector")] = False,
) -> None:
    """This checkout and another, or another Python, at once on one core: differences of one per cent are seen."""
    ours = DETECTOR if detector else ENGINE
    found = shutil.which(python)
    if found is None:
        raise typer.BadParameter(f"there is no {python}")
    command = (str(Path(found).absolute()), *ours.command[1:])  # links are not followed: they make a Python a venv's
    theirs = replace(ours, name="the other", command=command, checkout=checkout.absolute())
    report("pair", "Two at once", on_line(lambda bench: bench.pair(ours, theirs, calls, rounds)))


@app.command()
def memory(calls: Calls = 100, batches: int = 10) -> None:
    """An idle call's memory, and whether it stays flat over a thousand calls."""
    report("memory", "Memory", on_line(lambda bench: bench.memory(ENGINE, calls, batches)))


@app.command()
def peer(
    rounds: Rounds = 3,
    vocode_python: Annotated[str, typer.Option(help="For Vocode, whose packages know none after 3.12")] = "python3.12",
) -> None:
    """Peers, the floor and our server under the same calls, each with so many that its core is well filled."""
    run(PIPECAT.install(sys.executable, console))
    cells = [Cell(PIPECAT.plan("default"), 4), Cell(PIPECAT.plan("silero"), 8), Cell(PIPECAT.plan("none"), 20)]
    if run(runs(vocode_python)):
        run(VOCODE.install(vocode_python, console))
        cells.append(Cell(VOCODE.plan(), 100))
    else:
        console.print(f"without Vocode: there is no {vocode_python} (--vocode-python)")
    cells += [Cell(ENGINE, 200), Cell(DETECTOR, 150), Cell(bare("best"), 200)]
    report("peer", "Beside Pipecat and Vocode", on_line(lambda bench: bench.compare(cells, rounds, FLOOR)))


@app.command()
def validate(calls: Calls = 4) -> None:
    """The load generator against the simulator."""
    speech = run(sentence())
    check = on_line(lambda bench: validation.compare(bench, DETECTOR, speech, calls, SERVER_CORE, console))
    report("validate", "Simulator and load generator", check)


@app.command()
def audio(plot: Annotated[Path, typer.Option(help="Where to draw the resampler")] = RESULTS / "resampling.svg") -> None:
    """Costs of the audio path; the resampler's settings, drawn."""
    pin()
    with console.status("measuring the audio path"):
        report("audio", "Audio", audio_path.costs())
        report("detection", "Voice detection", audio_path.detection())
        found = audio_path.settings()
    report("resampling", "Resampler settings", audio_path.as_rows(found))
    audio_path.plot(found, plot)
    console.print(f"drawn: {plot}")


@app.command()
def noise() -> None:
    """The voice detector in eleven kinds of noise, with the gate before it and without."""
    pin()
    with console.status("") as status:
        rows = noises.detection(status.update)
    report("noise", "Voice detection in noise", rows)


@app.command()
def turn() -> None:
    """Costs of the pure parts of a turn."""
    pin()
    with console.status("measuring the parts of a turn"):
        rows = turns.costs()
    report("turn", "A turn", rows)


@app.command()
def clients() -> None:
    """What the client of each engine costs, beside fake vendors that are free."""
    pin()
    report("clients", "Engines' clients", engine_clients.costs(SERVER_CORE, console))


@app.command()
def records() -> None:
    """Events per second into the database, and what they cost the process."""
    pin()
    report("records", "Records", run(recording.costs(console)))


@app.command()
def start(rounds: Rounds = 5) -> None:
    """Import, and time to ready."""
    pin()
    report("start", "Start-up", run(starting.times(rounds, SERVER_CORE, console)))


@app.command()
def fleet(cpu_ms: float, memory_kib: float = 600.0, events: float = 60.0, usable: float = 0.7, seed: int = 1) -> None:
    """From what a call costs (CPU ms per call-s, KiB) to dynos, writes and sockets, checked in invented time."""
    costs = fleets.Costs(cpu_ms, memory_kib, events, sockets=4)
    dyno = fleets.Dyno(cores=1.0, memory_mib=1024.0, base_mib=200.0, usable=usable)
    with console.status("ten invented minutes") as status:
        random = Random(seed)
        rows = fleets.table(SIZES, costs, dyno, random, lambda calls: status.update(f"{calls} calls at once"))
    report("fleet", "On paper, and in invented time", rows)


@app.command("all")
def everything() -> None:
    """Every section but the peer and the fleet: about half an hour."""
    for section in (start, turn, audio, noise, clients, records, validate, line, memory):
        section()


def on_line(work: Callable[[Bench], Awaitable[Sequence[Row]]], noise: float = NOISE_RMS) -> Sequence[Row]:
    """Run servers on one core and the load on the other, this one."""
    pin()

    async def main() -> Sequence[Row]:
        return await work(Bench(await sentence(), SERVER_CORE, console, noise))

    return run(main())


def pin() -> None:
    os.sched_setaffinity(0, {LOAD_CORE})


def run[T](main: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await main

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(awaited())


def report(section: str, title: str, rows: Sequence[Row]) -> None:
    keep(RESULTS, section, rows)
    show(console, title, rows)


if __name__ == "__main__":
    app()
