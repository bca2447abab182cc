"""The speech engines there are, as a table: what each can do, whether it is installed, and what it lacks to be used."""

from dataclasses import dataclass
from importlib.util import find_spec

from rich import box
from rich.table import Table

from providers.errors import ConfigurationError
from providers.voice.factory import VoiceProviderFactory
from providers.voice.types import AudioFormat, VoiceCapabilities

_NO = "[dim]–[/]"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One engine. `missing` are packages to install, `unset` variables to set, `broken` why it cannot be imported."""

    name: str
    capabilities: VoiceCapabilities | None = None
    languages: str = ""
    missing: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    broken: str = ""


def engine_facts(name: str) -> EngineFacts:
    """What is known of an engine of this name; never raises."""
    try:
        kind = VoiceProviderFactory.provider_class(name)
    except ConfigurationError as error:
        return EngineFacts(name, broken=error.problems[0].message)
    missing = tuple(package for package in kind.packages if find_spec(package) is None)
    return EngineFacts(name, kind.capabilities, kind.languages, missing, () if missing else _unset(name))


def _unset(name: str) -> tuple[str, ...]:
    try:
        VoiceProviderFactory.create_provider(name)
    except ConfigurationError as error:
        return tuple(problem.variable for problem in error.problems)
    return ()


def engine_table() -> Table:
    """All engines that are known: whether they hear while the caller speaks or after, and what of them is μ-law."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("engine", "installed", "hears", "speaks", "μ-law", "turns", "languages"):
        table.add_column(heading, no_wrap=True)
    table.add_column("configured", overflow="fold")
    for name in VoiceProviderFactory.known():
        table.add_row(*_row(engine_facts(name)))
    return table


def _row(facts: EngineFacts) -> list[str]:
    can = facts.capabilities
    if can is None:
        return [facts.name, "[red]no[/]", *[_NO] * 5, facts.broken]
    native = [way for way, form in _native(can) if form is AudioFormat.ULAW_8000]
    return [
        f"[bold]{facts.name}[/]",
        "[yellow]no[/]" if facts.missing else "yes",
        ("live" if can.streaming_stt else "after") if can.stt else _NO,
        "yes" if can.tts else _NO,
        "both" if len(native) == 2 else "".join(native) or _NO,
        "yes" if can.end_of_turn else _NO,
        facts.languages or _NO,
        _lacking(facts) or "[green]yes[/]",
    ]


def _lacking(facts: EngineFacts) -> str:
    """What there is to do before the engine can be used."""
    if facts.missing:
        return f"[yellow]install {', '.join(facts.missing)}[/]"
    return f"[yellow]set {', '.join(facts.unset)}[/]" if facts.unset else ""


def _native(can: VoiceCapabilities) -> list[tuple[str, AudioFormat]]:
    ways = [("in", can.input_format)] if can.stt else []
    return [*ways, ("out", can.output_format)] if can.tts else ways
