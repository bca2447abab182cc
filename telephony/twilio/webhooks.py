"""What Twilio asks over HTTP: what to do with a call, what comes after its stream, and what it has to report."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telephony.settings import TelephonySettings
from telephony.twilio import twiml
from telephony.twilio.board import CallBoard, Dial, HangUp, Lost, Reconnect
from telephony.twilio.forms import SignedForms
from telephony.twilio.signature import SignatureChecker
from telephony.twilio.tokens import StreamTokens

logger = logging.getLogger(__name__)

BUSY = "We are sorry, all lines are busy. Please call again in a few minutes."
UNREACHABLE = "We are sorry, we cannot take your call at the moment. Please call again later."
LOST = "We are sorry, something went wrong on our side and the conversation was lost. Please call again."
NO_ANSWER = "We are sorry, nobody could take your call. Please call again later."

_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that Twilio has told us of and whose stream is about to be opened. Numbers may be words, or blank."""

    call_sid: str
    account_sid: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)


class Webhooks:
    """The HTTP side of the line. Answers at once: no model work before the TwiML.

    `checker` is None only where signatures are not validated. `on_call` is told of every call that gets a stream, on
    the event loop, and must not wait; `accepting` says whether there is room for one more. `on_return` is told the
    CallSid of a caller whose transfer failed, and why; it says whether this process takes the talk up again, in the
    stream that follows, and may be asked more than once.
    """

    def __init__(
        self,
        settings: TelephonySettings,
        checker: SignatureChecker | None,
        tokens: StreamTokens,
        board: CallBoard,
        accepting: Callable[[], bool] = lambda: True,
        on_call: Callable[[IncomingCall], None] = lambda _: None,
        on_return: Callable[[str, str], bool] = lambda call_sid, reason: False,
        monotonic: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
        nonce: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self._stream_url = settings.stream_url
        self._url = settings.public_base_url + "/twilio"
        self._forms = SignedForms(checker, settings.public_base_url, settings.TWILIO_ACCOUNT_SID)
        self._tokens = tokens
        self._board = board
        self._accepting = accepting
        self._on_call = on_call
        self._on_return = on_return
        self._monotonic = monotonic
        self._epoch = epoch
        self._nonce = nonce

    def routes(self) -> list[Route]:
        """The routes, POST only."""
        return [
            Route("/twilio/voice", self.voice, methods=["POST"]),
            Route("/twilio/stream-ended", self.stream_ended, methods=["POST"]),
            Route("/twilio/dial-ended", self.dial_ended, methods=["POST"]),
            Route("/twilio/call-status", self.call_status, methods=["POST"]),
            Route("/twilio/stream-status", self.stream_status, methods=["POST"]),
        ]

    async def voice(self, request: Request) -> Response:
        """A call comes in: answer with a stream, or with a busy message."""
        form = await self._forms.read(request)
        call = IncomingCall(form["CallSid"], form["AccountSid"], form.get("From", ""), form.get("To", ""))
        if not self._accepting():
            logger.warning("turned away call %s: no room for another", call.call_sid)
            return _twiml(twiml.say_and_hang_up(BUSY))
        self._board.expected(call.call_sid, self._monotonic())
        self._on_call(call)
        return self._stream(form, otherwise=UNREACHABLE)

    async def stream_ended(self, request: Request) -> Response:
        """The stream is over: hang up, put the caller through, or own up to having lost the talk."""
        form = await self._forms.read(request)
        call_sid, now = form["CallSid"], self._monotonic()
        if form.get("CallStatus") in _OVER:
            self._board.ended(call_sid, now)
        match self._board.after_stream(call_sid, now):
            case HangUp():
                return _twiml(twiml.hang_up())
            case Dial(number):
                return _twiml(twiml.dial(number, action_url=f"{self._url}/dial-ended"))
            case Lost():
                logger.error("lost call %s: its stream ended and nobody here meant it to", call_sid)
                return _twiml(twiml.say_and_hang_up(LOST))

    async def dial_ended(self, request: Request) -> Response:
        """A transfer is over: hang up, or if nobody answered give the caller back to the bot, else apologise."""
        form = await self._forms.read(request)
        call_sid, now = form["CallSid"], self._monotonic()
        if form.get("CallStatus") in _OVER:
            self._board.ended(call_sid, now)
        step = self._board.after_dial(call_sid, form.get("DialCallStatus", ""), now)
        if isinstance(step, Reconnect) and self._on_return(call_sid, step.reason):
            self._board.returning(call_sid, now)
            return self._stream(form, otherwise=NO_ANSWER)
        self._board.ended(call_sid, now)
        return _twiml(twiml.hang_up() if isinstance(step, HangUp) else twiml.say_and_hang_up(NO_ANSWER))

    def _stream(self, form: Mapping[str, str], otherwise: str) -> Response:
        token = self._tokens.mint(form["CallSid"], form["AccountSid"], self._epoch(), self._nonce())
        return _twiml(
            twiml.connect_stream(
                self._stream_url,
                action_url=f"{self._url}/stream-ended",
                status_callback_url=f"{self._url}/stream-status",
                parameters={"token": token, "from": form.get("From", ""), "to": form.get("To", "")},
                otherwise=otherwise,
            )
        )

    async def call_status(self, request: Request) -> Response:
        """Twilio reports on a call; what matters is that it is over."""
        form = await self._forms.read(request)
        if form.get("CallStatus") in _OVER:
            self._board.ended(form["CallSid"], self._monotonic())
        return _twiml(twiml.nothing())

    async def stream_status(self, request: Request) -> Response:
        """Twilio reports on a stream; what went wrong is for the operator to read."""
        form = await self._forms.read(request)
        if form.get("StreamEvent") == "stream-error":
            logger.error(
                "Twilio reports an error on the stream of call %s: %s",
                form["CallSid"],
                _printable(form.get("StreamError", "")),
            )
        return _twiml(twiml.nothing())


def _twiml(document: str) -> Response:
    return Response(document, media_type="text/xml")


def _printable(text: str) -> str:
    """Somebody else's words made fit for a log: one line, not long, no telephone numbers."""
    return re.sub(r"\d{7,}", "…", "".join(c if c.isprintable() else " " for c in text[:300])) or "no explanation"
