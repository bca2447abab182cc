"""TwiML read as Twilio reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Connect as SdkConnect  # type: ignore[import-untyped]
from twilio.twiml.voice_response import VoiceResponse

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
    parse_reply,
    parse_twiml,
)


def document(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'.encode()


def test_what_the_sdk_writes_is_read() -> None:
    response = VoiceResponse()
    connect = SdkConnect(action="https://bot.example.com/after", method="POST")
    stream = connect.stream(
        url="wss://bot.example.com/media",
        name="main",
        status_callback="https://bot.example.com/stream",
        status_callback_method="GET",
    )
    stream.parameter(name="token", value='a&b "c" <d>')
    response.append(connect)
    response.hangup()
    assert parse_twiml(str(response).encode()) == (
        Connect(
            Stream(
                "wss://bot.example.com/media",
                (("token", 'a&b "c" <d>'),),
                "main",
                "https://bot.example.com/stream",
                "GET",
            ),
            "https://bot.example.com/after",
        ),
        Hangup(),
    )


@pytest.mark.parametrize(
    ("body", "verbs"),
    [
        ("", ()),
        ('<Connect><Stream url="/media"/></Connect>', (Connect(Stream("/media")),)),
        ("<Say>One\n  <emphasis>two</emphasis> three</Say>", (Say("One two three"),)),
        ('<Pause/><Pause length="3"/>', (Pause(1.0), Pause(3.0))),
        ("<Redirect> /next </Redirect>", (Redirect("/next"),)),
        ('<Redirect method="get">/next</Redirect>', (Redirect("/next", "GET"),)),
        ("<Dial>+15005550009</Dial>", (Dial(("+15005550009",)),)),
        (
            '<Dial action="/d" timeout="5"><Number>+1</Number><Number>+2</Number></Dial>',
            (Dial(("+1", "+2"), "/d", "POST", 5.0),),
        ),
        ('<Play>/a.wav</Play><Play digits="ww1"/>', (Play("/a.wav"), Play(digits="ww1"))),
        ('<Reject/><Reject reason="busy"/>', (Reject(), Reject("busy"))),
    ],
)
def test_verbs_are_read(body: str, verbs: tuple[object, ...]) -> None:
    assert parse_twiml(document(body)) == verbs


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<say>lower case</say>", 12100),
        ("<Say>unclosed", 12100),
        ("<Say>a & b</Say>", 12100),
        ("<Connect/>", 12100),
        ('<Connect><Stream url="/a"/><Stream url="/b"/></Connect>', 12100),
        ("<Connect><Stream/></Connect>", 12100),
        ('<Connect><Stream url="/a" track="both_tracks"/></Connect>', 31941),
        ('<Connect><Stream url="/a"><Parameter name="x"/></Stream></Connect>', 12100),
        (f'<Connect><Stream url="/a"><Parameter name="x" value="{"y" * 499}"/></Stream></Connect>', 12100),
        ('<Connect action="/x" method="PUT"><Stream url="/a"/></Connect>', 12100),
        ("<Redirect/>", 12100),
        ("<Play/>", 12100),
        ('<Play digits="1">/a.wav</Play>', 12100),
        ('<Pause length="-1"/>', 12100),
        ("<Dial/>", 12100),
        ("<Dial><Client>joe</Client></Dial>", 12100),
        ("<Dial>" + "<Number>+1</Number>" * 11 + "</Dial>", 12100),
        ('<Reject reason="mood"/>', 12100),
    ],
)
def test_what_twilio_refuses_is_a_fault_with_its_number(body: str, code: int) -> None:
    fault = parse_twiml(document(body))
    assert isinstance(fault, Fault)
    assert fault.code == code


def test_no_entity_is_ever_defined() -> None:
    bomb = b'<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Response><Say>&b;</Say></Response>'
    assert parse_twiml(bomb) == Fault(12100, "a document type is not allowed")
    assert parse_twiml(b"<Response><!-- <!DOCTYPE x> --><Hangup/></Response>") == (Hangup(),)


@pytest.mark.parametrize(
    ("status", "content_type", "body", "code"),
    [
        (500, "text/xml", document(""), 11200),
        (302, "text/xml", document(""), 11200),
        (200, "application/json", b"{}", 12300),
        (200, "", document(""), 12300),
        (200, "text/xml", document("<Say>" + "a" * 66_000 + "</Say>"), 11750),
        (200, "text/xml", b" " + document(""), 12100),
        (200, "text/xml", b"<Answer/>", 12100),
        (200, "text/xml", b'<?xml version="1.0" encoding="no-such"?><Response/>', 12100),
    ],
)
def test_replies_that_fail(status: int, content_type: str, body: bytes, code: int) -> None:
    fault = parse_reply(status, content_type, body)
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "TEXT/HTML"])
def test_content_types_that_carry_twiml(content_type: str) -> None:
    assert parse_reply(200, content_type, document("<Hangup/>")) == (Hangup(),)


def test_a_document_given_directly_has_the_same_limit() -> None:
    assert parse_twiml(b"<Response/>" + b" " * 65_536) == Fault(11750, "document longer than 64 kB")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: document(text))))
def test_nothing_a_server_sends_raises(body: bytes) -> None:
    assert isinstance(parse_reply(200, "text/xml", body), tuple | Fault)
