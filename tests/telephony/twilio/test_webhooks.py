"""What Twilio is answered over HTTP, whoever decides it, and what nobody is answered."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from telephony.settings import TelephonySettings
from telephony.twilio import forms, twiml, webhooks
from telephony.twilio.after import After, AskAgain, GiveUp, Over, PutThrough, TakeUp
from telephony.twilio.documents import CallDocuments, Party
from telephony.twilio.signature import SignatureChecker, sign
from telephony.twilio.tokens import StreamTokens, TokenRefused
from telephony.twilio.webhooks import Webhooks
from tests.telephony.twilio.frames import ACCOUNT, CALL, STREAM
from tests.telephony.twilio.test_signature import INBOUND_BODY

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://bot.example.com"
EPOCH = 1_790_000_000.0
FORM = "application/x-www-form-urlencoded"
PATHS = [f"/twilio/{name}" for name in ("voice", "stream-ended", "dial-ended", "call-status", "stream-status")]
every_path = pytest.mark.parametrize("path", PATHS)
PARTY = Party(CALL, ACCOUNT, "+14155550100", "+18005550101")


@dataclass(frozen=True, slots=True)
class Full:
    """A reason to take no call."""

    is_leaving: bool = False
    is_abuse: bool = False

    def __str__(self) -> str:
        return "too much to do"


class Office:
    """Webhooks in an app, and the office they ask, which decides as it is told to."""

    def __init__(self, checker: SignatureChecker | None, **changes: object) -> None:
        self.busy: Full | None = None
        self.after: After = TakeUp()
        self.asked: list[object] = []
        self.headers: dict[str, str] = {}
        settings = TelephonySettings.model_validate(
            {"PUBLIC_BASE_URL": BASE, "TWILIO_AUTH_TOKEN": SecretStr(TOKEN), "TWILIO_ACCOUNT_SID": ACCOUNT} | changes
        )
        self.tokens = StreamTokens("secret")
        self.documents = CallDocuments(settings, self.tokens, epoch=lambda: EPOCH, nonce=lambda: bytes(16))
        hooks = Webhooks(settings, checker, self.documents, self)
        self.client = TestClient(Starlette(routes=hooks.routes()))

    def arrives(self, party: Party) -> Full | None:
        self.asked.append(party)
        return self.busy

    async def after_stream(self, call_sid: str) -> After:
        self.asked.append(("after", call_sid))
        return self.after

    async def stream_follows(self, call_sid: str) -> None:
        self.asked.append(("follows", call_sid))

    def stream_lost(self, call_sid: str, stream_sid: str) -> None:
        self.asked.append(("lost", call_sid, stream_sid))

    def post(self, path: str, **fields: str) -> str:
        """Post a form as Twilio does; returns the TwiML."""
        form = {"CallSid": CALL, "AccountSid": ACCOUNT} | fields
        signature = sign(BASE + path, TOKEN, form)
        response = self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        assert response.status_code == 200
        self.headers = dict(response.headers)
        assert self.headers["content-type"] == "text/xml; charset=utf-8"
        return response.text

    def post_raw(self, path: str, body: bytes | Iterator[bytes], **headers: str) -> tuple[int, str]:
        response = self.client.post(
            path, content=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return response.status_code, response.text


@pytest.fixture
def office() -> Office:
    return Office(SignatureChecker(TOKEN, BASE))


def encoded(**fields: str) -> bytes:
    return urlencode({"CallSid": CALL, "AccountSid": ACCOUNT} | fields).encode()


def signature_of(path: str, body: bytes) -> str:
    return sign(BASE + path, TOKEN, parse_qsl(body.decode(), keep_blank_values=True))


def test_a_call_gets_a_stream_of_its_own(office: Office) -> None:
    path = "/twilio/voice"
    status, text = office.post_raw(
        path,
        INBOUND_BODY.encode(),
        Content_Type=FORM + "; charset=UTF-8",
        X_Twilio_Signature=signature_of(path, INBOUND_BODY.encode()),
    )
    assert status == 200
    assert text == office.documents.stream(PARTY)
    assert office.asked == [PARTY]


def test_its_token_opens_the_stream_of_this_call_only(office: Office) -> None:
    token = office.tokens.mint(CALL, ACCOUNT, EPOCH, bytes(16))
    assert token in office.post("/twilio/voice")
    with pytest.raises(TokenRefused):
        office.tokens.redeem(token, "CA" + "c" * 32, ACCOUNT, EPOCH)
    office.tokens.redeem(token, CALL, ACCOUNT, EPOCH)


def test_a_full_house_says_so(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.busy = Full()
    assert office.post("/twilio/voice", From="+14155550100") == twiml.say_and_hang_up(webhooks.BUSY)
    assert [record.getMessage() for record in caplog.records] == [f"no room for call {CALL}: too much to do"]


def test_who_rings_too_often_hears_that_the_line_is_busy(office: Office) -> None:
    office.busy = Full(is_abuse=True)
    assert office.post("/twilio/voice") == twiml.reject()


def test_a_process_that_leaves_has_another_asked_in_a_moment(office: Office) -> None:
    office.busy = Full(is_leaving=True)
    assert office.post("/twilio/voice") == twiml.pause_and_redirect(1, BASE + "/twilio/voice?held=0")
    assert office.post("/twilio/voice?held=10") == twiml.pause_and_redirect(1, BASE + "/twilio/voice?held=10")
    assert office.headers["connection"] == "close"  # so that it is another that is asked


def test_callers_hold_on_for_as_long_as_they_are_asked_to() -> None:
    office = Office(SignatureChecker(TOKEN, BASE), BUSY_HOLD_SECONDS=10)
    office.busy = Full()
    hold = twiml.pause_and_redirect(5, BASE + "/twilio/voice?held=5", webhooks.HOLD)
    assert office.post("/twilio/voice") == hold
    assert office.post("/twilio/voice?held=5") == twiml.pause_and_redirect(5, BASE + "/twilio/voice?held=10")
    assert office.post("/twilio/voice?held=10") == twiml.say_and_hang_up(webhooks.BUSY)
    for nonsense in ("-1", "x", "", "1000000", "\N{SUPERSCRIPT TWO}"):
        assert office.post(f"/twilio/voice?{urlencode({'held': nonsense})}") == hold
    office.busy = None
    assert office.post("/twilio/voice?held=10", From="+14155550100", To="+18005550101") == office.documents.stream(
        PARTY
    )


def test_busy_callers_are_sent_elsewhere_if_there_is_such_a_place() -> None:
    office = Office(SignatureChecker(TOKEN, BASE), BUSY_REDIRECT_URL="https://else.example.com/voice")
    office.busy = Full()
    assert office.post("/twilio/voice") == twiml.redirect("https://else.example.com/voice")


def test_an_odd_caller_does_not_cost_the_call(office: Office) -> None:
    assert "<Stream" in office.post("/twilio/voice", From='sip:"x"@<&\x00>' + "y" * 900, To="")


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/stream-ended"])
def test_who_is_to_ask_another_process_is_not_kept_on_a_connection_to_this_one(office: Office, path: str) -> None:
    body = encoded(CallStatus="in-progress")
    headers = {"X-Twilio-Signature": signature_of(path, body), "Content-Type": FORM}
    assert "connection" not in office.client.post(path, content=body, headers=headers).headers

    office.busy, office.after = Full(is_leaving=True), AskAgain()
    assert office.client.post(path, content=body, headers=headers).headers["connection"] == "close"


@pytest.mark.parametrize("after", [Over(), PutThrough("+18005550199"), TakeUp(), GiveUp(), AskAgain()], ids=repr)
def test_what_comes_after_a_stream_is_the_offices_to_say(office: Office, after: After) -> None:
    office.after = after
    fields = {"CallStatus": "in-progress", "From": "+14155550100", "To": "+18005550101"}
    assert office.post("/twilio/stream-ended", **fields) == office.documents.after(after, PARTY, 0)
    assert office.post("/twilio/stream-ended?step=7", **fields) == office.documents.after(after, PARTY, 7)
    assert office.headers.get("connection") == ("close" if after == AskAgain() else None)
    assert office.asked == [("after", CALL)] * 2


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_of_a_caller_who_has_gone_nobody_is_asked(office: Office, status: str) -> None:
    assert office.post("/twilio/stream-ended", CallStatus=status) == twiml.hang_up()
    assert office.post("/twilio/dial-ended", CallStatus=status, DialCallStatus="busy") == twiml.hang_up()
    assert not office.asked


@pytest.mark.parametrize("status", ["completed", "answered", ""])
def test_after_a_transfer_that_was_answered_the_call_is_over(office: Office, status: str) -> None:
    assert office.post("/twilio/dial-ended", DialCallStatus=status, CallStatus="in-progress") == twiml.hang_up()
    assert not office.asked


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("no-answer", "nobody answered"),
        ("busy", "the line was busy"),
        ("failed", "the number could not be reached"),
        ("canceled", "the call to it was given up"),
    ],
)
def test_a_caller_nobody_answered_comes_back_on_a_new_stream(office: Office, status: str, why: str) -> None:
    fields = {"DialCallStatus": status, "CallStatus": "in-progress", "From": "+14155550100", "To": "+18005550101"}
    assert office.post("/twilio/dial-ended", **fields) == office.documents.stream(PARTY, back=why)
    assert office.asked == [("follows", CALL)]


@pytest.mark.parametrize("status", ["completed", "ringing", ""])
def test_a_report_on_a_call_is_taken_note_of(office: Office, status: str) -> None:
    assert office.post("/twilio/call-status", CallStatus=status) == twiml.nothing()
    assert not office.asked


@pytest.mark.parametrize("event", ["stream-error", "stream-stopped"])
def test_a_stream_that_is_over_is_looked_after(office: Office, event: str) -> None:
    assert office.post("/twilio/stream-status", StreamSid=STREAM, StreamEvent=event) == twiml.nothing()
    assert office.asked == [("lost", CALL, STREAM)]


def test_a_stream_error_is_for_the_operator_to_read(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    fields = {
        "StreamSid": STREAM,
        "StreamEvent": "stream-error",
        "StreamError": "31921 closed\nby +14155550100" + "x" * 900,
    }
    assert office.post("/twilio/stream-status", **fields) == twiml.nothing()
    (record,) = caplog.records
    assert (record.levelno, CALL in record.message) == (logging.ERROR, True)
    assert "31921 closed by +…" in record.message
    assert "\n" not in record.message
    assert len(record.message) < 500


def test_an_error_without_a_word_is_still_told(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.post("/twilio/stream-status", StreamEvent="stream-error")
    assert "no explanation" in caplog.text


@pytest.mark.parametrize("event", ["stream-started", "stream-stopped", ""])
def test_a_stream_without_trouble_is_not_worth_a_line(
    office: Office, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    office.post("/twilio/stream-status", StreamEvent=event, StreamError="")
    assert not caplog.records


@every_path
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_refused_method(office: Office, path: str, method: str) -> None:
    assert office.client.request(method, path).status_code == 405


def forged(path: str) -> dict[str, str | None]:
    form = {"CallSid": CALL, "AccountSid": ACCOUNT}
    return {
        "no signature": None,
        "an empty one": "",
        "nonsense": "\xe9" * 28,
        "another token's": sign(BASE + path, TOKEN[::-1], form),
        "another path's": sign(BASE + path + "x", TOKEN, form),
        "another host's": sign("https://testserver" + path, TOKEN, form),
        "another scheme's": sign("http://bot.example.com" + path, TOKEN, form),
        "of a query that was cut": sign(BASE + path + "?a=1", TOKEN, form),
        "of other parameters": sign(BASE + path, TOKEN, form | {"CallSid": CALL[:-1] + "c"}),
        "of fewer parameters": sign(BASE + path, TOKEN, {"CallSid": CALL}),
        "of none": sign(BASE + path, TOKEN),
    }


@every_path
@pytest.mark.parametrize("forgery", forged(""))
def test_refused_signature(office: Office, caplog: pytest.LogCaptureFixture, path: str, forgery: str) -> None:
    signature = forged(path)[forgery]
    headers = {b"Content-Type": FORM.encode()}
    if signature is not None:
        headers[b"X-Twilio-Signature"] = signature.encode("latin-1")
    response = office.client.post(path, content=encoded(), headers=headers)
    assert (response.status_code, response.text) == (403, "Forbidden")
    assert not office.asked
    (record,) = caplog.records
    advice = ["X-Twilio-Signature"] if signature is None else ["TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL", BASE + path]
    assert all(word in record.message for word in [path, *advice])


def test_a_query_is_signed_too_but_not_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    path, body = "/twilio/call-status?tenant=acme&note=a%20b", encoded()
    assert office.post_raw(path, body, Content_Type=FORM, X_Twilio_Signature=signature_of(path, body))[0] == 200
    assert office.post_raw(path + "c", body, Content_Type=FORM, X_Twilio_Signature=signature_of(path, body))[0] == 403
    assert "tenant" not in caplog.text


def test_headers_of_a_proxy_change_nothing(office: Office) -> None:
    path, body = "/twilio/call-status", encoded()
    signature = sign("https://evil.example.com" + path, TOKEN, dict(parse_qsl(body.decode())))
    host = {"Host": "evil.example.com", "X_Forwarded_Host": "evil.example.com", "X_Forwarded_Proto": "https"}
    assert office.post_raw(path, body, Content_Type=FORM, X_Twilio_Signature=signature, **host)[0] == 403
    good = signature_of(path, body)
    assert office.post_raw(path, body, Content_Type=FORM, X_Twilio_Signature=good, **host)[0] == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "answer"),
    [
        (b'{"CallSid":"CA"}', "application/json", 400, "Expected a form"),
        (encoded(), "multipart/form-data; boundary=x", 400, "Expected a form"),
        (encoded(), "text/plain", 400, "Expected a form"),
        (encoded(), "", 400, "Expected a form"),
        (b"CallSid=\xff\xfe", FORM, 400, "cannot be read"),
        (b"a=&" * 1001, FORM, 400, "cannot be read"),
        (b"", FORM, 400, "CallSid is missing or malformed"),
        (b"From=", FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid=""), FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid="CA123"), FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid=STREAM), FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid=CALL + "\n"), FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid="CA" + "/" * 32), FORM, 400, "CallSid is missing or malformed"),
        (encoded(CallSid="CA" + "é" * 32), FORM, 400, "CallSid is missing or malformed"),
        (encoded(AccountSid=""), FORM, 400, "AccountSid is missing or malformed"),
        (encoded(AccountSid="AC." + "a" * 31), FORM, 400, "AccountSid is missing or malformed"),
        (encoded(AccountSid="AC" + "f" * 32), FORM, 403, "Forbidden"),
    ],
)
def test_refused_form(office: Office, body: bytes, content_type: str, status: int, answer: str) -> None:
    path = "/twilio/voice"
    signature = signature_of(path, body) if b"\xff" not in body else "x"
    received = office.post_raw(path, body, Content_Type=content_type, X_Twilio_Signature=signature)
    assert received[0] == status
    assert answer in received[1]
    assert len(received[1]) < 80
    assert not office.asked


@every_path
def test_refused_size(office: Office, path: str) -> None:
    pieces = iter([b"CallSid="] + [b"x" * 1024] * 65)
    assert office.post_raw(path, pieces, Content_Type=FORM) == (413, "The form is too large")


def test_a_form_of_the_largest_size_is_read(office: Office) -> None:
    body = encoded(Padding="")
    body += b"x" * (forms.MAX_BODY - len(body))
    path = "/twilio/call-status"
    assert office.post_raw(path, body, Content_Type=FORM, X_Twilio_Signature=signature_of(path, body))[0] == 200


def test_a_signed_account_that_is_not_ours_is_told_to_the_operator(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    body = encoded(AccountSid="AC" + "f" * 32)
    path = "/twilio/voice"
    office.post_raw(path, body, Content_Type=FORM, X_Twilio_Signature=signature_of(path, body))
    assert "TWILIO_ACCOUNT_SID" in caplog.text


def test_without_a_checker_anybody_may_post_a_good_form() -> None:
    office = Office(None)
    assert office.post_raw("/twilio/voice", encoded(), Content_Type=FORM)[0] == 200
    assert office.post_raw("/twilio/voice", b"", Content_Type=FORM)[0] == 400


def test_no_number_reaches_a_log_or_a_repr(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    office.post("/twilio/voice", From="+14155550100", To="+18005550101")
    office.busy = Full()
    office.post("/twilio/voice", From="+14155550100", To="+18005550101")
    office.after = PutThrough("+18005550199")
    office.post("/twilio/stream-ended", From="+14155550100", To="+18005550101")
    office.post_raw("/twilio/voice", encoded(From="+14155550100"), Content_Type=FORM, X_Twilio_Signature="x")
    shown = (
        repr(office.asked)
        + repr(office.after)
        + "".join(r.message for r in caplog.records if r.name.startswith("telephony"))
    )
    assert CALL in shown
    assert "415555" not in shown
    assert "800555" not in shown
