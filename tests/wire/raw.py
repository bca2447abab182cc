"""A call by hand: the webhook asked as Twilio does, then a bare socket on which anything can be sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from telephony.simulator.identity import CallIdentity, voice_form
from telephony.simulator.media_socket import open_socket
from telephony.simulator.phone import new_sid
from telephony.simulator.twiml import Connect, Fault
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.messages import Connected, Media, Start, encode_from_twilio
from tests.wire.office import ACCOUNT, CALLED, CALLER, TOKEN, Office


@asynccontextmanager
async def raw_call(office: Office) -> AsyncIterator[tuple[ClientConnection, str]]:
    """A started stream of a new call, and its SID; the bot has begun to speak."""
    async with raw_stream(office.options.url, new_sid("CA")) as opened:
        yield opened


@asynccontextmanager
async def raw_stream(url: str, call_sid: str) -> AsyncIterator[tuple[ClientConnection, str]]:
    """A started stream of this call, which is asked for at `url`, and its SID; the bot has begun to speak."""
    identity = CallIdentity(call_sid, ACCOUNT, CALLER, CALLED)
    async with WebhookClient.open(TOKEN) as webhooks:
        reply = await webhooks.fetch(url, "POST", voice_form(identity, "ringing"))
    assert isinstance(reply, Document)
    connect = reply.verbs[0]
    assert isinstance(connect, Connect)
    socket = await open_socket(connect.stream.url, TOKEN)
    assert not isinstance(socket, Fault)
    async with socket:
        stream_sid = new_sid("MZ")
        await socket.send(encode_from_twilio(Connected()))
        start = Start(stream_sid, identity.call_sid, ACCOUNT, parameters=dict(connect.stream.parameters))
        await socket.send(encode_from_twilio(start))
        assert '"media"' in str(await socket.recv())
        yield socket, stream_sid


async def sends_garbage(office: Office) -> int | None:
    """Sends what no Twilio sends until it is thrown out; returns the code of that."""
    async with raw_call(office) as (socket, stream_sid):
        good = encode_from_twilio(Media(stream_sid, 2, 1, 155, bytes(160)))
        for number in range(40):
            for message in (b"\x00" * 4000, "[" * 40_000, good.replace(stream_sid, "MZ" + f"{number:032}")):
                await socket.send(message)
        await socket.wait_closed()
    return socket.close_code


async def vanishes(office: Office) -> None:
    """Drops the connection without a word, in the middle of the bot's sentence."""
    async with raw_call(office) as (socket, _):
        socket.transport.abort()


async def babbles(office: Office) -> None:
    """Sends an hour of audio at once, and reads nothing of what the bot says, until it is thrown out."""
    async with raw_call(office) as (socket, stream_sid):
        with suppress(ConnectionClosed):
            for number in range(3600):
                media = Media(stream_sid, number + 2, number + 1, number * 1000, bytes(8000))
                await socket.send(encode_from_twilio(media))
        await socket.wait_closed()
