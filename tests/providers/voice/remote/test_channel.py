import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Response

from providers.errors import Fault, ProviderException
from providers.voice.remote.channel import OPEN_LIMIT_S, Address, Channel
from tests.fakes.sockets import Opened
from tests.providers.voice.remote.conftest import LoopTime
from tests.providers.voice.remote.plain import HEARING, PlainEars, PlainServer, ears, listen, until


@pytest.fixture
async def server() -> AsyncIterator[PlainServer]:
    async with PlainServer() as server:
        yield server


async def says(server: PlainServer, channel: Channel[PlainEars], message: str) -> None:
    """Send this, and wait until it has come."""
    await channel.send([message])
    await server.until(lambda: message in server.connections[-1].frames)


async def closes(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    """Greeted, close."""
    await until(server.frames(opened, connection), "hello")
    await connection.close(1011)


async def deaf(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    """Take nothing from the line until the test is over."""
    connection.transport.pause_reading()
    await server.release.wait()
    connection.transport.abort()


def failed(error: pytest.ExceptionInfo[ProviderException]) -> Fault | None:
    return error.value.fault


async def test_a_connection_is_opened_once(server: PlainServer) -> None:
    channel = ears(server)
    assert channel.wire is None
    wire = await channel.open()
    assert await channel.open() is wire is channel.wire
    await says(server, channel, "one")
    assert server.connections[0].frames == ["hello", "one"]
    assert len(server.connections) == 1
    await channel.close()
    await channel.close()
    await server.until(lambda: server.open_connections == 0)


async def test_a_connection_that_the_service_closed_is_opened_again() -> None:
    async with PlainServer(closes, listen) as server:
        channel = ears(server)
        wire = await channel.open()
        with pytest.raises(ProviderException) as caught:
            await channel.receive()
        assert failed(caught) is Fault.UNAVAILABLE
        with pytest.raises(ProviderException):
            await channel.send(["too late"])
        assert await channel.open() is not wire
        await says(server, channel, "again")
        await channel.close()


async def test_it_is_kept_alive_only_while_it_is_silent(server: PlainServer, clock: LoopTime) -> None:
    channel = ears(server, keep_alive_s=4.0)
    await channel.open()
    clock.advance(3)
    await says(server, channel, "a word")
    clock.advance(3)
    await says(server, channel, "another")
    assert "here" not in server.connections[0].frames
    for count in (1, 2):
        clock.advance(4.1)
        await server.until(lambda count=count: server.connections[0].frames.count("here") == count)  # type: ignore[misc]
    await channel.close()


async def test_a_connection_that_is_gone_is_kept_alive_no_longer(
    clock: LoopTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "providers.voice.remote.channel")
    async with PlainServer(closes) as server:
        channel = ears(server, keep_alive_s=4.0)
        await channel.open()
        with pytest.raises(ProviderException):
            await channel.receive()
        while "is gone" not in caplog.text:
            clock.advance(4.1)
            await asyncio.sleep(0)
        await channel.close()


async def test_a_connection_that_is_too_old_is_not_used_again(server: PlainServer, clock: LoopTime) -> None:
    channel = ears(server, max_age_s=10.0)
    young = await channel.open()
    clock.advance(9)
    assert await channel.open() is young
    clock.advance(2)
    assert await channel.open() is not young
    await server.until(lambda: not server.connections[0].is_open)
    await channel.close()


async def test_an_abandoned_connection_is_closed_and_what_was_posted_is_not_sent(server: PlainServer) -> None:
    channel = ears(server)
    await channel.open()
    channel.post(["never"])
    channel.abandon()
    assert channel.wire is None
    await channel.open()
    await says(server, channel, "word")
    assert [opened.frames for opened in server.connections] == [["hello"], ["hello", "word"]]
    await channel.close()
    await server.until(lambda: server.open_connections == 0)


async def test_what_is_posted_comes_before_what_is_sent_next_and_without_it_too(server: PlainServer) -> None:
    channel = ears(server)
    await channel.open()
    channel.post(["first", "second"])
    await says(server, channel, "third")
    channel.post(["fourth"])
    await server.until(lambda: "fourth" in server.connections[0].frames)
    assert server.connections[0].frames == ["hello", "first", "second", "third", "fourth"]
    await channel.close()


async def test_posting_to_a_connection_that_broke_lets_it_go() -> None:
    async with PlainServer(closes) as server:
        channel = ears(server)
        await channel.open()
        with pytest.raises(ProviderException):
            await channel.receive()
        channel.post(["anybody?"])
        await channel.close()
        assert channel.wire is None


async def test_a_refusal_before_it_is_ready_is_the_services() -> None:
    async def refuses(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await connection.send("fail no-money")
        await connection.wait_closed()

    async def accepts(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await connection.send("ready")
        await listen(server, opened, connection)

    async with PlainServer(refuses, accepts) as server:
        channel = ears(server, waits=True)
        with pytest.raises(ProviderException) as caught:
            await channel.open()
        assert failed(caught) is Fault.QUOTA
        assert channel.wire is None
        await server.until(lambda: server.open_connections == 0)
        assert (await channel.open()).is_ready
        await channel.close()


async def test_cancelling_while_it_opens_leaves_nothing(server: PlainServer) -> None:
    channel = ears(server, waits=True)
    opening = asyncio.create_task(channel.open())
    await server.until(lambda: "hello" in server.connections[0].frames if server.connections else False)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert channel.wire is None
    await channel.close()
    await server.until(lambda: server.open_connections == 0)


async def test_a_service_that_never_gets_ready_is_given_up(server: PlainServer, clock: LoopTime) -> None:
    channel = ears(server, waits=True)
    opening = asyncio.create_task(channel.open())
    await server.until(lambda: "hello" in server.connections[0].frames if server.connections else False)
    clock.advance(OPEN_LIMIT_S)
    with pytest.raises(ProviderException) as caught:
        await opening
    assert failed(caught) is Fault.TIMEOUT
    await channel.close()


async def test_a_service_that_takes_nothing_more_is_given_up(clock: LoopTime) -> None:
    async with PlainServer(deaf) as server:
        channel = ears(server)
        await channel.open()
        sending = asyncio.create_task(channel.send([bytes(1 << 22)] * 8))
        with pytest.raises(ProviderException) as caught:
            await clock.run(sending)
        assert failed(caught) is Fault.TIMEOUT
        await clock.run(asyncio.create_task(channel.close()))
        server.release.set()


async def test_without_a_connection_nothing_is_sent_or_received(server: PlainServer) -> None:
    channel = ears(server)
    for attempt in (channel.send(["x"]), channel.receive()):
        with pytest.raises(ProviderException) as caught:
            await attempt
        assert failed(caught) is Fault.UNAVAILABLE


async def test_sending_nothing_is_nothing(server: PlainServer) -> None:
    channel = ears(server)
    await channel.open()
    await channel.send([])
    await says(server, channel, "word")
    assert server.connections[0].frames == ["hello", "word"]
    await channel.close()


async def test_a_refused_upgrade_says_how_long_to_wait_even_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    headers = Headers({"Retry-After": later, "Content-Length": "0", "X-Request-Id": "r-1"})
    async with PlainServer(refusal=Response(429, "Slow down", headers)) as server:
        with pytest.raises(ProviderException) as caught:
            await ears(server).open()
    error = caught.value
    assert (error.fault, error.status, error.request_id) == (Fault.RATE_LIMIT, 429, "r-1")
    assert error.retry_after_s is not None
    assert 1000 < error.retry_after_s < 2000


async def test_what_is_no_address_or_no_service_is_told_apart() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")
        writer.close()

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"ws://127.0.0.1:{unused.getsockname()[1]}"
        async with await asyncio.start_server(http, "127.0.0.1", 0) as other:
            stranger = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}"
            faults = [
                ("http://127.0.0.1/", Fault.BAD_REQUEST),
                (nobody, Fault.UNAVAILABLE),
                (stranger, Fault.PROTOCOL),
            ]
            for url, fault in faults:
                with pytest.raises(ProviderException) as caught:
                    await Channel(HEARING, lambda url=url: Address(url), PlainEars).open()  # type: ignore[misc]
                assert failed(caught) is fault


async def test_a_service_that_does_not_say_goodbye_is_left(clock: LoopTime) -> None:
    async with PlainServer(deaf) as server:
        channel = ears(server)
        await channel.open()
        await clock.run(asyncio.create_task(channel.close()))
        server.release.set()


def test_an_address_does_not_show_its_headers() -> None:
    assert "secret" not in repr(Address("ws://localhost", {"Authorization": "secret"}))
