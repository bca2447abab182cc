"""Streams as they are served: the first of a call, the next, and those that come at a bad moment."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
from starlette.types import Message

from providers.settings import settings as provider_settings
from providers.voice.factory import VoiceProviderFactory
from providers.voice.scripted import ScriptedVoiceProvider
from telephony.call.journal import Kind
from telephony.call.rules import CallRules
from telephony.reception import UNCOUNTED
from telephony.records.command import upgrade_database
from telephony.records.database import DatabaseAway
from telephony.records.log import RecordedCall
from telephony.service import Service
from telephony.settings import settings as line_settings
from telephony.twilio.messages import Start
from tests.telephony.twilio import frames
from tests.telephony.twilio.frames import ACCOUNT, CALL, STREAM
from tests.telephony.twilio.test_line import Peer

LIMIT_S = 30.0


class Staying(Peer):
    """A caller who stays on the line, and hears the bot, until `leaves` is set."""

    def __init__(self) -> None:
        super().__init__(frames.CONNECTED, frames.START)
        self._says.pop()
        self.leaves = asyncio.Event()
        self.hears = asyncio.Event()
        self.is_closed = asyncio.Event()
        self.on_told = self._hear

    async def _hear(self) -> None:
        self.hears.set()

    async def _receive(self) -> Message:
        if self._says:
            return await super()._receive()
        await self.leaves.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def _send(self, message: Message) -> None:
        await super()._send(message)
        if message["type"] == "websocket.close":
            self.is_closed.set()


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> AsyncIterator[Service]:
    variables = {
        "DATABASE_URL": database_url,
        "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
        "VOICE_PROVIDER": "scripted",
        "FRONT_DESK_BOOK": str(tmp_path / "book.jsonl"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider_settings.reload()
    line_settings.reload()
    await upgrade_database(database_url)
    service = Service()
    await service._records.start()
    yield service
    await service.stop()


def start(stream_sid: str = STREAM, **parameters: str) -> Start:
    return Start(stream_sid, CALL, ACCOUNT, parameters={"from": "+14155550100", "to": "+18005550101"} | parameters)


async def serve(service: Service, peer: Peer, begins: Start) -> None:
    """One stream, as the endpoint serves it."""
    line = await peer.line()
    assert await line.started() is not None
    writer = asyncio.create_task(line.write())
    try:
        async with asyncio.timeout(LIMIT_S):
            await service.endpoint._serve(line, begins)
    finally:
        writer.cancel()


def call(service: Service, peer: Staying, begins: Start) -> asyncio.Task[None]:
    return asyncio.create_task(serve(service, peer, begins))


async def recorded(service: Service) -> RecordedCall:
    found = await service._records.log.of(CALL)
    assert found is not None
    return found


async def test_a_stream_is_served_written_down_and_let_go(service: Service) -> None:
    peer = Staying()
    served = call(service, peer, start())
    await peer.hears.wait()
    assert service.office.live_calls == 1
    peer.leaves.set()
    await served
    assert service.office.live_calls == 0
    found = await recorded(service)
    assert (found.streams, found.caller, found.called) == (1, "+14155550100", "+18005550101")
    assert [found.entries[0].kind, found.entries[-1].kind] == [Kind.CALL_STARTED, Kind.CALL_ENDED]
    lease = await service.office.fleet._leases.of(CALL)
    assert lease is not None
    assert lease.process is None


async def test_the_next_stream_of_a_call_takes_the_place_of_the_first(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Staying(), Staying()
    older = call(service, first, start())
    await first.hears.wait()
    newer = call(service, second, start("MZ2"))
    await older  # though its caller has not left
    await second.hears.wait()
    assert service.office.live_calls == 1
    lease = await service.office.fleet._leases.of(CALL)
    assert lease is not None
    assert (lease.process, lease.stream, lease.stream_sid) == (service._records.process, 2, "MZ2")
    second.leaves.set()
    await newer
    assert (await recorded(service)).streams == 2
    assert "another stream of the call has begun, the older one ends" in caplog.messages


class Clinging(ScriptedVoiceProvider):
    """Does not let go before it is `freed`."""

    freed: ClassVar[asyncio.Event]

    async def disconnect(self) -> None:
        await self.freed.wait()
        await super().disconnect()


async def test_a_stream_is_over_before_its_engines_have_let_go(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VoiceProviderFactory._registry, "scripted", Clinging)
    Clinging.freed = asyncio.Event()
    peer = Staying()
    served = call(service, peer, start())
    await peer.hears.wait()
    peer.leaves.set()
    await peer.is_closed.wait()
    assert service.office.live_calls == 0
    assert (await recorded(service)).entries[-1].kind is Kind.CALL_ENDED
    assert not served.done()
    Clinging.freed.set()
    await served


async def test_two_streams_at_once_leave_one_bot(service: Service) -> None:
    peers = [Staying(), Staying(), Staying()]
    tasks = [call(service, peer, start(f"MZ{number}")) for number, peer in enumerate(peers)]
    await tasks[0]
    await tasks[1]
    await peers[2].hears.wait()
    assert service.office.live_calls == 1
    peers[2].leaves.set()
    await tasks[2]


async def test_a_caller_who_comes_back_from_a_transfer_is_told_so(service: Service) -> None:
    peer = Staying()
    served = call(service, peer, start(back="nobody answered"))
    await peer.hears.wait()
    peer.leaves.set()
    await served
    kinds = [entry.kind for entry in (await recorded(service)).entries]
    assert kinds.index(Kind.HAPPENED) < kinds.index(Kind.BOT_SAYS)


async def test_a_process_that_is_ending_serves_nobody(service: Service) -> None:
    service.office.is_leaving = True
    peer = Staying()
    await serve(service, peer, start())
    assert not peer.told
    assert await service._records.log.of(CALL) is None


@pytest.mark.parametrize("slow", ["claim", "release", "of"])
async def test_a_database_that_is_away_at_any_step_costs_no_call_anything(
    service: Service, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("gone")

    for number in range(2):
        monkeypatch.setattr(service._records.log if slow == "of" else service.office.fleet._leases, slow, away)
        peer = Staying()
        served = call(service, peer, start(f"MZ{number}"))
        await peer.hears.wait()
        peer.leaves.set()
        await served
    monkeypatch.undo()
    found = await recorded(service)
    assert found.streams == 2
    assert sum(entry.kind is Kind.CALL_ENDED for entry in found.entries) == 2


async def test_a_stream_that_follows_others_nobody_can_count_is_written_beside_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Staying()
    served = call(service, first, start())
    await first.hears.wait()
    first.leaves.set()
    await served
    service.office._talks._remembered.clear()  # as in another process

    async def away(*_: object) -> None:
        raise DatabaseAway("gone")

    for part, name in ((service._records.log, "of"), (service.office.fleet._leases, "claim")):
        monkeypatch.setattr(part, name, away)
    second = Staying()
    served = call(service, second, start("MZ2", step="3"))
    await second.hears.wait()
    second.leaves.set()
    await served
    monkeypatch.undo()

    found = await recorded(service)
    assert found.streams == UNCOUNTED + 3
    assert [entry.kind for entry in found.entries].count(Kind.CALL_STARTED) == 2
    said = [entry.details["text"] for entry in found.entries if entry.kind is Kind.BOT_SAYS]
    assert said[-1] == CallRules().resumed


async def test_a_stream_whose_call_has_no_lease_yet_is_not_the_first_all_the_same(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseAway("gone")

    for number, step in enumerate(("1", "2")):
        if number == 0:
            monkeypatch.setattr(service.office.fleet._leases, "claim", away)
        peer = Staying()
        served = call(service, peer, start(f"MZ{number}", step=step))
        await peer.hears.wait()
        peer.leaves.set()
        await served
        monkeypatch.undo()
    found = await recorded(service)
    assert found.streams == 2
    assert sum(entry.kind is Kind.CALL_ENDED for entry in found.entries) == 2
