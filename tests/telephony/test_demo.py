"""The demo: its judgement, its server, and once all of it."""

import asyncio
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from providers.errors import OffhookError
from telephony import demo
from telephony.settings import environment_with
from telephony.simulator.caller import spoken_text
from telephony.simulator.report import CallReport, Turn, build_report
from telephony.simulator.voice import ProviderVoice

ROOT = Path(__file__).parent.parent.parent
ANSWERS = (
    "We are a small family restaurant.",
    "On Sunday we are open from noon to nine thirty pm.",
    "The large mushroom pizza is fourteen dollars.",
    "Thank you for calling Bella Roma. Goodbye!",
)


def report(*turns: Turn) -> CallReport:
    return replace(build_report("CA1", ()), turns=turns)


def good_turns() -> list[Turn]:
    greeting = Turn(answer="Thank you for calling.")
    lines = [spoken_text(line.step) for line in demo.SCRIPT]
    return [greeting, *(Turn(said=line, heard=line, answer=each) for line, each in zip(lines, ANSWERS, strict=True))]


def test_a_good_call_has_nothing_to_complain_of() -> None:
    assert demo.judge(report(*good_turns())) == []


def test_a_call_that_ends_early_is_complained_of() -> None:
    assert demo.judge(report(*good_turns()[:-1])) == ["only 3 of 4 lines were said: unknown"]


@pytest.mark.parametrize("heard", [None, "", "Hello, can you tell me about the rest of it?"])
def test_a_line_that_was_not_understood_is_complained_of(heard: str | None) -> None:
    turns = good_turns()
    turns[1].heard = heard
    (complaint,) = demo.judge(report(*turns))
    assert complaint.startswith("not understood: 'Hello, can you tell me about the restaurant?' was heard as")


def test_a_wrong_answer_is_complained_of() -> None:
    turns = good_turns()
    turns[3].answer = "The large mushroom pizza is forty dollars."
    assert demo.judge(report(*turns)) == [
        "wrong answer to 'How much is the large mushroom pizza?': "
        "'The large mushroom pizza is forty dollars.' lacks ['fourteen dollars']"
    ]


def shown(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=200)


@pytest.mark.parametrize("is_good", [True, False])
async def test_the_verdict_is_shown_and_a_good_call_is_played(
    monkeypatch: pytest.MonkeyPatch, console: Console, tmp_path: Path, is_good: bool
) -> None:
    turns = good_turns() if is_good else good_turns()[:-1]
    played: list[Path] = []

    @asynccontextmanager
    async def server(*_: object) -> AsyncIterator[str]:
        yield "http://127.0.0.1:9"

    async def voice(*_: object) -> None:
        return

    async def place_call(*_: object, **__: object) -> CallReport:
        return report(*turns)

    async def play(path: Path) -> None:
        played.append(path)

    monkeypatch.setattr(demo, "_server", server)
    monkeypatch.setattr(ProviderVoice, "named", voice)
    monkeypatch.setattr(demo, "place_call", place_call)
    monkeypatch.setattr(demo, "_play", play)
    record = tmp_path / "demo.wav"
    assert await demo.run_demo(console, record, play=True) is is_good
    assert await demo.run_demo(console, record, play=False) is is_good
    assert played == [record] * is_good
    assert ("only 3 of 4 lines were said" in shown(console)) is not is_good
    assert "demo.wav" in shown(console)


async def test_a_server_that_does_not_start_is_told_with_its_log(
    monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    monkeypatch.setenv("TURN_END_SILENCE_MS", "0")
    with pytest.raises(OffhookError, match="the server did not start"):
        async with demo._server(console, "AC1", "token", "http://127.0.0.1:9"):
            raise AssertionError("it started")
    assert "TURN_END_SILENCE_MS" in shown(console)


async def test_a_server_that_is_never_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "READY_LIMIT_S", 0.2)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    with pytest.raises(OffhookError, match="not ready within"):
        await demo._until_ready(f"http://127.0.0.1:{demo._free_port()}", process)
    process.kill()
    await process.wait()


@pytest.mark.parametrize("players", [(), (("no-such-player",),), (("no-such-player",), ("touch", "-c"))])
async def test_a_machine_without_a_player_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, players: tuple[tuple[str, ...], ...]
) -> None:
    monkeypatch.setattr(demo, "PLAYERS", players)
    await demo._play(tmp_path / "demo.wav")


async def test_a_player_is_given_the_recording(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "PLAYERS", (("touch",),))
    await demo._play(tmp_path / "demo.wav")
    assert (tmp_path / "demo.wav").exists()


@pytest.mark.speech
async def test_the_demo_works_as_anybody_would_start_it(tmp_path: Path) -> None:
    record = tmp_path / "calls/demo.wav"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "telephony", "demo", "--record", str(record)),
        cwd=ROOT,
        env=environment_with(COLUMNS="200"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 110)
    text = output.decode()
    assert process.returncode == 0, text
    assert "cut off after: We are a small family restaurant." in text
    assert "the bot hung up over REST" in text
    with wave.open(str(record)) as file:
        assert file.getnchannels() == 2
        assert file.getnframes() > 10 * file.getframerate()
