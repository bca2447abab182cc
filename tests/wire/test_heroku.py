"""A dyno, started as Heroku does: by the Procfile's own lines, with Heroku's own variables; and its end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from telephony.settings import environment_with
from telephony.simulator.caller import Say, Step
from telephony.simulator.events import BotSpeaking, Event
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport
from telephony.simulator.rest import RestApi, serve
from tests.telephony.records.postgres import Postgres
from tests.test_settings_documented import FIELDS
from tests.wire.balancer import Balancer
from tests.wire.fleet import ReadableVoice
from tests.wire.office import (
    ACCOUNT,
    CALLED,
    CALLER,
    GOODBYE,
    GREETING,
    ROOT,
    TOKEN,
    environment,
    free_port,
    until_ready,
)

PROCFILE: dict[str, str] = yaml.safe_load((ROOT / "Procfile").read_text())
ENDS_WITHIN_S = 30.0
"""After that Heroku kills."""
PARTING = "Thank you, goodbye."


@dataclass(slots=True)
class Dyno:
    """Its processes, in a group of their own."""

    port: int
    log: Path
    process: asyncio.subprocess.Process

    def terminate(self) -> None:
        """Heroku's signal goes to every process of the dyno, and it may come again."""
        for _ in range(2):
            os.killpg(self.process.pid, signal.SIGTERM)


@dataclass(slots=True)
class App:
    """What Heroku knows of an app: its variables, and where its router leads."""

    folder: Path
    variables: dict[str, str]
    router: Balancer
    api: RestApi
    url: str

    def release(self) -> None:
        """The release line, which has to succeed before a dyno starts."""
        command = ("bash", "-c", PROCFILE["release"])
        subprocess.run(command, env=self._environment("release.1", 0), cwd=ROOT, check=True, capture_output=True)  # noqa: S603

    @asynccontextmanager
    async def dyno(self, name: str) -> AsyncIterator[Dyno]:
        port = free_port()
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", PROCFILE["web"]),
                env=self._environment(name, port),
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            await until_ready(f"http://127.0.0.1:{port}", process)
            yield Dyno(port, log, process)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _environment(self, name: str, port: int) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return environment_with(**self.variables, PATH=path, DYNO=name, PORT=str(port))

    async def call(self, *steps: Step, on_event: Callable[[Event], None] | None = None) -> CallReport:
        options = CallOptions(
            url=f"{self.url}/twilio/voice",
            auth_token=TOKEN,
            account_sid=ACCOUNT,
            caller_number=CALLER,
            called_number=CALLED,
            steps=steps,
            patience_s=1.0,
            max_call_s=60.0,
        )
        return await place_call(options, voice=ReadableVoice(), rest=self.api, on_event=on_event)


@pytest.fixture
async def app(postgres: Postgres, tmp_path: Path) -> AsyncIterator[App]:
    router = Balancer()
    api = RestApi(ACCOUNT, TOKEN)
    async with serve(api.app) as api_url, router.serve() as url:
        variables = environment(
            tmp_path,
            url,
            api_url,
            DATABASE_URL=postgres.new_database(),
            VOICE_PROVIDER="tests.wire.engines:Reading",
            WEB_CONCURRENCY="2",
            FORWARDED_ALLOW_IPS="*",
            PYTHONUNBUFFERED="true",
            PYTHONPATH=str(ROOT),
        )
        yield App(tmp_path, variables, router, api, url)


async def test_a_dyno_takes_calls_and_leaves_them_to_the_next(app: App) -> None:
    app.release()
    speaking = asyncio.Event()

    def when_it_speaks(event: Event) -> None:
        if isinstance(event, BotSpeaking):
            speaking.set()

    async with app.dyno("web.1") as first, app.dyno("web.2") as second:
        app.router.ports = [first.port]
        async with asyncio.TaskGroup() as tasks:
            calling = tasks.create_task(app.call(on_event=when_it_speaks))
            await speaking.wait()
            app.router.ports = [second.port, first.port]
            told_at = time.monotonic()
            first.terminate()
            assert await first.process.wait() == 0
            took_s = time.monotonic() - told_at
        report = calling.result()
        app.router.ports = [second.port]
        again = await app.call(Say(PARTING))

    assert took_s < ENDS_WITHIN_S
    assert report.streams >= 2  # of which the first dyno may have been asked for one more, and served none
    assert report.reason == "the caller hung up"
    assert f"call={report.call_sid} call taken up" in second.log.read_text()
    assert again.reason == "the bot hung up over REST"
    log = first.log.read_text()
    assert log.count("ready for calls") == 2
    assert log.count("this process is ending") == 2
    assert "call ended: handed over to another process" in log
    assert "Traceback" not in log
    assert GREETING not in log
    assert GOODBYE not in log


def test_the_app_can_be_made_from_its_manifest() -> None:
    manifest = json.loads((ROOT / "app.json").read_text())
    assert manifest["formation"].keys() == PROCFILE.keys() - {"release"}
    assert manifest["env"].keys() <= FIELDS.keys()
    required = {name for name, variable in manifest["env"].items() if not variable.keys() & {"value", "generator"}}
    assert required == {"PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "VOICE_PROVIDER"}
    assert all(variable["description"] for variable in manifest["env"].values())
