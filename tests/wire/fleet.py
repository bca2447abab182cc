"""Several processes of the bot behind a balancer, one database between them, and the means to kill them."""

import asyncio
import math
import multiprocessing
import os
import signal
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import audioop
import yaml

from telephony import cli, service
from telephony.audio.loudness import LoudnessEngine
from telephony.audio.vad import VadEngine
from telephony.records.database import Database, connect
from telephony.records.fold import fold
from telephony.records.leases import Leases
from telephony.records.log import Log, RecordedCall
from telephony.records.upgrade import upgrade
from telephony.scenarios.sounds import Reader, speech
from telephony.simulator.caller import Step
from telephony.simulator.events import Event
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport
from telephony.simulator.rest import RestApi, serve
from tests.wire.balancer import Balancer
from tests.wire.office import ACCOUNT, CALLED, CALLER, TOKEN, free_port, until_ready

BUSINESS: dict[str, object] = {
    "name": "Pies",
    "language": "en",
    "timezone": "UTC",
    "currency": "USD",
    "greeting": "Good day to you.",
    "goodbye": "Bye bye to you.",
    "hours": dict.fromkeys(
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "00:00-24:00"
    ),
    "questions": [{"ask": ["are dogs allowed"], "answer": "Dogs are fine. Cats are too."}],
    "transfer": {"boss": "+1 555 010 0143"},
}
"""A business of few words."""

TASKS = "asyncio tasks: "
"""How a process tells how many it has, asked by a signal."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["telephony.service", "tests.wire.engines", "tests.wire.fleet"])


class ReadableVoice:
    """The caller speaks in sounds that carry their text."""

    async def speak(self, text: str) -> bytes:
        return speech(text)


@dataclass(slots=True)
class Process:
    """One of them."""

    port: int
    log: Path
    process: BaseProcess

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    async def ended(self, limit_s: float = 40.0) -> None:
        """Wait for its end, which something else must bring about."""
        await asyncio.to_thread(self.process.join, limit_s)
        assert self.returncode is not None

    def terminate(self) -> None:
        """What a platform sends to a process that is to end."""
        self.process.terminate()

    async def tasks(self) -> int:
        """How many asyncio tasks it has."""
        before = self.log.read_text().count(TASKS)
        os.kill(self.process.ident or 0, signal.SIGUSR1)
        while self.log.read_text().count(TASKS) == before:  # noqa: ASYNC110 - it has no other way to tell
            await asyncio.sleep(0.05)
        return int(self.log.read_text().rsplit(TASKS, 1)[1].split()[0])

    async def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        await self.ended()


@dataclass(slots=True)
class Fleet:
    """The processes, and their caller's telephone. The balancer leads to those in `balancer.ports`."""

    folder: Path
    base_url: str
    database_url: str
    api: RestApi
    balancer: Balancer
    variables: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> Process:
        """One more process, ready for calls, which the balancer does not know yet."""
        port = free_port()
        log = self.folder / f"server-{port}.log"
        process = _forks.Process(target=_serve, args=(port, log, self.variables), daemon=True)
        process.start()
        started = Process(port, log, process)
        self.processes.append(started)
        await until_ready(f"http://127.0.0.1:{port}", started)
        return started

    async def recorded(self, call_sid: str) -> RecordedCall:
        async with _database(self.database_url) as database:
            found = await Log(database).of(call_sid)
        assert found is not None
        return found

    async def serving(self, call_sid: str) -> Process | None:
        """The process that holds a call."""
        return (await self.served()).get(call_sid)

    async def served(self) -> dict[str, Process]:
        """The calls that are held, and by whom."""
        async with _database(self.database_url) as database:
            held = await Leases(database, "nobody").expired(math.inf)
        by_pid = {str(process.process.pid): process for process in self.processes}
        return {lease.call_sid: by_pid[lease.process.split(":")[1]] for lease in held if lease.process}

    async def remembered(self, call_sid: str) -> list[str]:
        """What a call's memory holds in the end: who said what, as the model is told."""
        told = fold((await self.recorded(call_sid)).entries).told
        return [f"{entry.kind.value}: {entry.details.get('text', entry.details.get('answered'))}" for entry in told]

    def options(self, **changes: Any) -> CallOptions:
        """Those of a call to the fleet."""
        options = CallOptions(
            url=f"{self.base_url}/twilio/voice",
            fallback_url=f"{self.base_url}/twilio/voice",  # where a question went to a process that died over it
            auth_token=TOKEN,
            account_sid=ACCOUNT,
            caller_number=CALLER,
            called_number=CALLED,
            status_callback_url=f"{self.base_url}/twilio/call-status",
            patience_s=0.8,
            max_call_s=60.0,
        )
        return replace(options, **changes)

    async def call(self, *steps: Step, on_event: Callable[[Event], None] | None = None, **changes: Any) -> "Call":
        """Phone the fleet; `on_event` is told of what happens."""
        wav = self.folder / f"call-{len(self.api.known)}.wav"
        options = self.options(steps=steps, wav_path=wav, **changes)
        report = await place_call(options, voice=ReadableVoice(), rest=self.api, on_event=on_event)
        return Call(report, wav)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is over, and what it sounded like."""

    report: CallReport
    wav: Path

    def heard(self) -> list[str]:
        """What the caller heard the bot say, in stretches that were spoken apart."""
        with wave.open(str(self.wav)) as recording:
            frames = recording.readframes(recording.getnframes())
        reader = Reader()
        reader.feed(audioop.lin2ulaw(audioop.tomono(frames, 2, 0, 1), 2))
        return reader.pieces


@asynccontextmanager
async def fleet_of(count: int, folder: Path, database_url: str = "", **changes: str) -> AsyncIterator[Fleet]:
    """So many processes, all ready for calls and known to the balancer; all of them are gone in the end."""
    balancer = Balancer()
    api = RestApi(ACCOUNT, TOKEN)
    (folder / "business.yaml").write_text(yaml.safe_dump(BUSINESS))
    database_url = database_url or f"sqlite:///{folder}/fleet.db"
    async with _database(database_url) as database:
        await upgrade(database)  # what a platform runs before it starts the processes of a release
    async with serve(api.app) as api_url, balancer.serve() as base_url:
        variables = {
            "PUBLIC_BASE_URL": base_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": api_url,
            "DATABASE_URL": database_url,
            "VOICE_PROVIDER": "tests.wire.engines:Reading",
            "LLM_PROVIDER": "tests.wire.engines:considered",
            "BUSINESS_FILE": str(folder / "business.yaml"),
            "FRONT_DESK_BOOK": str(folder / "book.jsonl"),
            "TURN_END_SILENCE_MS": "300",
            "MAX_LAG_MS": "60000",  # a busy machine turns no call of a test away
            "MAX_CALLS_PER_CALLER_PER_MINUTE": "100000",
        }
        fleet = Fleet(folder, base_url, database_url, api, balancer, variables | changes)
        try:
            async with asyncio.TaskGroup() as tasks:
                starting = [tasks.create_task(fleet.start()) for _ in range(count)]
            balancer.ports = [started.result().port for started in starting]
            yield fleet
        finally:
            for process in fleet.processes:
                await process.kill()


@asynccontextmanager
async def _database(database_url: str) -> AsyncIterator[Database]:
    database = connect(database_url)
    try:
        yield database
    finally:
        await database.close()


def _serve(port: int, log: Path, variables: dict[str, str]) -> None:
    """`offhook serve`, in a process that has everything imported already."""
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(variables)
    signal.signal(signal.SIGUSR1, _count_tasks)
    service.load_engine = _loudness  # type: ignore[attr-defined]  # no model takes these sounds for a voice
    cli.serve(host="127.0.0.1", port=port, workers=1)


def _count_tasks(*_: object) -> None:
    os.write(1, f"{TASKS}{len(asyncio.all_tasks())}\n".encode())


def _loudness(model_path: str | None = None) -> VadEngine:
    return LoudnessEngine()
