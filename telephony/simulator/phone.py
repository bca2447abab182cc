"""One simulated call from ringing to hanging up: asks the server for TwiML and does what it says."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from telephony.simulator import events
from telephony.simulator.addresses import StreamAddress, origin, stream_address, webhook_url
from telephony.simulator.caller import Caller
from telephony.simulator.carrier import Line
from telephony.simulator.ear import Ear
from telephony.simulator.feed import follow_feed
from telephony.simulator.identity import CallIdentity, dial_form, status_form, stream_form, voice_form
from telephony.simulator.journal import Journal
from telephony.simulator.leg import Leg
from telephony.simulator.media_socket import LineEnd, MediaSocket, open_socket
from telephony.simulator.options import CallOptions
from telephony.simulator.recording import Recorder
from telephony.simulator.twiml import (
    Connect,
    Dial,
    Fault,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
)
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.messages import Start

_MAX_DOCUMENTS = 50
_SAY_S_PER_CHARACTER = 0.06
_FEED_GRACE_S = 1.0
_END_GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class Update:
    """What the REST API wants of a live call: other TwiML, other TwiML from a URL, or (with neither) its end."""

    reason: str
    document: Document | None = None
    url: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class _End:
    reason: str
    status: str = "completed"


type _Next = Document | Fault | _End
"""What a verb leads to; None where the next verb is due."""


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


class Phone:
    """One call. Use `run` once; `update` may be called meanwhile, as by the REST API."""

    def __init__(
        self,
        identity: CallIdentity,
        options: CallOptions,
        caller: Caller,
        webhooks: WebhookClient,
        journal: Journal,
        recorder: Recorder,
    ) -> None:
        self.identity = identity
        self.status = "ringing"
        self.document_url = options.url
        self._options = options
        self._caller = caller
        self._webhooks = webhooks
        self._journal = journal
        self._recorder = recorder
        self._ear = Ear()
        self._tasks = asyncio.TaskGroup()
        self._feed: asyncio.Task[bool] | None = None
        self._answered_at: float | None = None
        self._update: Update | None = None
        self._updated = asyncio.Event()
        self._fell_back = False

    @property
    def is_live(self) -> bool:
        return self.status in ("ringing", "in-progress")

    def update(self, update: Update) -> None:
        """Replace the running TwiML, or end the call; of several updates the last one counts."""
        self._update = update
        self._updated.set()

    async def run(self) -> None:
        """Make the call; it is over, and everything it started has ended, when this returns.

        After `max_call_s` the carrier ends the call. Cancelling drops it on the spot.
        """
        async with asyncio.timeout(self._options.max_call_s + _END_GRACE_S), self._tasks:
            limit = asyncio.get_running_loop().call_later(
                self._options.max_call_s, self.update, Update("the call took too long")
            )
            try:
                end = await self._follow(await self._fetch(self._options.url, "POST", self._form()))
            finally:
                limit.cancel()
            self._finish(end)
            if self._feed:
                await asyncio.wait((self._feed,), timeout=_FEED_GRACE_S)
                self._feed.cancel()

    def _finish(self, end: _End) -> None:
        now = monotonic()
        self.status = end.status
        self._journal.note(events.CallEnded(self._journal.at_s(now), end.reason, end.status))
        duration_s = now - self._answered_at if self._answered_at is not None else 0.0
        form = status_form(self.identity, end.status, duration_s, datetime.now(UTC))
        self._notify(self._options.status_callback_url, "POST", form)

    async def _follow(self, step: _Next) -> _End:
        for _ in range(_MAX_DOCUMENTS):
            if self._update and not isinstance(step, _End):
                step = await self._obey(self._update)
            match step:
                case _End():
                    return step
                case Fault():
                    step = await self._fall_back(step)
                case Document():
                    step = await self._execute(step)
        return _End("the TwiML goes round in circles")

    async def _fall_back(self, fault: Fault) -> _Next:
        """What Twilio does when TwiML cannot be had or read: ask the fallback URL, once, or end the call."""
        url = self._options.fallback_url
        if not url or self._fell_back:
            status = "failed" if self._answered_at is None else "completed"
            return _End(f"application error {fault.code}", status)
        self._fell_back = True
        form = self._form() | {"ErrorCode": str(fault.code), "ErrorUrl": self._options.url}
        return await self._fetch(url, "POST", form)

    async def _execute(self, document: Document) -> _Next:
        self.document_url = document.url
        for verb in document.verbs:
            following = await self._perform(verb, document.url)
            if following is not None:
                return following
            if self._update:
                return document
        return _End("the TwiML ended")

    async def _obey(self, update: Update) -> _Next:
        self._update = None
        self._updated.clear()
        if update.url:
            return await self._fetch(update.url, update.method, self._form())
        return update.document or _End(update.reason)

    async def _perform(self, verb: Verb, document_url: str) -> _Next | None:
        if not isinstance(verb, Pause | Redirect | Reject | Hangup):
            self._answer()
        match verb:
            case Connect():
                return await self._connect(verb, document_url)
            case Dial():
                return await self._dial(verb, document_url)
            case Redirect():
                return await self._fetch(webhook_url(verb.url, document_url), verb.method, self._form())
            case Say():
                self._journal.note(events.CarrierSpoke(self._at_s(), verb.text))
                await self._rest(len(verb.text) * _SAY_S_PER_CHARACTER)
            case Play():
                self._journal.note(events.CarrierPlayed(self._at_s(), verb.url or verb.digits))
            case Pause():
                await self._rest(verb.length_s)
            case Hangup():
                return _End("the bot hung up")
            case Reject():
                status = "busy" if verb.reason == "busy" else "no-answer"
                return _End("the bot rejected the call", "completed" if self._answered_at is not None else status)
        return None

    def _answer(self) -> None:
        if self._answered_at is None:
            self._answered_at = monotonic()
            self.status = "in-progress"

    async def _connect(self, verb: Connect, document_url: str) -> _Next | None:
        address = stream_address(verb.stream.url, document_url)
        if isinstance(address, Fault):
            self._stream_failed(verb.stream, document_url, new_sid("MZ"), address)
        else:
            end = await self._stream(verb.stream, address, document_url)
            if end is not None and end.by == "caller":
                return _End(end.reason)
            if end is not None and end.fault is not None:
                self._caller.cut_off(monotonic())
            if end is not None and end.fault is not None and not self._options.asks_after_drop:
                await self._rest(self._options.drop_patience_s)
                return None if self._update else _End("the stream broke and nobody took the call over")
        if not verb.action or self._update:
            return None
        return await self._fetch(webhook_url(verb.action, document_url), verb.method, self._form())

    async def _stream(self, stream: Stream, address: StreamAddress, document_url: str) -> LineEnd | None:
        """Run the media stream; None if it could not be opened."""
        stream_sid = new_sid("MZ")
        if address.warning:
            self._journal.warn(address.warning, monotonic())
        socket = await open_socket(address.url, self._options.auth_token)
        if isinstance(socket, Fault):
            self._stream_failed(stream, document_url, stream_sid, socket)
            return None
        started_at = monotonic()
        start = Start(stream_sid, self.identity.call_sid, self.identity.account_sid, parameters=dict(stream.parameters))
        line = Line(start, started_at, first_timestamp_ms=100 + secrets.randbelow(72))
        media = MediaSocket(socket, line, Leg(self._caller, self._ear, self._recorder, self._journal, self._why_end))
        self._journal.note(events.StreamOpened(self._at_s(), stream_sid))
        self._recorder.align(self._at_s())
        self._stream_status(stream, document_url, stream_sid, "stream-started")
        self._follow_feed(document_url, started_at)
        end = await media.run()
        self._journal.note(events.StreamClosed(self._at_s(), end.by, end.close_code, line.stats, media.lateness))
        if end.fault:
            self._stream_failed(stream, document_url, stream_sid, end.fault)
        else:
            self._stream_status(stream, document_url, stream_sid, "stream-stopped")
        return end

    def _why_end(self) -> str | None:
        return self._update.reason if self._update else None

    def _stream_failed(self, stream: Stream, document_url: str, stream_sid: str, fault: Fault) -> None:
        self._journal.warn(fault, monotonic())
        self._stream_status(stream, document_url, stream_sid, "stream-error", f"{fault.code}: {fault.text}")

    def _stream_status(self, stream: Stream, document_url: str, stream_sid: str, event: str, error: str = "") -> None:
        if stream.status_callback:
            form = stream_form(self.identity, stream_sid, stream.name, event, datetime.now(UTC), error)
            self._notify(webhook_url(stream.status_callback, document_url), stream.status_callback_method, form)

    def _follow_feed(self, document_url: str, started_at: float) -> None:
        if self._options.follow_feed and (self._feed is None or self._feed.done()):
            url = f"{origin(document_url)}/calls/{self.identity.call_sid}/events"
            self._feed = self._tasks.create_task(follow_feed(self._webhooks, url, self._journal, started_at))

    async def _dial(self, verb: Dial, document_url: str) -> _Next | None:
        self._caller.cut_off(monotonic())
        plan = self._options.dial
        await self._rest(min(plan.duration_s, verb.timeout_s) if plan.outcome == "no-answer" else plan.duration_s)
        self._journal.note(events.Dialled(self._at_s(), verb.numbers, plan.outcome))
        if not verb.action or self._update:
            return None
        form = dial_form(self.identity, plan.outcome, new_sid("CA"), plan.duration_s)
        return await self._fetch(webhook_url(verb.action, document_url), verb.method, form)

    async def _rest(self, seconds: float) -> None:
        """Let time pass, unless the REST API has other plans."""
        try:
            async with asyncio.timeout(seconds):
                await self._updated.wait()
        except TimeoutError:
            return

    async def _fetch(self, url: str, method: str, form: Mapping[str, str]) -> Document | Fault:
        asked_at = monotonic()
        reply = await self._webhooks.fetch(url, method, form)
        now = monotonic()
        verbs = tuple(type(verb).__name__ for verb in reply.verbs) if isinstance(reply, Document) else ()
        self._journal.note(events.WebhookAnswered(self._journal.at_s(now), (now - asked_at) * 1000, verbs))
        if isinstance(reply, Fault):
            self._journal.warn(reply, now)
        return reply

    def _notify(self, url: str, method: str, form: Mapping[str, str]) -> None:
        """Send a status callback beside the call, which does not wait for it."""
        if url:
            self._tasks.create_task(self._deliver(url, method, form))

    async def _deliver(self, url: str, method: str, form: Mapping[str, str]) -> None:
        if fault := await self._webhooks.notify(url, method, form):
            self._journal.warn(fault, monotonic())

    def _form(self) -> dict[str, str]:
        return voice_form(self.identity, self.status)

    def _at_s(self) -> float:
        return self._journal.at_s(monotonic())
