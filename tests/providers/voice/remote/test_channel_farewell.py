import asyncio
import json

import pytest
from websockets.asyncio.server import ServerConnection

from providers.voice.elevenlabs.contexts import ContextsWire
from providers.voice.remote import channel
from providers.voice.remote.channel import Address, Channel
from providers.voice.remote.service import Service
from tests.fakes.sockets import Opened, SocketFake

SERVICE = Service(provider="parrot", operation="tts", setting="PARROT_API_KEY")


class Chatterbox(SocketFake):
    """Talks far more than anybody reads, and listens only then."""

    async def converse(self, opened: Opened, connection: ServerConnection) -> None:
        for _ in range(200):
            await connection.send(json.dumps({"text": "x" * 1000}))
        async for _ in self.frames(opened, connection):
            pass


async def test_a_goodbye_is_heard_behind_all_that_the_service_still_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "CLOSE_LIMIT_S", 20.0)
    async with Chatterbox() as fake:
        talk = Channel(SERVICE, lambda: Address(fake.url, farewell=["goodbye"]), lambda: ContextsWire(SERVICE))
        await talk.open()
        async with asyncio.timeout(10.0):
            await talk.close()
        await fake.until(lambda: fake.open_connections == 0)
    assert fake.connections[0].frames == ["goodbye"]
