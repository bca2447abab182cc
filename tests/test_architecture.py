"""The house rules that a machine can hold: which way imports run, what stays pure, who reads the environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("providers", "agent", "telephony")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

RANK = (
    "providers",
    "agent",
    "telephony.settings",
    "telephony.logs",
    "telephony.audio",
    "telephony.twilio",
    "telephony.call",
    "telephony.records",
    "telephony.simulator",
    "telephony.feed",
    "telephony.interpreter",
    "telephony.lag",
    "telephony.coalescing",
    "telephony.sockets",
    "telephony.admission",
    "telephony.termination",
    "telephony.engines",
    "telephony.engine_table",
    "telephony.engine_check",
    "telephony.warm",
    "telephony.persona",
    "telephony.talks",
    "telephony.fleet",
    "telephony.aftermath",
    "telephony.office",
    "telephony.metrics",
    "telephony.reception",
    "telephony.service",
    "telephony.scenarios",
    "telephony.app",
    "telephony.serving",
    "telephony.demo",
    "telephony.cli",
    "telephony.__main__",
)
"""A module may import from its own part and from those above it."""

BESIDE = {("telephony.simulator", "telephony.call")}
"""Parts that may not know each other, whatever their rank: our Twilio plays the carrier, and must not know the bot."""

PURE = (
    "providers/audio/converter.py",
    "providers/audio/mulaw.py",
    "providers/audio/resample.py",
    "providers/breaker.py",
    "providers/errors.py",
    *(f"providers/voice/local/{name}.py" for name in ("bpe", "guards", "levels", "loudness", "mel", "pieces")),
    *(f"providers/voice/cartesia/{name}.py" for name in ("failures", "manual", "speak", "turns")),
    *(f"providers/voice/deepgram/{name}.py" for name in ("flux", "flux_speak", "listen", "speak")),
    "providers/voice/remote/cutter.py",
    *(f"providers/voice/nvidia/{name}.py" for name in ("frames", "recognition", "status", "synthesis")),
    "providers/voice/assemblyai/listen.py",
    "providers/voice/assemblyai/speak.py",
    "providers/voice/elevenlabs/contexts.py",
    "providers/voice/elevenlabs/scribe.py",
    "providers/voice/elevenlabs/words.py",
    "providers/voice/gradium/listen.py",
    "providers/voice/gradium/speak.py",
    "providers/voice/remote/pace.py",
    "providers/voice/openai/files.py",
    "providers/voice/openai/realtime.py",
    "providers/voice/remote/sansio.py",
    "providers/voice/remote/service.py",
    "providers/voice/remote/turns.py",
    "providers/voice/remainder.py",
    "providers/voice/types.py",
    "agent/business.py",
    "agent/history.py",
    "agent/prompt.py",
    "agent/sentences.py",
    "agent/spoken.py",
    "telephony/audio/framer.py",
    "telephony/audio/gate.py",
    "telephony/audio/speech.py",
    "telephony/call/actions.py",
    "telephony/call/bot.py",
    "telephony/call/endpointing.py",
    "telephony/call/english.py",
    "telephony/call/events.py",
    "telephony/call/expectation.py",
    "telephony/call/intrusion.py",
    "telephony/call/journal.py",
    "telephony/call/keypad.py",
    "telephony/call/machine.py",
    "telephony/call/memory.py",
    "telephony/call/phases.py",
    "telephony/call/playout.py",
    "telephony/call/rules.py",
    "telephony/call/speech.py",
    "telephony/call/turns.py",
    "telephony/records/fold.py",
    "telephony/records/schema.py",
    "telephony/scenarios/bot.py",
    "telephony/scenarios/caller.py",
    "telephony/scenarios/expect.py",
    "telephony/scenarios/moments.py",
    "telephony/scenarios/parts.py",
    "telephony/scenarios/run.py",
    "telephony/scenarios/silence.py",
    "telephony/scenarios/steps.py",
    "telephony/scenarios/timeline.py",
    "telephony/scenarios/verdict.py",
    "telephony/admission.py",
    "telephony/aftermath.py",
    "telephony/call/opening.py",
    "telephony/persona.py",
    "telephony/simulator/addresses.py",
    "telephony/simulator/caller.py",
    "telephony/simulator/carrier.py",
    "telephony/simulator/measure.py",
    "telephony/simulator/report.py",
    "telephony/simulator/twiml.py",
    "telephony/simulator/words.py",
    "telephony/twilio/after.py",
    "telephony/twilio/bucket.py",
    "telephony/twilio/messages.py",
    "telephony/twilio/signature.py",
    "telephony/twilio/stream.py",
    "telephony/twilio/tokens.py",
    "telephony/twilio/twiml.py",
    "telephony/twilio/wire.py",
)

IMPURE_MODULES = {
    "asyncio",
    "socket",
    "time",
    "random",
    "secrets",
    "os",
    "threading",
    "subprocess",
    "httpx",
    "uvicorn",
    "grpc",
}
SETTINGS = {"providers/settings.py", "telephony/settings.py"}
LONGEST_FILE = 380
"""Lines; about 300 is the aim."""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def part(module: str) -> str | None:
    return next((name for name in RANK if module == name or module.startswith(name + ".")), None)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_run_one_way(path: Path) -> None:
    own = part(module_of(path))
    for module in imports(path):
        other = part(module)
        if own is None or other is None or own == other:
            continue
        assert RANK.index(other) < RANK.index(own), f"{own} may not import {module}"
        assert (own, other) not in BESIDE, f"{own} may not know {module}"


def test_every_module_has_its_place() -> None:
    assert [module_of(path) for path in FILES if part(module_of(path)) is None] == ["telephony"]


@pytest.mark.parametrize("file", PURE)
def test_pure_modules_touch_nothing_but_their_arguments(file: str) -> None:
    used = {module.split(".")[0] for module in imports(ROOT / file)}
    assert not used & IMPURE_MODULES
    calls = {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    assert not calls & {"datetime.now", "date.today", "datetime.utcnow", "dt.datetime.now"}


@pytest.mark.parametrize("path", [path for path in FILES if name(path) not in SETTINGS], ids=name)
def test_the_environment_is_read_in_the_settings_only(path: Path) -> None:
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert not names & {"environ", "getenv", "environb", "putenv"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_says_what_lives_in_it_and_holds_one_idea(path: Path) -> None:
    source = path.read_text()
    assert not source or ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= LONGEST_FILE
