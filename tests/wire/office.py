"""The bot on loopback, and our own Twilio to phone it with: the application in this process, or `offhook serve`."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import yaml

from agent.business import SHIPPED
from telephony.app import create_app
from telephony.settings import environment_with
from telephony.simulator.caller import Step
from telephony.simulator.events import BotReported, Event
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport
from telephony.simulator.rest import RestApi, serve
from telephony.simulator.voice import Voice

ROOT = Path(__file__).parent.parent.parent
ACCOUNT = "AC" + "a" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
CALLER = "+15005550006"
CALLED = "+15005550001"
GREETING = "Good morning."
GOODBYE = "Goodbye."
MANAGER = "+15550100143"
READY_LIMIT_S = 60.0


class Running(Protocol):
    """A process."""

    @property
    def returncode(self) -> int | None:
        """None while it runs."""


@dataclass(frozen=True, slots=True)
class Office:
    """A bot that takes calls."""

    base_url: str
    voice: Voice
    api: RestApi
    log: Path | None = None
    """What the server wrote to its standard error, where it has a process of its own."""
    options: CallOptions = field(init=False)

    def __post_init__(self) -> None:
        options = CallOptions(
            url=f"{self.base_url}/twilio/voice",
            auth_token=TOKEN,
            account_sid=ACCOUNT,
            caller_number=CALLER,
            called_number=CALLED,
            status_callback_url=f"{self.base_url}/twilio/call-status",
            patience_s=0.3,
            max_call_s=60.0,
        )
        object.__setattr__(self, "options", options)

    async def call(self, *steps: Step, **changes: Any) -> CallReport:
        """Phone the bot; `changes` are other options of the call."""
        options = replace(self.options, steps=steps, **changes)
        return await place_call(options, voice=self.voice, rest=self.api)


def environment(folder: Path, base_url: str, api_url: str, **changes: str) -> dict[str, str]:
    """The settings of a bot that hears what it is told to, speaks in tones, and answers for the shipped business."""
    business = yaml.safe_load(SHIPPED.read_text()) | {"greeting": GREETING, "goodbye": GOODBYE}
    (folder / "business.yaml").write_text(yaml.safe_dump(business))
    return {
        "PUBLIC_BASE_URL": base_url,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_BASE_URL": api_url,
        "VOICE_PROVIDER": "scripted",
        "LLM_PROVIDER": "local",
        "BUSINESS_FILE": str(folder / "business.yaml"),
        "FRONT_DESK_BOOK": str(folder / "book.jsonl"),
        "DATABASE_URL": f"sqlite:///{folder}/offhook.db",
        "TURN_END_SILENCE_MS": "300",
        "MAX_LAG_MS": "60000",  # a busy machine turns no call of a test away
    } | changes


@asynccontextmanager
async def in_process(
    set_variables: Callable[[dict[str, str]], None],
    folder: Path,
    voice: Voice,
    account: tuple[str, str] = (ACCOUNT, TOKEN),
    **changes: str,
) -> AsyncIterator[Office]:
    """The application in this event loop; `account` is the one that the REST API knows."""
    port = free_port()
    api = RestApi(*account)
    async with serve(api.app) as api_url:
        set_variables(environment(folder, f"http://127.0.0.1:{port}", api_url, **changes))
        app = create_app()
        async with app.router.lifespan_context(app), serve(app, port) as base_url:
            await until_ready(base_url)
            yield Office(base_url, voice, api)


@asynccontextmanager
async def in_a_process(
    folder: Path, voice: Voice, changes: Mapping[str, str], cwd: Path = ROOT
) -> AsyncIterator[Office]:
    """`offhook serve`, of the tree at `cwd`; `changes` are settings."""
    port = free_port()
    api = RestApi(ACCOUNT, TOKEN)
    log = folder / "server.log"
    async with serve(api.app) as api_url:
        variables = environment(folder, f"http://127.0.0.1:{port}", api_url, **changes)
        with log.open("wb") as output:
            command = (sys.executable, "-m", "telephony", "serve", "--host", "127.0.0.1", "--port", str(port))
            process = await asyncio.create_subprocess_exec(
                *command, env=environment_with(**variables), cwd=cwd, stdout=output, stderr=output
            )
        try:
            await until_ready(f"http://127.0.0.1:{port}", process)
            yield Office(f"http://127.0.0.1:{port}", voice, api, log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def until_ready(base_url: str, process: Running | None = None) -> None:
    """Ask until the server would take a call; the wait for it to listen and to load has no other end."""
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client, asyncio.timeout(READY_LIMIT_S):
        while process is None or process.returncode is None:
            try:
                if (await client.get("/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError("the server did not start")


def reported(report: CallReport, kind: str) -> list[str]:
    """The texts of one kind that the bot's own feed told of."""
    return [event.text() for event in report.events if isinstance(event, BotReported) and event.kind == kind]


def of_kind[E: Event](report: CallReport, kind: type[E]) -> list[E]:
    return [event for event in report.events if isinstance(event, kind)]


def assert_in_order(report: CallReport) -> None:
    """Nothing that Twilio's debugger would show, and every mark echoed."""
    assert not report.warnings
    assert report.stats.ignored == 0
    assert report.stats.marks_received == report.stats.marks_echoed
    assert report.status == "completed"
