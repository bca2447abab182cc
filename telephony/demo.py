"""The demo: a real server in a process of its own, phoned by our own Twilio, judged by what a caller would expect."""

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import httpx
from rich.console import Console

from agent.business import SHIPPED
from providers.errors import OffhookError
from telephony.settings import environment_with
from telephony.simulator.caller import BargeIn, Say, Step
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport, Turn
from telephony.simulator.rest import RestApi, serve
from telephony.simulator.view import LiveView, summary
from telephony.simulator.voice import ProviderVoice

READY_LIMIT_S = 60.0
MOST_WORD_ERRORS = 0.1
PLAYERS = (("afplay",), ("paplay",), ("aplay", "-q"), ("play", "-q"))


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller says, and words without which the bot's answer would be wrong by the business file."""

    step: Step
    expected: tuple[str, ...]


SCRIPT = (
    Line(Say("Hello, can you tell me about the restaurant?"), ("restaurant",)),
    Line(BargeIn("What time do you close on Sunday?", after_s=3.0), ("nine thirty",)),
    Line(Say("How much is the large mushroom pizza?"), ("fourteen dollars",)),
    Line(Say("Thank you very much, goodbye."), ("goodbye",)),
)


async def run_demo(console: Console, record: Path, *, play: bool) -> bool:
    """Run the call and show it; True if the bot understood every line and answered it rightly."""
    account_sid, auth_token = "AC" + token_hex(16), token_hex(16)
    api = RestApi(account_sid, auth_token)
    async with serve(api.app) as api_url, _server(console, account_sid, auth_token, api_url) as base_url:
        with console.status("the caller is clearing their throat …"):
            voice = await ProviderVoice.named("local")
        options = CallOptions(
            url=f"{base_url}/twilio/voice",
            auth_token=auth_token,
            account_sid=account_sid,
            steps=tuple(line.step for line in SCRIPT),
            status_callback_url=f"{base_url}/twilio/call-status",
            wav_path=record,
        )
        with LiveView(console) as view:
            report = await place_call(options, voice=voice, rest=api, on_event=view)
    console.print(summary(report))
    problems = judge(report)
    for problem in problems:
        console.print(f"[bold red]{problem}[/]")
    console.print(f"The call, caller left and bot right: [bold]{record}[/]")
    if play and not problems:
        await _play(record)
    return not problems


def judge(report: CallReport) -> list[str]:
    """What a caller would complain of; nothing if every line was understood and rightly answered."""
    turns = [turn for turn in report.turns if turn.said]
    if len(turns) < len(SCRIPT):
        return [f"only {len(turns)} of {len(SCRIPT)} lines were said: {report.reason}"]
    return [problem for line, turn in zip(SCRIPT, turns, strict=False) if (problem := _complaint(line, turn))]


def _complaint(line: Line, turn: Turn) -> str:
    errors = turn.word_error_rate
    if errors is None or errors > MOST_WORD_ERRORS:
        return f"not understood: {turn.said!r} was heard as {turn.heard!r}"
    missing = [words for words in line.expected if words not in turn.answer.lower()]
    return f"wrong answer to {turn.said!r}: {turn.answer!r} lacks {missing}" if missing else ""


@asynccontextmanager
async def _server(console: Console, account_sid: str, auth_token: str, api_url: str) -> AsyncIterator[str]:
    """Our server, as an operator would start it, ready for calls; yields its base URL."""
    port = _free_port()
    base_url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        environment = environment_with(
            PUBLIC_BASE_URL=base_url,
            TWILIO_ACCOUNT_SID=account_sid,
            TWILIO_AUTH_TOKEN=auth_token,
            TWILIO_VALIDATE_SIGNATURES="true",
            TWILIO_API_BASE_URL=api_url,
            VOICE_PROVIDER="local",
            VOICE_STT_PROVIDER="local",
            VOICE_TTS_PROVIDER="local",
            LLM_PROVIDER="local",
            BUSINESS_FILE=str(SHIPPED),
            FRONT_DESK_BOOK=f"{folder}/front-desk.jsonl",
            DATABASE_URL=f"sqlite:///{folder}/offhook.db",
            RECORD_CALLS="false",
        )
        command = (
            sys.executable,
            "-m",
            "telephony",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
        )
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
        try:
            with console.status("a server starts and loads its speech models …"):
                await _until_ready(base_url, process)
            console.print(f"a server listens on {base_url}", style="dim")
            yield base_url
        except OffhookError:
            log.seek(0)
            console.print(log.read().decode(errors="replace"), style="dim")
            raise
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_ready(base_url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(base_url=base_url) as client:
        try:
            async with asyncio.timeout(READY_LIMIT_S):
                while process.returncode is None:
                    try:
                        response = await client.get("/readyz")
                    except httpx.TransportError:  # not listening yet
                        response = None
                    if response is not None and response.is_success:
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise OffhookError(f"the server was not ready within {READY_LIMIT_S:.0f} s") from None
    raise OffhookError("the server did not start")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def _play(record: Path) -> None:
    """Play the recording, if this machine has a player; Ctrl-C ends it."""
    player = next((command for command in PLAYERS if shutil.which(command[0])), None)
    if player is not None:
        process = await asyncio.create_subprocess_exec(*player, str(record), stderr=asyncio.subprocess.DEVNULL)
        await process.wait()
