"""Who may open a media socket, and what a socket can do to its call and to the calls beside it."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from providers.errors import OffhookError
from telephony import coalescing
from telephony.scenarios.clock import InventedTimeLoop
from telephony.simulator.rest import serve
from telephony.sockets import MediaSocketProtocol
from telephony.twilio.endpoint import (
    MAX_WAITING,
    POLICY_VIOLATION,
    REDEEM_LIMIT_S,
    START_LIMIT_S,
    StreamEndpoint,
)
from telephony.twilio.line import MESSAGES_AT_ONCE, MediaLine
from telephony.twilio.messages import Connected, Dtmf, Mark, Media, Start, Stop, encode_from_twilio
from telephony.twilio.signature import SignatureChecker, sign
from telephony.twilio.stream import Gap, Received
from telephony.twilio.tokens import StreamTokens
from tests.telephony.twilio import frames
from tests.telephony.twilio.frames import ACCOUNT, CALL, STREAM

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
PATH = "/twilio/stream"
NOW = 1_790_000_000.0
LIFETIME_S = 60
OTHER_CALL = "CA" + "c" * 32


@dataclass(slots=True)
class Served:
    """A call as it was handed over."""

    line: MediaLine
    start: Start
    received: list[Received] = field(default_factory=list)


class Fleet:
    """What all processes know of used tokens."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.is_away = False
        self.takes_s = 0.0

    async def redeem(self, seal: str, expires_at: float) -> bool:
        assert NOW < expires_at <= NOW + LIFETIME_S
        await asyncio.sleep(self.takes_s)
        if self.is_away:
            raise OffhookError("the database is away")
        is_new = seal not in self.used
        self.used.add(seal)
        return is_new


class Enough(Exception):  # noqa: N818 - says what it is
    """The call has heard enough."""


class Office:
    """An endpoint whose calls write down what they get, and say what a key asks for.

    Key 1: a message out. Key 9: a fault of ours. Key 0: we end the call.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.tokens = StreamTokens("secret", LIFETIME_S)
        self.fleet = Fleet()
        self.calls: list[Served] = []
        self.is_serving = asyncio.Event()
        self.ended = 0
        self.url = ""

    async def serve(self, line: MediaLine, start: Start) -> None:
        call = Served(line, start)
        self.calls.append(call)
        self.is_serving.set()

        def take(item: Received) -> None:
            call.received.append(item)
            match item:
                case Dtmf(digit="1"):
                    line.mark(f"message {len(call.received)}")
                case Dtmf(digit="9"):
                    raise ValueError("a bug of ours")
                case Dtmf(digit="0"):
                    raise Enough

        try:
            await line.read(take)
        except Enough:
            pass
        finally:
            self.ended += 1

    def start(self, token: str | None = None, call_sid: str = CALL, account_sid: str = ACCOUNT) -> str:
        token = self.token() if token is None else token
        return encode_from_twilio(Start(STREAM, call_sid, account_sid, parameters={"token": token}))

    def token(self, call_sid: str = CALL, account_sid: str = ACCOUNT, nonce: int = 0) -> str:
        return self.tokens.mint(call_sid, account_sid, self.now, nonce.to_bytes(16))

    def endpoint(self, base_url: str) -> StreamEndpoint:
        checker = SignatureChecker(AUTH_TOKEN, base_url)
        return StreamEndpoint(checker, self.tokens, self.fleet, self.serve, lambda: self.now)

    @asynccontextmanager
    async def listening(self, sockets: type[asyncio.Protocol]) -> AsyncIterator["Office"]:
        """Serve on loopback."""
        app = Starlette()
        async with serve(app, sockets=sockets) as base_url:
            app.router.routes.append(WebSocketRoute(PATH, self.endpoint(base_url).__call__))
            self.url = "ws" + base_url.removeprefix("http") + PATH
            yield self

    @asynccontextmanager
    async def socket(self, *messages: str, signature: str | None = None) -> AsyncIterator[ClientConnection]:
        """A raw socket, signed, on which these messages were sent."""
        headers = {"x-twilio-signature": sign(self.url, AUTH_TOKEN) if signature is None else signature}
        async with connect(self.url, additional_headers=headers, compression=None, proxy=None) as socket:
            for message in messages:
                await socket.send(message)
            yield socket

    @asynccontextmanager
    async def call(self, call_sid: str = CALL) -> AsyncIterator["Caller"]:
        """A call that is being served."""
        start = self.start(self.token(call_sid), call_sid)
        async with self.socket(frames.CONNECTED, start) as socket:
            caller = Caller(socket)
            await caller.is_served()
            yield caller


class Caller:
    """The far end of one call, frame by frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sequence = 1

    async def press(self, digit: str) -> None:
        self.sequence += 1
        await self.socket.send(encode_from_twilio(Dtmf(STREAM, self.sequence, digit)))

    async def is_served(self) -> None:
        """Press a key, and see that the bot takes it: all that was sent before has then been dealt with."""
        await self.press("1")
        async with asyncio.timeout(5):
            assert "mark" in str(await self.socket.recv())

    async def closed(self) -> int | None:
        """The code with which the server closes the socket."""
        async with asyncio.timeout(5):
            await self.socket.wait_closed()
        return self.socket.close_code


async def close_code(socket: ClientConnection) -> int | None:
    return await Caller(socket).closed()


@pytest.fixture(params=["our sockets", "our sockets in a crowd", "any server's"])
async def office(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    if "crowd" in request.param:
        monkeypatch.setattr(coalescing, "CROWD", 1)
    sockets = MediaSocketProtocol if "our" in request.param else WebSocketsSansIOProtocol
    async with Office().listening(sockets) as office:
        yield office


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the endpoint and its lines logged."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("telephony.")]


# --- who may come in -------------------------------------------------------------------------------------------


async def test_a_signed_socket_with_a_fresh_token_is_served(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with office.call() as caller:
        (call,) = office.calls
        assert (call.start.call_sid, call.start.account_sid) == (CALL, ACCOUNT)
        await caller.socket.send(encode_from_twilio(Stop(STREAM, 3, CALL, ACCOUNT)))
        assert await caller.closed() == 1000
    assert not reasons(caplog)


@pytest.mark.parametrize(
    "signature", ["", "nonsense", "\xe4\xf6\xfc", sign("wss://elsewhere/twilio/stream", AUTH_TOKEN)]
)
async def test_a_socket_without_a_good_signature_is_refused_before_it_opens(
    office: Office, caplog: pytest.LogCaptureFixture, signature: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with office.socket(signature=signature):
            pass
    assert refused.value.response.status_code == 403
    assert reasons(caplog) == [
        "refused a media stream: its signature does not fit; if it was Twilio's, TWILIO_AUTH_TOKEN is not the "
        "account's primary token or PUBLIC_BASE_URL is not the address Twilio uses"
    ]


async def test_an_unsigned_socket_is_refused_before_it_opens(office: Office) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(office.url, proxy=None):
            pass
    assert refused.value.response.status_code == 403
    assert not office.calls


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (lambda office: office.start(""), "forged, or minted with another secret"),
        (lambda office: office.start("v1.1.2.3.4.5"), "forged, or minted with another secret"),
        (lambda office: office.start("Bärbel"), "forged, or minted with another secret"),
        (lambda office: office.start(office.token(call_sid=OTHER_CALL)), "minted for another call"),
        (lambda office: office.start(office.token(account_sid="AC" + "e" * 32)), "minted for another account"),
    ],
)
async def test_a_stream_without_its_own_token_is_closed(
    office: Office, caplog: pytest.LogCaptureFixture, start: Callable[[Office], str], reason: str
) -> None:
    async with office.socket(frames.CONNECTED, start(office)) as socket:
        assert await close_code(socket) == POLICY_VIOLATION
    assert not office.calls
    assert reasons(caplog) == [f"refused the media stream of call {CALL}: stream token refused: {reason}"]


async def test_a_token_works_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.call() as caller:
        async with office.socket(frames.CONNECTED, office.start()) as replay:
            assert await close_code(replay) == POLICY_VIOLATION
        await caller.is_served()
    assert len(office.calls) == 1
    assert reasons(caplog) == [f"refused the media stream of call {CALL}: stream token refused: used already"]


async def test_a_token_works_in_one_process_only(caplog: pytest.LogCaptureFixture) -> None:
    one, other = Office(), Office()
    other.fleet = one.fleet
    async with one.listening(MediaSocketProtocol), other.listening(MediaSocketProtocol):
        start = one.start()
        async with one.socket(frames.CONNECTED, start) as socket:
            await Caller(socket).is_served()
            async with other.socket(frames.CONNECTED, start) as replay:
                assert await close_code(replay) == POLICY_VIOLATION
        assert not other.calls
    refusal = f"refused the media stream of call {CALL}: stream token refused: used already, in another process"
    assert reasons(caplog) == [refusal]


async def test_while_the_fleet_cannot_be_asked_calls_are_taken(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.fleet.is_away = True
    start = office.start()
    async with office.socket(frames.CONNECTED, start) as socket:
        await Caller(socket).is_served()
        async with office.socket(frames.CONNECTED, start) as replay:
            assert await close_code(replay) == POLICY_VIOLATION
    assert reasons(caplog) == [
        "that a stream token is new is known to this process only: the database is away",
        f"refused the media stream of call {CALL}: stream token refused: used already",
    ]


async def test_a_token_works_for_a_minute(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    start = office.start()
    office.now += LIFETIME_S
    async with office.socket(frames.CONNECTED, start) as socket:
        assert await close_code(socket) == POLICY_VIOLATION
    assert reasons(caplog) == [f"refused the media stream of call {CALL}: stream token refused: expired"]


async def test_a_start_without_a_token_is_refused(office: Office) -> None:
    async with office.socket(frames.CONNECTED, frames.START) as socket:
        assert await close_code(socket) == POLICY_VIOLATION


async def test_audio_in_another_format_is_refused(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.socket(frames.CONNECTED, office.start().replace("8000", "16000")) as socket:
        assert await close_code(socket) == POLICY_VIOLATION
    assert reasons(caplog) == [
        "the media stream cannot go on: audio other than 8000 Hz mono μ-law (unsupported_format)",
        "a media stream ended before it started",
    ]


async def test_a_socket_that_leaves_before_it_starts_is_let_go(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.socket(frames.CONNECTED):
        pass
    async with office.call():
        pass
    assert reasons(caplog) == ["a media stream ended before it started"]


# --- limits, in invented time ----------------------------------------------------------------------------------


class Silent:
    """A signed socket that opens and then says nothing; knows how it was treated."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self._connected = False

    async def receive(self) -> Message:
        if self._connected:
            await asyncio.sleep(24 * 3600)
        self._connected = True
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        self.told.append(message)

    async def open(self, endpoint: StreamEndpoint) -> None:
        signature = sign("wss://bot.example.com" + PATH, AUTH_TOKEN).encode()
        scope = {"type": "websocket", "path": PATH, "headers": [(b"x-twilio-signature", signature)]}
        await endpoint(WebSocket(scope, self.receive, self.send))

    @property
    def story(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.told]


def in_invented_time[T](run: Callable[[StreamEndpoint], Awaitable[T]]) -> T:
    async def main() -> T:
        return await run(Office().endpoint("https://bot.example.com"))

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        return runner.run(main())


def test_a_socket_that_does_not_start_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    silent = Silent()

    async def run(endpoint: StreamEndpoint) -> float:
        await silent.open(endpoint)
        return asyncio.get_running_loop().time()

    assert in_invented_time(run) == pytest.approx(START_LIMIT_S)
    assert silent.story == ["accept", "close"]
    assert silent.told[-1]["code"] == POLICY_VIOLATION
    assert reasons(caplog) == ["closed a media stream that did not start within 5 s"]


def test_only_so_many_sockets_may_wait(caplog: pytest.LogCaptureFixture) -> None:
    crowd = [Silent() for _ in range(MAX_WAITING)]
    late, later = Silent(), Silent()

    async def run(endpoint: StreamEndpoint) -> None:
        async with asyncio.TaskGroup() as tasks:
            for each in crowd:
                tasks.create_task(each.open(endpoint))
            await asyncio.sleep(1.0)
            await late.open(endpoint)
            assert late.story == ["close"]  # without being accepted
        await later.open(endpoint)

    in_invented_time(run)
    assert {tuple(each.story) for each in crowd} == {("accept", "close")}
    assert later.story == ["accept", "close"]
    assert reasons(caplog)[0] == f"refused a media stream: {MAX_WAITING} sockets have not said whose call they are"


# --- what a socket can send ------------------------------------------------------------------------------------

MEDIA = Media(STREAM, sequence=3, chunk=1, timestamp_ms=155, payload=b"\xff" * 160)


def media(**changes: str) -> str:
    text = encode_from_twilio(MEDIA)
    for name, value in changes.items():
        text, count = re.subn(rf'"{name}":"[^"]*"', f'"{name}":{value}', text)
        assert count
    return text


BAD: dict[str, tuple[str | bytes, str]] = {
    "binary": (b"\x00\x01", "binary where Twilio sends text (binary_frame)"),
    "empty": ("", "not JSON (malformed)"),
    "not JSON": ("{", "not JSON (malformed)"),
    "a list": ("[]", "(malformed)"),
    "a number": ("1", "(malformed)"),
    "deeply nested": ("[" * 60_000, "(malformed)"),
    "no event": ('{"streamSid":"MZ"}', "(malformed)"),
    "event is a number": ('{"event":1}', "(malformed)"),
    "media without a body": (f'{{"event":"media","sequenceNumber":"3","streamSid":"{STREAM}"}}', "(malformed)"),
    "payload is not base64": (media(payload='"//8=!"'), "(malformed)"),
    "payload is a number": (media(payload="1"), "(malformed)"),
    "payload without padding": (media(payload='"//8"'), "(malformed)"),
    "chunk is a word": (media(chunk='"one"'), "(malformed)"),
    "counter is a list": (media(sequenceNumber="[3]"), "(malformed)"),
    "counter is negative": (media(sequenceNumber='"-3"'), "(malformed)"),
    "counter is huge": (media(timestamp='"' + "9" * 5000 + '"'), "(malformed)"),
    "another stream": (media(streamSid='"MZ' + "e" * 32 + '"'), "a message of another stream (wrong_stream)"),
    "no stream": (media(streamSid='""'), "a message of another stream (wrong_stream)"),
    "the other track": (media(track='"outbound"'), "audio that is not the caller's (wrong_track)"),
    "out of sequence": (media(sequenceNumber='"90"'), "87 messages are missing (out_of_sequence)"),
    "repeated": (media(sequenceNumber='"2"'), "a message was repeated (out_of_sequence)"),
    "not a key": (encode_from_twilio(Dtmf(STREAM, 3, "E")), "at `$.dtmf.digit` (malformed)"),
    "a second connected": (encode_from_twilio(Connected()), "connected while streaming (wrong_order)"),
    "a second start": (frames.START, "start while streaming (wrong_order)"),
    "too long": (media(payload='"' + "/" * 70_000 + '"'), "longer than 65536 characters (malformed)"),
}


async def test_a_bad_message_costs_nobody_anything(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.call(OTHER_CALL) as neighbour:
        for number, (name, (data, reason)) in enumerate(BAD.items()):
            caplog.clear()
            async with office.call(f"CA{number:032}") as caller:
                await caller.socket.send(data)
                await caller.is_served()
                await neighbour.is_served()
            (line,) = reasons(caplog)
            assert f"{reason}; more of this kind are not logged" in line, name


UNUSUAL = [
    '{"event":"close"}',
    '{"event":"sentiment","streamSid":"MZ","sequenceNumber":"3"}',
    encode_from_twilio(Mark(STREAM, 3, "a mark we never sent")),
    encode_from_twilio(Media(STREAM, 4, 1, 155, b"")),
    encode_from_twilio(Media(STREAM, 5, 2, 155, bytes(8000))),
    media(sequenceNumber='"6"')[:-1] + ',"news":{"of":["twilio"]}}',
    media(sequenceNumber='"7"', timestamp='"9000"'),
]


async def test_what_is_merely_unusual_is_not_even_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.call() as caller:
        for text in UNUSUAL:
            await caller.socket.send(text)
        caller.sequence = 7
        await caller.is_served()
    assert not reasons(caplog)
    assert [type(item) for item in office.calls[0].received] == [Dtmf, Mark, Media, Media, Media, Gap, Media, Dtmf]


async def test_a_socket_that_sends_nothing_but_garbage_is_closed(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.call(OTHER_CALL) as neighbour, office.call() as caller:
        for _ in range(101):
            await caller.socket.send("garbage")
        assert await caller.closed() == 1000
        await neighbour.is_served()
    assert reasons(caplog) == [
        "bad message on the media stream: not JSON (malformed); more of this kind are not logged",
        "the media stream cannot go on: 101 messages refused, the last: not JSON (too_many_faults)",
    ]


async def test_a_flood_ends_its_own_stream_only(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.call(OTHER_CALL) as neighbour, office.call() as caller:
        for number in range(MESSAGES_AT_ONCE + 2000):
            await caller.socket.send(encode_from_twilio(Media(STREAM, number + 3, number + 1, number * 20, b"\xff")))
        assert await caller.closed() == 1000
        await neighbour.is_served()
    assert reasons(caplog) == ["the media stream cannot go on: messages come faster than any call sends them (flood)"]
    flooded = next(call for call in office.calls if call.start.call_sid == CALL)
    assert len(flooded.received) >= MESSAGES_AT_ONCE - 3


async def test_garbage_before_the_start_closes_the_socket(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async with office.socket() as socket:
        for _ in range(101):
            await socket.send(frames.MEDIA)
        assert await close_code(socket) == POLICY_VIOLATION
    assert reasons(caplog) == [
        "bad message on the media stream: media while unconnected (wrong_order); more of this kind are not logged",
        "the media stream cannot go on: 101 messages refused, the last: media while unconnected (too_many_faults)",
        "a media stream ended before it started",
    ]


async def test_text_that_is_not_utf_8_ends_the_call(office: Office) -> None:
    async with office.call(OTHER_CALL) as neighbour, office.call() as caller:
        caller.socket.transport.write(b"\x81\x82\x00\x00\x00\x00\xff\xfe")
        assert await caller.closed() == 1007
        await neighbour.is_served()
    assert office.ended >= 1


async def test_a_socket_dropped_without_a_word_ends_its_call_alone(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.call(OTHER_CALL) as neighbour, office.call() as caller:
        caller.socket.transport.abort()
        with pytest.raises(ConnectionClosed):
            await caller.socket.recv()
        while not office.ended:
            await neighbour.is_served()
    assert not reasons(caplog)


# --- how it ends -----------------------------------------------------------------------------------------------


async def test_a_call_that_we_end_closes_its_socket(office: Office) -> None:
    async with office.call() as caller:
        await caller.press("0")
        assert await caller.closed() == 1000


async def test_a_fault_of_ours_ends_this_call_alone_and_is_logged_with_its_call(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.call(OTHER_CALL) as neighbour, office.call() as caller:
        await caller.press("9")
        assert await caller.closed() == 1000
        await neighbour.is_served()
    (record,) = [record for record in caplog.records if record.name == "telephony.twilio.endpoint"]
    assert record.getMessage() == "the call ended by a fault of ours"
    assert record.exc_info is not None


class Stuck(Silent):
    """A socket that starts its call, presses 1, and then takes no messages."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self._says = [frames.CONNECTED, start, encode_from_twilio(Dtmf(STREAM, 2, "1"))]

    async def receive(self) -> Message:
        if self._connected and self._says:
            return {"type": "websocket.receive", "text": self._says.pop(0)}
        return await super().receive()

    async def send(self, message: Message) -> None:
        if message["type"] != "websocket.accept":
            await asyncio.sleep(24 * 3600)
        await super().send(message)


def test_a_slow_fleet_keeps_no_call_waiting(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.fleet.takes_s = 3600.0

    async def run() -> float:
        begins_at = asyncio.get_running_loop().time()
        serving = asyncio.create_task(Stuck(office.start()).open(office.endpoint("https://bot.example.com")))
        await office.is_serving.wait()
        serving.cancel()
        return asyncio.get_running_loop().time() - begins_at

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        assert runner.run(run()) == pytest.approx(REDEEM_LIMIT_S)
    assert reasons(caplog) == ["that a stream token is new is known to this process only: too slow"]


def test_a_line_that_breaks_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()

    async def run() -> None:
        await Stuck(office.start()).open(office.endpoint("https://bot.example.com"))

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        runner.run(run())
    assert office.ended == 1
    assert reasons(caplog) == ["the line broke: the socket takes no more messages (TimeoutError)"]
