"""The caller's sentence, spoken once by the embedded voice: a process of its own, for its models take much memory."""

import asyncio
import sys
from pathlib import Path

from telephony.simulator.measure import trimmed
from telephony.simulator.voice import ProviderVoice

SENTENCE = "I would like to book a table for two people on Sunday evening please"
CACHE = Path("~/.cache/offhook-bench").expanduser()
"""Outside the repository: nothing in it is anybody's source."""


async def sentence() -> bytes:
    """About 3.4 s of 8 kHz μ-law that ends with its last sound."""
    path = CACHE / "sentence.ulaw"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.speech", str(path))
        if await process.wait():
            raise SystemExit("the caller's sentence could not be spoken: is the extra `local` installed?")
    return path.read_bytes()


async def _speak() -> bytes:
    voice = await ProviderVoice.named("local")
    return trimmed(await voice.speak(SENTENCE))


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(asyncio.run(_speak()))
