"""What Twilio asks over HTTP: what to do with a call, what comes after its stream, and what it has to report."""

import logging
import re
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telephony.settings import TelephonySettings
from telephony.twilio import twiml
from telephony.twilio.after import After, AskAgain
from telephony.twilio.documents import CallDocuments, Party
from telephony.twilio.forms import SignedForms
from telephony.twilio.signature import SignatureChecker

logger = logging.getLogger(__name__)

BUSY = "We are sorry, all lines are busy. Please call again in a few minutes."
HOLD = "All lines are busy at the moment. Please hold on."
HOLD_STEP_S = 5
LEAVING_STEP_S = 1

_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_UNANSWERED = {
    "no-answer": "nobody answered",
    "busy": "the line was busy",
    "failed": "the number could not be reached",
    "canceled": "the call to it was given up",
}
"""What a `DialCallStatus` says of a call that nobody took."""


class Busy(Protocol):
    """Why a call is not taken; as text it is a reason for the log."""

    @property
    def is_leaving(self) -> bool:
        """Whether this process is about to end, so that another should be asked."""

    @property
    def is_abuse(self) -> bool:
        """Whether the caller should not even be told why."""


class Office(Protocol):
    """Whoever knows the calls. Asked on the event loop; what is not awaited must not wait."""

    def arrives(self, party: Party) -> Busy | None:
        """A call comes in: None if it is taken, and then its stream will follow."""

    async def after_stream(self, call_sid: str) -> After:
        """The stream of a call that is still up is over. The same answer however often it is asked; does not raise."""

    async def stream_follows(self, call_sid: str) -> None:
        """A call that is up gets another stream; does not raise."""

    def stream_lost(self, call_sid: str, stream_sid: str) -> None:
        """A stream is over, for whatever reason, which nobody may have noticed."""


class Webhooks:
    """The HTTP side of the line. Answers at once: no model work before the TwiML.

    `checker` is None only where signatures are not validated.
    """

    def __init__(
        self, settings: TelephonySettings, checker: SignatureChecker | None, documents: CallDocuments, office: Office
    ) -> None:
        self._url = settings.public_base_url + "/twilio"
        self._hold_s = settings.BUSY_HOLD_SECONDS
        self._elsewhere = settings.BUSY_REDIRECT_URL
        self._forms = SignedForms(checker, settings.public_base_url, settings.TWILIO_ACCOUNT_SID)
        self._documents = documents
        self._office = office

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
        """A call comes in: answer with a stream, or as is due where there is no room for it."""
        form = await self._forms.read(request)
        party = _party(form)
        busy = self._office.arrives(party)
        if busy is None:
            return _twiml(self._documents.stream(party))
        logger.warning("no room for call %s: %s", party.call_sid, busy)
        return _twiml(self._turned_away(busy, _count(request, "held")), ask_others=busy.is_leaving)

    def _turned_away(self, busy: Busy, held_s: int) -> str:
        if busy.is_leaving:
            return twiml.pause_and_redirect(LEAVING_STEP_S, f"{self._url}/voice?held={held_s}")
        if busy.is_abuse:
            return twiml.reject()
        if held_s < self._hold_s:
            text = "" if held_s else HOLD
            return twiml.pause_and_redirect(HOLD_STEP_S, f"{self._url}/voice?held={held_s + HOLD_STEP_S}", text)
        return twiml.redirect(self._elsewhere) if self._elsewhere else twiml.say_and_hang_up(BUSY)

    async def stream_ended(self, request: Request) -> Response:
        """The stream is over: hang up, put the caller through, let the talk go on, or own up to having lost it."""
        form = await self._forms.read(request)
        if form.get("CallStatus") in _OVER:
            return _twiml(twiml.hang_up())
        after = await self._office.after_stream(form["CallSid"])
        logger.info("the stream of call %s is over, and what follows is: %s", form["CallSid"], type(after).__name__)
        document = self._documents.after(after, _party(form), _count(request, "step"))
        return _twiml(document, ask_others=isinstance(after, AskAgain))

    async def dial_ended(self, request: Request) -> Response:
        """A transfer is over: hang up, or if nobody answered give the caller back to the bot."""
        form = await self._forms.read(request)
        why = _UNANSWERED.get(form.get("DialCallStatus", ""))
        if why is None or form.get("CallStatus") in _OVER:
            return _twiml(twiml.hang_up())
        await self._office.stream_follows(form["CallSid"])
        return _twiml(self._documents.stream(_party(form), back=why))

    async def call_status(self, request: Request) -> Response:
        """Twilio reports on a call, of which its stream has told already."""
        await self._forms.read(request)
        return _twiml(twiml.nothing())

    async def stream_status(self, request: Request) -> Response:
        """Twilio reports on a stream: one that is over is looked after, and what went wrong is for the operator."""
        form = await self._forms.read(request)
        event, call_sid = form.get("StreamEvent"), form["CallSid"]
        if event == "stream-error":
            error = _printable(form.get("StreamError", ""))
            logger.error("Twilio reports an error on the stream of call %s: %s", call_sid, error)
        if event in ("stream-error", "stream-stopped") and (stream_sid := form.get("StreamSid")):
            self._office.stream_lost(call_sid, stream_sid)
        return _twiml(twiml.nothing())


def _party(form: dict[str, str]) -> Party:
    return Party(form["CallSid"], form["AccountSid"], form.get("From", ""), form.get("To", ""))


def _count(request: Request, name: str) -> int:
    """A number in a URL that we have written ourselves, and Twilio has signed."""
    value = request.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def _twiml(document: str, *, ask_others: bool = False) -> Response:
    """With `ask_others` the next question is for another process, so it must not come on this connection."""
    return Response(document, headers={"Connection": "close"} if ask_others else None, media_type="text/xml")


def _printable(text: str) -> str:
    """Somebody else's words made fit for a log: one line, not long, no telephone numbers."""
    return re.sub(r"\d{7,}", "…", "".join(c if c.isprintable() else " " for c in text[:300])) or "no explanation"
