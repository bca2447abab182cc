"""Several processes of the bot behind a balancer, one database between them, and the means to kill them."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import audioop
import yaml

from agent.business import SHIPPED
from telephony.records.database import connect
from telephony.records.fold import fold
from telephony.records.log import Log, RecordedCall
from telephony.scenarios.sounds import Reader, speech
from telephony.settings import environment_with
from telephony.simulator.caller import Step
from telephony.simulator.events import Event
from telephony.simulator.options import CallOptions
from telephony.simulator.place import place_call
from telephony.simulator.report import CallReport
from telephony.simulator.rest import RestApi, serve
from tests.wire.balancer import Balancer
from tests.wire.office import ACCOUNT, CALLED, CALLER, ROOT, TOKEN, free_port, until_ready


class ReadableVoice:
    """The caller speaks in sounds that carry their text."""

    async def speak(self, text: str) -> bytes:
        return speech(text)


@dataclass(slots=True)
class Process:
    """One of them."""

    port: int
    log: Path
    process: asyncio.subprocess.Process

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None


@dataclass(slots=True)
class Fleet:
    """The processes, started one after the other, and their caller's telephone."""

    folder: Path
    base_url: str
    database_url: str
    api: RestApi
    balancer: Balancer
    variables: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> Process:
        """One more process, ready for calls, which the balancer then knows."""
        port = free_port()
        log = self.folder / f"server-{len(self.processes)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "telephony", "serve", "--host", "127.0.0.1", "--port", str(port)),
                env=environment_with(**self.variables),
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        started = Process(port, log, process)
        self.processes.append(started)
        await until_ready(f"http://127.0.0.1:{port}", process)
        self.balancer.ports.append(port)
        return started

    async def kill_server_of(self, call_sid: str) -> Process:
        """`kill -9` the process that serves a call."""
        killed = await self.server_of(call_sid)
        os.kill(killed.process.pid, signal.SIGKILL)
        self.balancer.ports.remove(killed.port)
        await killed.process.wait()
        return killed

    def newest_call(self) -> str:
        """The SID of the call that was placed last."""
        return next(reversed(self.api.known))

    async def server_of(self, call_sid: str) -> Process:
        recorded = await self.recorded(call_sid)
        pid = int(recorded.process.split(":")[1])
        return next(process for process in self.processes if process.process.pid == pid)

    async def recorded(self, call_sid: str) -> RecordedCall:
        engine = connect(self.database_url)
        try:
            found = await Log(engine).of(call_sid)
        finally:
            await engine.dispose()
        assert found is not None
        return found

    async def remembered(self, call_sid: str) -> list[str]:
        """What a call's memory holds in the end: who said what, as the model is told."""
        told = fold((await self.recorded(call_sid)).entries).told
        return [f"{entry.kind.value}: {entry.details.get('text', entry.details.get('answered'))}" for entry in told]

    async def call(self, *steps: Step, on_event: Callable[[Event], None] | None = None, **changes: Any) -> "Call":
        """Phone the fleet; `on_event` is told of what happens."""
        number = len(list(self.folder.glob("*.wav")))
        wav = self.folder / f"call-{number}.wav"
        wav.touch()
        options = replace(
            CallOptions(
                url=f"{self.base_url}/twilio/voice",
                auth_token=TOKEN,
                account_sid=ACCOUNT,
                caller_number=CALLER,
                called_number=CALLED,
                status_callback_url=f"{self.base_url}/twilio/call-status",
                steps=steps,
                patience_s=1.0,
                wav_path=wav,
                max_call_s=90.0,
            ),
            **changes,
        )
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

    def longest_silence_s(self) -> float:
        """The longest time in which neither side was to be heard."""
        with wave.open(str(self.wav)) as recording:
            frames = recording.readframes(recording.getnframes())
        mono = audioop.tomono(frames, 2, 0.5, 0.5)
        window = 160 * 2
        silent = longest = 0
        for start in range(0, len(mono), window):
            silent = 0 if audioop.rms(mono[start : start + window], 2) > 100 else silent + 1
            longest = max(longest, silent)
        return longest * 0.02


@asynccontextmanager
async def fleet_of(count: int, folder: Path, database_url: str = "", **changes: str) -> AsyncIterator[Fleet]:
    """So many processes, all ready for calls; all of them are gone in the end."""
    balancer = Balancer()
    api = RestApi(ACCOUNT, TOKEN)
    business = yaml.safe_load(SHIPPED.read_text()) | {"greeting": "Good day.", "goodbye": "Goodbye."}
    (folder / "business.yaml").write_text(yaml.safe_dump(business))
    async with serve(api.app) as api_url, balancer.serve() as base_url:
        database_url = database_url or f"sqlite:///{folder}/fleet.db"
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
            "MAX_CALLS_PER_CALLER_PER_MINUTE": "100000",
        }
        fleet = Fleet(folder, base_url, database_url, api, balancer, variables | changes)
        try:
            for _ in range(count):
                await fleet.start()
            yield fleet
        finally:
            for each in fleet.processes:
                if each.is_alive:
                    each.process.kill()
                await each.process.wait()
