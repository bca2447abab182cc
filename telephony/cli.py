"""The command line: `offhook serve`, `call`, `demo`, `scenario run`, `providers`, `db upgrade`, `records forget`."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from providers.errors import ConfigurationError, OffhookError
from telephony.settings import settings

if TYPE_CHECKING:
    from telephony.simulator.microphone import MicrophoneCaller
    from telephony.simulator.options import CallOptions

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
scenarios = typer.Typer(no_args_is_help=True, help="Scripted calls to the bot, judged by what must happen in them.")
app.add_typer(scenarios, name="scenario")
database = typer.Typer(no_args_is_help=True, help="The database of the call records.")
app.add_typer(database, name="db")
records = typer.Typer(no_args_is_help=True, help="The records of calls.")
app.add_typer(records, name="records")
engines = typer.Typer(help="The speech engines: what there is, and whether one works.")
app.add_typer(engines, name="providers")
console = Console(stderr=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [PORT]")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes [WEB_CONCURRENCY]")] = None,
) -> None:
    """Answer the phone: the webhooks and the media stream that a Twilio number points at."""
    from telephony.serving import serve_calls

    settings.override(HOST=host, PORT=port, WEB_CONCURRENCY=workers)
    serve_calls()


@app.command()
def call(
    url: Annotated[str, typer.Argument(help="The number's voice webhook, such as http://127.0.0.1:8000/twilio/voice")],
    say: Annotated[list[str] | None, typer.Option(help="A line for the caller to say; give it once for each")] = None,
    wav: Annotated[list[Path] | None, typer.Option(help="A recording for the caller to play, after the lines")] = None,
    digits: Annotated[str, typer.Option(help="Keys to press, after the lines and the recordings")] = "",
    microphone: Annotated[bool, typer.Option(help="Speak yourself (needs offhook[microphone])")] = False,
    record: Annotated[Path, typer.Option(help="Where to write the call: caller left, bot right")] = Path(
        "calls/call.wav"
    ),
) -> None:
    """Phone a server as Twilio would; show the talk and its times, and keep a recording of it."""
    from telephony.simulator.caller import PlayWav, Press, Say, Step
    from telephony.simulator.options import CallOptions

    steps: list[Step] = [Say(line) for line in say or ()]
    steps += [PlayWav(path) for path in wav or ()]
    steps += [Press(digits)] if digits else []
    if not steps and not microphone:
        raise typer.BadParameter("give the caller something to do: --say, --wav, --digits or --microphone")
    options = CallOptions(
        url=url,
        auth_token=settings.caller.TWILIO_AUTH_TOKEN.get_secret_value(),
        account_sid=settings.caller.TWILIO_ACCOUNT_SID,
        steps=tuple(steps),
        wav_path=record,
    )
    record.parent.mkdir(parents=True, exist_ok=True)
    if not _run(_show_call(options, microphone)):
        raise typer.Exit(1)


@app.command()
def demo(
    record: Annotated[Path, typer.Option(help="Where to write the call: caller left, bot right")] = Path(
        "calls/demo.wav"
    ),
    play: Annotated[bool, typer.Option(help="Play the recording afterwards, if this machine can")] = True,
) -> None:
    """Start a server, phone it with four spoken lines, watch the talk, then hear it. Needs no account and no key."""
    from telephony.demo import run_demo

    record.parent.mkdir(parents=True, exist_ok=True)
    if not _run(run_demo(Console(), record, play=play and sys.stdout.isatty())):
        raise typer.Exit(1)


@scenarios.callback()
def scenario() -> None:
    """A group of its own, so that `run` is one of its commands."""


@scenarios.command("run")
def scenario_run(
    paths: Annotated[list[Path], typer.Argument(help="Scenario files, or folders of them (docs/scenarios.md)")],
    live: Annotated[str, typer.Option(help="Call this voice webhook in real time, with real speech")] = "",
    junit: Annotated[Path | None, typer.Option(help="Write the outcome as JUnit XML")] = None,
) -> None:
    """Run scenarios in invented time, or live. Exit status: 0 all passed, 1 not all did, 2 a file cannot be read."""
    from telephony.scenarios.command import run_scenarios

    if status := run_scenarios(paths, live, junit, Console()):
        raise typer.Exit(status)


@database.callback()
def db() -> None:
    """A group of its own, so that `upgrade` is one of its commands."""


@database.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema at DATABASE_URL up to date; a release does so before it serves."""
    from telephony.records.command import upgrade_database

    version = _run(upgrade_database(settings.records.DATABASE_URL))
    console.print(f"the schema is at version {version}")


@records.callback()
def recorded() -> None:
    """A group of its own, so that `forget` is one of its commands."""


@records.command("forget")
def records_forget(
    number: Annotated[str, typer.Argument(help="The caller's number as Twilio gives it, such as +15005550006")],
) -> None:
    """Delete all that is recorded of the calls from a number: the calls, what was said in them, their recordings."""
    from telephony.records.command import forget_caller

    forgotten = _run(forget_caller(settings.records, number))
    console.print(f"calls deleted: {forgotten.calls}")
    if forgotten.unended:
        console.print(f"{forgotten.unended} of them had no end: if they are going on, do this again after it")


@engines.callback(invoke_without_command=True)
def providers(context: typer.Context) -> None:
    """Show the speech engines: what each can do, and what it lacks to be used."""
    from telephony.engine_table import engine_table

    if context.invoked_subcommand is None:
        Console().print(engine_table())


@engines.command("check")
def providers_check(
    name: Annotated[str, typer.Argument(help="A name or an import path, or a list of them, as in VOICE_PROVIDER")],
) -> None:
    """Try an engine: it speaks a sentence and hears it back as on the telephone. Exit status 1 if it fails."""
    from telephony.engine_check import show_trial

    if not _run(show_trial(name, Console())):
        raise typer.Exit(1)


async def _show_call(options: "CallOptions", microphone: bool) -> bool:
    """Make the call with a live view; False if the bot was never heard."""
    from telephony.simulator.place import place_call
    from telephony.simulator.view import LiveView, summary

    out = Console()
    with LiveView(out) as view:
        if microphone:
            with _microphone() as caller:
                report = await place_call(options, caller=caller, on_event=view)
        else:
            report = await place_call(options, on_event=view)
    out.print(summary(report))
    out.print(f"recording: {options.wav_path}")
    return report.stats.audio_received_bytes > 0


def _microphone() -> "MicrophoneCaller":
    from telephony.simulator.microphone import MicrophoneCaller

    try:
        return MicrophoneCaller()
    except (ImportError, OSError) as error:  # the package is missing, or PortAudio, which it needs
        raise OffhookError(f"there is no microphone without pip install 'offhook[microphone]': {error}") from error


def _run[T](main: Coroutine[None, None, T]) -> T:
    """Run on the event loop the server runs on: uvloop, where there is one."""
    import uvicorn

    with asyncio.Runner(loop_factory=uvicorn.Config("", workers=1, log_config=None).get_loop_factory()) as runner:
        return runner.run(main)


def main() -> None:
    """The entry point: our own errors are told in words, with exit status 2 for the operator's."""
    try:
        app()
    except ConfigurationError as error:
        console.print("[bold red]The configuration does not work:[/]")
        for problem in error.problems:
            console.print(f"  [bold]{escape(problem.variable)}[/]  {escape(problem.message)}")
        sys.exit(2)
    except OffhookError as error:
        console.print(f"[bold red]{escape(str(error))}[/]")
        sys.exit(1)
