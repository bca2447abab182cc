import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from telephony.settings import TelephonySettings
from telephony.twilio import forms, twiml, webhooks
from telephony.twilio.board import CallBoard, Fate, HangUp
from telephony.twilio.signature import SignatureChecker, sign
from telephony.twilio.tokens import StreamTokens, TokenRefused
from telephony.twilio.webhooks import IncomingCall, Webhooks
from tests.telephony.twilio.frames import ACCOUNT, CALL, STREAM
from tests.telephony.twilio.test_signature import INBOUND_BODY

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://bot.example.com"
NOW = 1000.0
EPOCH = 1_790_000_000.0
FORM = "application/x-www-form-urlencoded"
PATHS = [f"/twilio/{name}" for name in ("voice", "stream-ended", "dial-ended", "call-status", "stream-status")]
every_path = pytest.mark.parametrize("path", PATHS)


class Office:
    """Webhooks in an app, with all that they were given at hand."""

    def __init__(self, checker: SignatureChecker | None) -> None:
        self.tokens = StreamTokens("secret")
        self.board = CallBoard()
        self.announced: list[IncomingCall] = []
        self.has_room = True
        self.returned: list[tuple[str, str]] = []
        self.takes_back = False
        hooks = Webhooks(
            TelephonySettings(PUBLIC_BASE_URL=BASE, TWILIO_AUTH_TOKEN=SecretStr(TOKEN), TWILIO_ACCOUNT_SID=ACCOUNT),
            checker,
            self.tokens,
            self.board,
            accepting=lambda: self.has_room,
            on_call=self.announced.append,
            on_return=self._return,
            monotonic=lambda: NOW,
            epoch=lambda: EPOCH,
            nonce=lambda: bytes(16),
        )
        self.client = TestClient(Starlette(routes=hooks.routes()))

    def _return(self, call_sid: str, reason: str) -> bool:
        self.returned.append((call_sid, reason))
        return self.takes_back

    def post(self, path: str, **fields: str) -> str:
        """Post a form as Twilio does; returns the TwiML."""
        form = {"CallSid": CALL, "AccountSid": ACCOUNT} | fields
        signature = sign(BASE + path, TOKEN, form)
        response = self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/xml; charset=utf-8"
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
    token = office.tokens.mint(CALL, ACCOUNT, EPOCH, bytes(16))
    assert text == twiml.connect_stream(
        "wss://bot.example.com/twilio/stream",
        action_url="https://bot.example.com/twilio/stream-ended",
        status_callback_url="https://bot.example.com/twilio/stream-status",
        parameters={"token": token, "from": "+14155550100", "to": "+18005550101"},
        otherwise=webhooks.UNREACHABLE,
    )
    assert office.announced == [IncomingCall(CALL, ACCOUNT, "+14155550100", "+18005550101")]
    assert office.board.fate(CALL, NOW) is Fate.EXPECTED


def test_its_token_opens_the_stream_of_this_call_only(office: Office) -> None:
    parameter = ET.fromstring(office.post("/twilio/voice")).find("Connect/Stream/Parameter")  # noqa: S314
    assert parameter is not None
    token = parameter.attrib["value"]
    with pytest.raises(TokenRefused):
        office.tokens.redeem(token, "CA" + "c" * 32, ACCOUNT, EPOCH)
    office.tokens.redeem(token, CALL, ACCOUNT, EPOCH)


def test_a_full_house_says_so(office: Office) -> None:
    office.has_room = False
    assert office.post("/twilio/voice", From="+14155550100") == twiml.say_and_hang_up(webhooks.BUSY)
    assert not office.announced
    assert office.board.fate(CALL, NOW) is None


def test_an_odd_caller_does_not_cost_the_call(office: Office) -> None:
    document = office.post("/twilio/voice", From='sip:"x"@<&\x00>' + "y" * 900, To="")
    assert ET.fromstring(document).find("Connect/Stream") is not None  # noqa: S314


def test_after_the_stream_of_a_finished_talk_the_call_is_hung_up(office: Office) -> None:
    office.board.ended(CALL, NOW)
    assert office.post("/twilio/stream-ended", CallStatus="in-progress") == twiml.hang_up()


def test_after_the_stream_of_a_transfer_the_caller_is_put_through(office: Office) -> None:
    office.board.transferring(CALL, "+18005550199", NOW)
    document = twiml.dial("+18005550199", "https://bot.example.com/twilio/dial-ended")
    assert office.post("/twilio/stream-ended", CallStatus="in-progress") == document


@pytest.mark.parametrize("post", [None, CallBoard.expected, CallBoard.streaming])
def test_after_a_stream_that_broke_the_caller_is_told(
    office: Office, caplog: pytest.LogCaptureFixture, post: Callable[[CallBoard, str, float], None] | None
) -> None:
    if post:
        post(office.board, CALL, NOW)
    assert office.post("/twilio/stream-ended", CallStatus="in-progress") == twiml.say_and_hang_up(webhooks.LOST)
    assert f"lost call {CALL}" in caplog.text


def test_a_caller_who_has_gone_is_not_lost(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.board.streaming(CALL, NOW)
    assert office.post("/twilio/stream-ended", CallStatus="completed") == twiml.hang_up()
    assert not caplog.records


@pytest.mark.parametrize(
    ("status", "document"),
    [
        ("completed", twiml.hang_up()),
        ("answered", twiml.hang_up()),
        ("", twiml.hang_up()),
        ("busy", twiml.say_and_hang_up(webhooks.NO_ANSWER)),
        ("no-answer", twiml.say_and_hang_up(webhooks.NO_ANSWER)),
        ("failed", twiml.say_and_hang_up(webhooks.NO_ANSWER)),
        ("canceled", twiml.say_and_hang_up(webhooks.NO_ANSWER)),
    ],
)
def test_after_a_transfer(office: Office, status: str, document: str) -> None:
    assert office.post("/twilio/dial-ended", DialCallStatus=status) == document
    assert office.board.after_stream(CALL, NOW) == HangUp()


def test_a_caller_nobody_answered_comes_back_on_a_new_stream(office: Office) -> None:
    office.takes_back = True
    office.board.transferring(CALL, "+18005550199", NOW)
    first = office.tokens.mint(CALL, ACCOUNT, EPOCH, bytes(16))
    document = twiml.connect_stream(
        "wss://bot.example.com/twilio/stream",
        action_url="https://bot.example.com/twilio/stream-ended",
        status_callback_url="https://bot.example.com/twilio/stream-status",
        parameters={"token": first, "from": "+14155550100", "to": "+18005550101"},
        otherwise=webhooks.NO_ANSWER,
    )
    fields = {"DialCallStatus": "no-answer", "CallStatus": "in-progress", "From": "+14155550100", "To": "+18005550101"}
    assert office.post("/twilio/dial-ended", **fields) == document
    assert office.board.fate(CALL, NOW) is Fate.RETURNING
    assert office.post("/twilio/dial-ended", **fields) == document
    assert office.returned == [(CALL, "nobody answered")] * 2


@pytest.mark.parametrize("status", ["busy", "no-answer"])
def test_a_caller_who_cannot_be_taken_back_is_told(office: Office, status: str) -> None:
    office.board.transferring(CALL, "+18005550199", NOW)
    document = twiml.say_and_hang_up(webhooks.NO_ANSWER)
    assert office.post("/twilio/dial-ended", DialCallStatus=status) == document
    assert len(office.returned) == 1
    assert office.board.fate(CALL, NOW) is Fate.ENDED


@pytest.mark.parametrize(
    "fields", [{"DialCallStatus": "completed"}, {"DialCallStatus": "busy", "CallStatus": "completed"}]
)
def test_nobody_comes_back_from_a_talk_or_after_hanging_up(office: Office, fields: dict[str, str]) -> None:
    office.takes_back = True
    office.board.transferring(CALL, "+18005550199", NOW)
    assert "<Stream" not in office.post("/twilio/dial-ended", **fields)
    assert not office.returned
    assert office.board.fate(CALL, NOW) is Fate.ENDED


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_a_call_that_is_over_is_known_to_be(office: Office, status: str) -> None:
    office.board.streaming(CALL, NOW)
    assert office.post("/twilio/call-status", CallStatus=status) == twiml.nothing()
    assert office.board.fate(CALL, NOW) is Fate.ENDED


@pytest.mark.parametrize("status", ["ringing", "in-progress", ""])
def test_a_call_that_goes_on_stays_as_it_is(office: Office, status: str) -> None:
    office.board.streaming(CALL, NOW)
    assert office.post("/twilio/call-status", CallStatus=status) == twiml.nothing()
    assert office.board.fate(CALL, NOW) is Fate.STREAMING


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
    assert not office.announced
    assert office.board.fate(CALL, NOW) is None
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
    assert not office.announced


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
    office.has_room = False
    office.post("/twilio/voice", From="+14155550100", To="+18005550101")
    office.post("/twilio/stream-ended", From="+14155550100", To="+18005550101")
    office.post_raw("/twilio/voice", encoded(From="+14155550100"), Content_Type=FORM, X_Twilio_Signature="x")
    shown = repr(office.announced) + "".join(r.message for r in caplog.records if r.name.startswith("telephony"))
    assert CALL in shown
    assert "415555" not in shown
    assert "800555" not in shown
