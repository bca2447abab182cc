"""What an engine's client costs: each under calls in real time, its fake vendor in another process."""

import asyncio
import multiprocessing
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from multiprocessing.connection import Connection
from time import monotonic, process_time
from types import SimpleNamespace

import uvloop
from rich.console import Console

from providers.voice.base import BaseVoiceProvider
from providers.voice.types import AudioFormat, TranscriptionResult
from tests.bench.results import Row
from tests.providers.voice.subjects import SUBJECTS, Subject

CALLS = 20
TURNS = 4
HEARS_S = 3.0
"""Of the caller in each turn; the bot answers with a sentence, which the fakes make 2 s of."""
ANSWER = "A table for two at seven, of course."
LIMIT_S = 60.0
ADDRESSES = ("url", "http_url", "target", "port")

_spawns = multiprocessing.get_context("spawn")


def costs(vendor_core: int, console: Console) -> list[Row]:
    """Every engine, less what the callers of this bench cost with an engine that does nothing."""
    with console.status("callers alone"):
        alone_ms = uvloop.run(_cost_ms(lambda: _Nothing(SUBJECTS[0].provider(SimpleNamespace(url="ws://x")).config)))
    rows: list[Row] = []
    for number, (subject, name) in enumerate(zip(SUBJECTS, _names(), strict=True)):
        with console.status(name):
            cost_ms = _with_its_fake(number, subject, vendor_core)
        rows.append({"client": name, "CPU ms per call-second": cost_ms - alone_ms})
    return [*rows, {"client": "the bench's own callers", "CPU ms per call-second": alone_ms}]


def _names() -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for subject in SUBJECTS:
        seen[subject.name] += 1
        names.append(f"{subject.name}, {seen[subject.name]}" if seen[subject.name] > 1 else subject.name)
    return names


def _with_its_fake(number: int, subject: Subject, core: int) -> float:
    here, there = _spawns.Pipe()
    vendor = _spawns.Process(target=_serve, args=(number, core, there), daemon=True)
    vendor.start()
    try:
        fake = SimpleNamespace(**here.recv())
        return uvloop.run(_cost_ms(lambda: subject.provider(fake), subject))
    finally:
        vendor.kill()
        vendor.join()


def _serve(number: int, core: int, told: Connection) -> None:
    os.sched_setaffinity(0, {core})

    async def serve() -> None:
        async with SUBJECTS[number].fake() as fake:
            told.send({name: getattr(fake, name) for name in ADDRESSES if hasattr(fake, name)})
            await asyncio.Event().wait()

    asyncio.run(serve())


async def _cost_ms(make: Callable[[], BaseVoiceProvider], subject: Subject | None = None) -> float:
    """CPU of all threads of this process in milliseconds per second of call, connecting not counted."""
    engines = [make() for _ in range(CALLS)]
    async with asyncio.timeout(LIMIT_S):
        for engine in engines:
            await engine.connect()
        began_at, began_cpu_s = monotonic(), process_time()
        await asyncio.gather(*[_call(engine) for engine in engines])
        cpu_s, wall_s = process_time() - began_cpu_s, monotonic() - began_at
        for engine in engines:
            await engine.disconnect()
        if subject is not None:
            await subject.close_shared()
    return cpu_s / (CALLS * wall_s) * 1000


async def _call(engine: BaseVoiceProvider) -> None:
    for _ in range(TURNS):
        heard = [result async for result in engine.speech_to_text(_caller(engine))]
        spoken = sum([len(chunk) async for chunk in engine.text_to_speech(ANSWER)])
        if not isinstance(engine, _Nothing) and not (heard and spoken):
            raise RuntimeError(f"{type(engine).__name__} did not work")
        await asyncio.sleep(2.0)


async def _caller(engine: BaseVoiceProvider) -> AsyncIterator[bytes]:
    """The caller's speech in real time, in chunks as large as the engine asks for."""
    chunk_s = engine.config.chunk_duration_ms / 1000
    is_ulaw = engine.capabilities.input_format is AudioFormat.ULAW_8000
    sample, rate = (b"\x55", 8000) if is_ulaw else (b"\x00\x10", engine.config.sample_rate_input)
    chunk = sample * round(rate * chunk_s)
    due_at = monotonic()
    for _ in range(round(HEARS_S / chunk_s)):
        due_at += chunk_s
        await asyncio.sleep(due_at - monotonic())
        yield chunk


class _Nothing(BaseVoiceProvider):
    """Takes everything, and does nothing with it."""

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        async for _ in audio_stream:
            pass
        return
        yield

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        return
        yield b""

    async def get_vad_info(self) -> None:
        return None
