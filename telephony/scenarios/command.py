"""`offhook scenario run`: scripted calls to the bot, judged."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.text import Text

from providers.yaml_lines import InvalidFile
from telephony.scenarios.format import Scenario, find_scenarios, load_scenario
from telephony.scenarios.invented import run_invented
from telephony.scenarios.live import run_live, why_not_live
from telephony.scenarios.report import Result, has_passed, show, show_summary, write_junit
from telephony.scenarios.verdict import judge
from telephony.settings import settings
from telephony.simulator.options import CallOptions
from telephony.simulator.voice import ProviderVoice, Voice

type Loaded = list[tuple[Path, Scenario]]


def run_scenarios(paths: Iterable[Path], live: str, junit: Path | None, console: Console) -> int:
    """Run and show them; returns the exit status: 0 all passed, 1 not all did, 2 a file cannot be read.

    `live` is the voice webhook to call; empty for invented time. Raises `OffhookError`, and `OSError` if the file of
    `junit` cannot be written.
    """
    try:
        loaded = load_all(paths)
    except InvalidFile as error:
        for problem in error.problems:
            console.print(Text(problem, style="bold red"), soft_wrap=True)
        return 2
    began_at = monotonic()
    if live:
        results = _run_on_loop(loaded, live, lambda result: show(result, console))
    else:
        results = [_shown(run_file(path, scenario), console) for path, scenario in loaded]
    show_summary(results, monotonic() - began_at, console)
    if junit is not None:
        write_junit(results, junit)
    return 0 if has_passed(results) else 1


def load_all(paths: Iterable[Path]) -> Loaded:
    """Every scenario meant by `paths`, read before any is run. Raises `InvalidFile` with all that is wrong."""
    problems: list[str] = []
    loaded: Loaded = []
    for path in find_scenarios(paths):
        try:
            loaded.append((path, load_scenario(path)))
        except InvalidFile as error:
            problems += error.problems
    if problems:
        raise InvalidFile(problems)
    return loaded


def run_file(path: Path, scenario: Scenario) -> Result:
    """One scenario in invented time."""
    run = run_invented(scenario)
    return Result(path, scenario.name, run, judge(scenario.expect, run))


async def run_all_live(loaded: Loaded, url: str, on_result: Callable[[Result], None]) -> list[Result]:
    """One after the other, in real time; those that cannot be had live are not run. Raises `OffhookError`."""
    voice: Voice | None = None
    results: list[Result] = []
    for path, scenario in loaded:
        if reason := why_not_live(scenario):
            result = Result(path, scenario.name, None, skipped=reason)
        else:
            voice = voice or await ProviderVoice.named("local")
            options = CallOptions(
                url=url,
                auth_token=settings.caller.TWILIO_AUTH_TOKEN.get_secret_value(),
                account_sid=settings.caller.TWILIO_ACCOUNT_SID,
                max_call_s=scenario.longest,
            )
            run = await run_live(scenario, options, voice)
            result = Result(path, scenario.name, run, judge(scenario.expect, run))
        on_result(result)
        results.append(result)
    return results


def _shown(result: Result, console: Console) -> Result:
    show(result, console)
    return result


def _run_on_loop(loaded: Loaded, url: str, on_result: Callable[[Result], None]) -> list[Result]:
    """On the event loop the server runs on: uvloop, where there is one."""
    import uvicorn

    with asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory()) as runner:
        return runner.run(run_all_live(loaded, url, on_result))
