from collections.abc import AsyncIterator

import pytest

from providers.voice.elevenlabs.scribe import Commit, ScribeWire
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.pace import Pace
from providers.voice.remote.service import Service
from providers.voice.remote.streaming import recognise
from tests.fakes.elevenlabs import KEY, ElevenLabsFake

SERVICE = Service(provider="parrot", operation="stt", setting="PARROT_API_KEY")


class Noted(Pace):
    """Makes nobody wait, and takes down what it was asked."""

    def __init__(self) -> None:
        super().__init__(lead_s=0.0)
        self.audio_s: list[float] = []

    def wait_s(self, audio_s: float, now: float) -> float:
        self.audio_s.append(audio_s)
        return 0.0


async def test_all_audio_keeps_the_pace_of_the_service() -> None:
    pace = Noted()
    async with ElevenLabsFake() as fake:
        url = f"{fake.url}/v1/speech-to-text/realtime?audio_format=ulaw_8000&commit_strategy=manual"
        channel = Channel(
            SERVICE,
            lambda: Address(url, {"xi-api-key": KEY}),
            lambda: ScribeWire(SERVICE, Commit.MANUAL, pause_s=0.5),
            pace=pace,
        )
        assert [result.text async for result in recognise(channel, one_second(), 8000)][-1] == fake.heard
        await channel.close()
    assert sum(pace.audio_s) == pytest.approx(1.0)
    assert len(pace.audio_s) > 1


async def one_second() -> AsyncIterator[bytes]:
    for _ in range(5):
        yield b"\x55" * 1600
