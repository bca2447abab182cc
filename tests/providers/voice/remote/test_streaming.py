import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from websockets.asyncio.server import ServerConnection

from providers.errors import Fault, ProviderException
from providers.voice.remote.streaming import CONNECTIONS, recognise, synthesise
from tests.fakes.sockets import Opened
from tests.providers.voice.calls import Caller, Heard, stream_of
from tests.providers.voice.garbage import told
from tests.providers.voice.remote.conftest import LoopTime
from tests.providers.voice.remote.plain import BYTES_PER_S, PlainServer, ears, listen, until, voice


async def answers(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    """One final result for each utterance, of all the audio since the last one."""
    start_s = stop_s = 0.0
    async for frame in server.frames(opened, connection):
        if isinstance(frame, bytes):
            stop_s += len(frame) / BYTES_PER_S
        elif frame == "finish":
            await connection.send(f"final {start_s} {stop_s} words {start_s:g} to {stop_s:g}")
            await connection.send("done")
            start_s = stop_s


async def breaks_after_a_final(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    async for frame in server.frames(opened, connection):
        if isinstance(frame, bytes):
            await connection.send("final 0 0.5 half a second")
            await connection.send("interim 0.5 1 lost")
            connection.transport.close()
            return


async def breaks(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    connection.transport.abort()


async def test_utterances_come_one_after_another_over_one_connection() -> None:
    async with PlainServer(answers) as server:
        channel = ears(server)
        for seconds in (1.0, 0.5):
            audio = stream_of([bytes(round(seconds * BYTES_PER_S))])
            (result,) = [result async for result in recognise(channel, audio, BYTES_PER_S)]
            assert (result.start_s, result.stop_s, result.is_final) == (0.0, seconds, True)
        assert len(server.connections) == 1
        await channel.close()


async def test_a_lost_connection_loses_no_word(caplog: pytest.LogCaptureFixture) -> None:
    """Words that stood are kept, and the audio behind them is sent again over the next connection."""
    async with PlainServer(breaks_after_a_final, answers) as server:
        channel = ears(server)
        caller = Caller(b"a" * 4000 + b"b" * 4000)
        heard = Heard(recognise(channel, caller.audio(), BYTES_PER_S))
        await server.until(lambda: len(server.connections) == 2 and len(server.connections[1].audio) == 4000)
        caller.say(b"c" * 2000)
        caller.end()
        await heard.task
        assert server.connections[1].audio == b"b" * 4000 + b"c" * 2000
        assert heard.words == "half a second words 0 to 0.75"
        assert (heard.results[-1].start_s, heard.results[-1].stop_s) == (0.5, 1.25)
        assert "0.0 s of audio are lost" in caplog.text
        await channel.close()


async def test_a_service_that_breaks_again_and_again_is_given_up() -> None:
    async with PlainServer(breaks) as server:
        channel = ears(server)
        heard = Heard(recognise(channel, Caller(b"a").audio(), BYTES_PER_S))
        with pytest.raises(ProviderException) as caught:
            await heard.task
        assert caught.value.fault is Fault.UNAVAILABLE
        assert len(server.connections) == CONNECTIONS
        await channel.close()


async def test_a_fault_that_stays_is_not_tried_again() -> None:
    async def refuses(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await connection.send("fail no-money")
        await connection.wait_closed()

    async with PlainServer(refuses) as server:
        channel = ears(server)
        with pytest.raises(ProviderException) as caught:
            await Heard(recognise(channel, Caller().audio(), BYTES_PER_S)).task
        assert caught.value.fault is Fault.QUOTA
        assert len(server.connections) == 1
        assert channel.wire is None
        await channel.close()


async def test_what_the_source_of_the_audio_raises_comes_out_after_the_words() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(4000)
        raise OSError("the line is gone")

    async with PlainServer(answers) as server:
        channel = ears(server)
        heard = Heard(recognise(channel, failing(), BYTES_PER_S))
        with pytest.raises(OSError, match="line is gone"):
            await heard.task
        assert heard.words == "words 0 to 0.5"
        await channel.close()


async def test_who_stops_reading_ends_the_work() -> None:
    async with PlainServer(listen) as server:
        channel = ears(server)
        caller = Caller(b"a")
        heard = Heard(recognise(channel, caller.audio(), BYTES_PER_S))
        await server.until(lambda: server.open_connections == 1 and b"a" in server.connections[0].frames)
        heard.task.cancel()
        await asyncio.wait([heard.task])
        assert channel.wire is None
        await channel.close()
        await server.until(lambda: server.open_connections == 0)


async def test_a_service_that_never_finishes_is_given_up(clock: LoopTime) -> None:
    async with PlainServer(listen) as server:
        channel = ears(server)
        caller = Caller(b"a" * 800)
        heard = Heard(recognise(channel, caller.audio(), BYTES_PER_S))
        await server.until(lambda: any(connection.audio for connection in server.connections))
        clock.advance(15)  # before the caller has finished there is no limit
        await asyncio.sleep(0)
        caller.end()
        await server.until(lambda: "finish" in server.connections[0].frames)
        with pytest.raises(ProviderException) as caught:
            await clock.run(heard.task)
        assert caught.value.fault is Fault.TIMEOUT
        await channel.close()


@pytest.mark.parametrize("last", ["interim 0 1 to the end", "final 0 1 to the end"])
async def test_a_service_may_close_when_it_is_done_and_its_last_words_stand(last: str) -> None:
    async def closes(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await until(server.frames(opened, connection), "finish")
        await connection.send("interim 0 0.5 to the")
        await connection.send(last)

    async with PlainServer(closes) as server:
        channel = ears(server, closes_when_done=True)
        for _ in range(2):
            results = [one async for one in recognise(channel, stream_of([bytes(8000)]), BYTES_PER_S)]
            assert told(results)[-1] == ("to the end", True)
            assert [result.is_final for result in results].count(True) == 1
        assert len(server.connections) == 2
        await channel.close()


async def test_a_service_that_should_not_close_has_not_said_all() -> None:
    async def closes(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await until(server.frames(opened, connection), "finish")
        await connection.send("interim 0 0.5 half")

    async with PlainServer(closes, answers) as server:
        channel = ears(server)
        results = [one async for one in recognise(channel, stream_of([bytes(8000)]), BYTES_PER_S)]
        assert told(results)[-1] == ("words 0 to 1", True)
        await channel.close()


# --- speech --------------------------------------------------------------------------------------------------------


async def speaks(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    async for frame in server.frames(opened, connection):
        if str(frame).startswith("speak"):
            await connection.send(b"one")
            await connection.send(b"two")
            if frame != "speak without end":
                await connection.send("done")


async def breaks_when_asked(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
    async for _ in server.frames(opened, connection):
        connection.transport.abort()
        return


async def test_a_text_is_spoken_to_its_end() -> None:
    async with PlainServer(speaks) as server:
        channel = voice(server)
        for _ in range(2):
            assert [piece async for piece in synthesise(channel, "hello")] == [b"one", b"two"]
        assert len(server.connections) == 1
        await channel.close()


async def test_a_connection_found_broken_before_any_audio_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    async with PlainServer(breaks_when_asked, speaks) as server:
        channel = voice(server)
        assert [piece async for piece in synthesise(channel, "hello")] == [b"one", b"two"]
        assert "connecting again" in caplog.text
        await channel.close()


async def test_it_is_opened_again_once_only() -> None:
    async with PlainServer(breaks_when_asked) as server:
        channel = voice(server)
        with pytest.raises(ProviderException) as caught:
            [piece async for piece in synthesise(channel, "hello")]
        assert caught.value.fault is Fault.UNAVAILABLE
        assert len(server.connections) == 2
        await channel.close()


async def test_what_was_begun_is_not_begun_again() -> None:
    async def breaks_off(server: PlainServer, opened: Opened, connection: ServerConnection) -> None:
        await until(server.frames(opened, connection), "speak hello")
        await connection.send(b"one")
        connection.transport.close()

    async with PlainServer(breaks_off, speaks) as server:
        channel = voice(server)
        pieces = synthesise(channel, "hello")
        assert await anext(pieces) == b"one"
        with pytest.raises(ProviderException):
            await anext(pieces)
        assert len(server.connections) == 1
        assert channel.wire is None
        await channel.close()


async def test_a_dropped_text_is_dropped_at_the_service_before_anything_else() -> None:
    async with PlainServer(speaks) as server:
        channel = voice(server)
        async with aclosing(synthesise(channel, "without end")) as pieces:
            assert await anext(pieces) == b"one"
        assert [piece async for piece in synthesise(channel, "bye")][-2:] == [b"one", b"two"]
        assert server.connections[0].frames == ["speak without end", "drop", "speak bye"]
        await channel.close()


async def test_where_a_text_cannot_be_dropped_the_connection_is() -> None:
    async with PlainServer(speaks) as server:
        channel = voice(server, drops=False)
        async with aclosing(synthesise(channel, "without end")) as pieces:
            await anext(pieces)
        assert channel.wire is None
        await server.until(lambda: server.open_connections == 0)
        await channel.close()


async def test_a_voice_that_falls_silent_is_given_up(clock: LoopTime) -> None:
    async with PlainServer(speaks) as server:
        channel = voice(server)

        async def spoken() -> list[bytes]:
            return [piece async for piece in synthesise(channel, "without end")]

        task = asyncio.create_task(spoken())
        await server.until(lambda: bool(server.connections) and bool(server.connections[0].frames))
        with pytest.raises(ProviderException) as caught:
            await clock.run(task)
        assert caught.value.fault is Fault.TIMEOUT
        await channel.close()
