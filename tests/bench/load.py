"""Many callers in one process: the wire of our simulator, one timer for all calls, every frame made beforehand.

The simulator spends more on a call than the server does. Here a frame is one formatted string and one write, and of
what comes back only the length of the audio is read.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from time import monotonic, sleep
from typing import cast

import numpy as np
import orjson
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from providers.audio import mulaw
from telephony.simulator.caller import LINE_AT_REST
from telephony.simulator.carrier import FRAME_BYTES, FRAME_S
from telephony.simulator.identity import CallIdentity, voice_form
from telephony.simulator.phone import new_sid
from telephony.simulator.twiml import Connect, Stream
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.messages import Connected, Mark, Start, Stop, encode_from_twilio
from telephony.twilio.signature import sign
from tests.bench.caller import AT_REST, LoadCaller, Measures, Step

SLOTS = 40
"""Calls are spread over the 20 ms of a frame, half a millisecond apart: frames of strangers do not come together."""
OPEN_LIMIT_S = 15.0
CLOSE_LIMIT_S = 5.0


class LoadFailed(Exception):  # noqa: N818 - says what happened
    """The server did not take a call; a figure of fewer calls than asked for would be wrong."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server is phoned, and the account that signs."""

    voice_url: str
    account_sid: str
    auth_token: str = field(repr=False)


@dataclass(slots=True)
class Outcome:
    """What was measured of some calls. `late_s` is the generator's own lateness with each slot of frames."""

    call_seconds: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of the server."""
    measures: list[Measures] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    dropped: int = 0


class LoadLine(asyncio.Protocol):
    """One call's socket."""

    def __init__(self, stream_url: str, start: Start, auth_token: str, caller: LoadCaller) -> None:
        self._ws = ClientProtocol(parse_uri(stream_url))
        self._stream_url = stream_url
        self._auth_token = auth_token
        self._start = start
        self._stream_sid = start.stream_sid.encode()
        self.caller = caller
        self.began_at = monotonic()
        self._frames = 0
        self._sequence = 1
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by birth
        request = self._ws.connect()
        request.headers["x-twilio-signature"] = sign(self._stream_url, self._auth_token)
        self._ws.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._ws.receive_data(data)
        now = monotonic()
        for event in self._ws.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._message(orjson.loads(event.data), now)
            elif isinstance(event, Response):
                self._shake_hands()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(LoadFailed("the server refused the stream"))
        if not self.closed.done():
            self.closed.set_result(None)

    def send_frame(self, speech: Sequence[bytes], rest: Sequence[bytes], now: float) -> None:
        """20 ms of the caller, who speaks or is silent, and the echoes that are due."""
        if self._ws.state is not OPEN:
            return  # the server has closed the socket, which counts as a call dropped
        spoken = self.caller.tick(now)
        frame = rest[self._frames % len(rest)] if spoken == AT_REST else speech[spoken]
        self._sequence += 1
        self._ws.send_text(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%s"},"streamSid":"%s"}'
            % (self._sequence, self._frames + 1, 155 + self._frames * 20, frame, self._stream_sid)
        )
        self._frames += 1
        for name in self.caller.due_marks(now):
            self._send_mark(name)
        self._flush()

    def hang_up(self) -> None:
        if self._ws.state is not OPEN:
            return
        start = self._start
        self._sequence += 1
        stop = Stop(start.stream_sid, self._sequence, start.call_sid, start.account_sid)
        self._ws.send_text(encode_from_twilio(stop).encode())
        self._ws.send_close(1000)
        self._flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _shake_hands(self) -> None:
        if self.opened.done():
            return  # the run is over
        if self._ws.state is not OPEN:
            self.opened.set_exception(LoadFailed(f"the server refused the stream: {self._ws.handshake_exc}"))
            return
        for message in (Connected(), self._start):
            self._ws.send_text(encode_from_twilio(message).encode())
        self.opened.set_result(None)

    def _message(self, message: dict[str, object], now: float) -> None:
        match message:
            case {"event": "media", "media": {"payload": str(payload)}}:
                self.caller.audio(len(payload) * 3 // 4 - payload.count("=", -2), now)
            case {"event": "mark", "mark": {"name": str(name)}}:
                self.caller.mark(name, now)
            case {"event": "clear"}:
                self.caller.clear(now)
                for name in self.caller.due_marks(now):
                    self._send_mark(name)

    def _send_mark(self, name: str) -> None:
        if self._ws.state is not OPEN:
            return  # we have hung up
        self._sequence += 1
        self._ws.send_text(encode_from_twilio(Mark(self._start.stream_sid, self._sequence, name)).encode())

    def _flush(self) -> None:
        if self._transport is not None and (data := b"".join(self._ws.data_to_send())):
            self._transport.write(data)


class LoadGenerator:
    """Makes calls to one server, all with the same script and the same sentence (8 kHz μ-law).

    `noise_rms` is how loud a line at rest is, in steps of a 16-bit sample; 33 is -60 dBFS.
    """

    def __init__(self, door: Door, script: Sequence[Step], speech: bytes, reply_s: float, noise_rms: float) -> None:
        self._door = door
        self._script = script
        self._reply_s = reply_s
        self._speech_frames = _frames(speech + LINE_AT_REST[: -len(speech) % FRAME_BYTES], noise_rms)
        self._rest_frames = _frames(mulaw.SILENCE * mulaw.RATE_HZ, noise_rms)

    async def once(self, calls: int, spread_s: float) -> None:
        """Make so many calls, begun evenly over `spread_s`, and measure nothing.

        Raises `LoadFailed` if the server does not take one of them. Cancelling drops all calls.
        """
        async with self._lines() as (webhooks, slots, _):

            async def one(number: int) -> None:
                await asyncio.sleep(spread_s * number / calls)
                await self._call(webhooks, slots[number % SLOTS], Outcome())

            await asyncio.gather(*(one(number) for number in range(calls)))

    async def hold(self, calls: int, ramp_s: float, hold_s: float, cpu_s: Callable[[], float]) -> Outcome:
        """Keep so many callers busy: each calls again when a call is over. What happens in `hold_s` is measured.

        They begin evenly over `ramp_s` before that, which should be as long as a call: then at any moment as many of
        them begin, speak, listen, cut in and leave as at any other. `cpu_s` is asked what the server has used so far.
        Raises and is cancelled as `once`.
        """
        outcome = Outcome()
        async with self._lines() as (webhooks, slots, late_s), asyncio.TaskGroup() as tasks:

            async def caller(number: int) -> None:
                await asyncio.sleep(ramp_s * number / calls)
                while True:
                    await self._call(webhooks, slots[number % SLOTS], outcome)

            callers = [tasks.create_task(caller(number)) for number in range(calls)]
            await asyncio.sleep(ramp_s)
            for line in _all(slots):
                line.began_at, line.caller.measures = monotonic(), Measures()
            outcome.call_seconds, outcome.dropped = 0.0, 0
            outcome.measures.clear()
            late_s.clear()
            began_at, used_s = monotonic(), cpu_s()
            await asyncio.sleep(hold_s)
            outcome.wall_s, outcome.cpu_s = monotonic() - began_at, cpu_s() - used_s
            outcome.late_s = late_s.copy()
            for line in _all(slots):
                _count(line, outcome)
            for task in callers:
                task.cancel()
        return outcome

    @asynccontextmanager
    async def _lines(self) -> AsyncIterator[tuple[WebhookClient, list[set[LoadLine]], list[float]]]:
        """The way in, the live calls by the slot of their frames, and how late each slot was."""
        slots: list[set[LoadLine]] = [set() for _ in range(SLOTS)]
        late_s: list[float] = []
        async with WebhookClient.open(self._door.auth_token) as webhooks, asyncio.TaskGroup() as tasks:
            timer = tasks.create_task(self._keep_time(slots, late_s))
            yield webhooks, slots, late_s
            timer.cancel()

    async def _call(self, webhooks: WebhookClient, slot: set[LoadLine], outcome: Outcome) -> None:
        line = await self._open(webhooks)
        slot.add(line)
        try:
            while not (line.caller.is_done or line.closed.done()):
                await asyncio.wait((line.closed,), timeout=0.2)
            _count(line, outcome)
        finally:
            slot.discard(line)
            line.hang_up()
            await asyncio.wait((line.closed,), timeout=CLOSE_LIMIT_S)
            line.abort()

    async def _open(self, webhooks: WebhookClient) -> LoadLine:
        door = self._door
        identity = CallIdentity(new_sid("CA"), door.account_sid, "+15005550006", "+15005550001")
        stream = await _stream_of(webhooks, door.voice_url, identity)
        start = Start(new_sid("MZ"), identity.call_sid, door.account_sid, parameters=dict(stream.parameters))
        caller = LoadCaller(self._script, len(self._speech_frames), self._reply_s, monotonic())
        uri = parse_uri(stream.url)
        async with asyncio.timeout(OPEN_LIMIT_S):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: LoadLine(stream.url, start, door.auth_token, caller), uri.host, uri.port
            )
            await line.opened
        return line

    async def _keep_time(self, slots: Sequence[set[LoadLine]], late_s: list[float]) -> None:
        """One slot after the other, by absolute deadlines, which are closer than a loop's timers can tell apart."""
        due_at = monotonic()
        slot = 0
        while True:
            due_at += FRAME_S / SLOTS
            slot = (slot + 1) % SLOTS
            await asyncio.sleep(0)
            if (early_s := due_at - monotonic()) > 0:
                sleep(early_s)  # noqa: ASYNC251 - the core is ours alone
            now = monotonic()
            if slots[slot]:
                late_s.append(now - due_at)
            for line in slots[slot]:
                line.send_frame(self._speech_frames, self._rest_frames, now)


def _all(slots: Sequence[set[LoadLine]]) -> Iterator[LoadLine]:
    return chain.from_iterable(slots)


def _count(line: LoadLine, outcome: Outcome) -> None:
    """Add what a call has brought since it began, or since it is measured."""
    outcome.call_seconds += monotonic() - line.began_at
    outcome.measures.append(line.caller.measures)
    outcome.dropped += line.closed.done()


def _frames(sound: bytes, noise_rms: float) -> list[bytes]:
    """The sound in noise, in frames as they are sent."""
    random = np.random.default_rng(1)
    samples = np.frombuffer(mulaw.decode(sound), "<i2") + noise_rms * random.standard_normal(len(sound))
    noisy = mulaw.encode(samples.clip(-32768, 32767).astype("<i2").tobytes())
    return [b64encode(noisy[start : start + FRAME_BYTES]) for start in range(0, len(noisy), FRAME_BYTES)]


async def _stream_of(webhooks: WebhookClient, voice_url: str, identity: CallIdentity) -> Stream:
    reply = await webhooks.fetch(voice_url, "POST", voice_form(identity, "ringing"))
    if not isinstance(reply, Document) or not reply.verbs or not isinstance(reply.verbs[0], Connect):
        raise LoadFailed(f"the server does not take the call: {reply}")
    return reply.verbs[0].stream
