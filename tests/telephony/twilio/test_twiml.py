import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio import twiml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def stream(parameters: dict[str, str]) -> str:
    return twiml.connect_stream(
        "wss://bot.example.com/media",
        action_url="https://bot.example.com/voice/after",
        status_callback_url="https://bot.example.com/voice/stream-status",
        parameters=parameters,
    )


def test_connect_stream() -> None:
    assert stream({"token": "a&b", "from": '"+1"'}) == (
        HEAD + '<Response><Connect action="https://bot.example.com/voice/after" method="POST">'
        '<Stream statusCallback="https://bot.example.com/voice/stream-status" statusCallbackMethod="POST" '
        'url="wss://bot.example.com/media"><Parameter name="token" value="a&amp;b" />'
        '<Parameter name="from" value="&quot;+1&quot;" /></Stream></Connect><Redirect method="POST">'
        "https://bot.example.com/voice/after</Redirect></Response>"
    )


def test_say_and_dial() -> None:
    assert twiml.say_and_dial("Sorry.", "+1 800 555-0101", "/after") == (
        HEAD + '<Response><Say>Sorry.</Say><Dial action="/after" method="POST" timeout="30">'
        "<Number>+18005550101</Number></Dial></Response>"
    )


def test_pause_and_redirect() -> None:
    rest = '<Pause length="5" /><Redirect method="POST">/again?held=5</Redirect></Response>'
    assert twiml.pause_and_redirect(5, "/again?held=5") == HEAD + "<Response>" + rest
    assert twiml.pause_and_redirect(5, "/again?held=5", "Hold on.") == HEAD + "<Response><Say>Hold on.</Say>" + rest


def test_redirect() -> None:
    assert twiml.redirect("/else") == HEAD + '<Response><Redirect method="POST">/else</Redirect></Response>'


def test_reject() -> None:
    assert twiml.reject() == HEAD + '<Response><Reject reason="busy" /></Response>'


def test_hang_up() -> None:
    assert twiml.hang_up() == HEAD + "<Response><Hangup /></Response>"


def test_nothing() -> None:
    assert twiml.nothing() == HEAD + "<Response />"


def test_say_and_hang_up() -> None:
    assert twiml.say_and_hang_up("1 < 2") == HEAD + "<Response><Say>1 &lt; 2</Say><Hangup /></Response>"


def test_dial() -> None:
    assert twiml.dial("+18005550101", "https://bot.example.com/after", 20, caller_id="+14155550100") == (
        HEAD + '<Response><Dial action="https://bot.example.com/after" callerId="+14155550100" method="POST" '
        'timeout="20"><Number>+18005550101</Number></Dial></Response>'
    )


def test_a_number_written_for_people_is_dialled_as_twilio_wants_it() -> None:
    for written in ("+1 555 010 0143", "+1 (555) 010-0143", "+15550100143"):
        assert "<Number>+15550100143</Number>" in twiml.dial(written, "/after")


def test_dial_shows_the_callers_own_number_by_default() -> None:
    assert twiml.dial("+18005550101", "/after") == (
        HEAD
        + '<Response><Dial action="/after" method="POST" timeout="30"><Number>+18005550101</Number></Dial></Response>'
    )


@given(st.text() | st.text(alphabet=st.characters(categories=["Cc", "Cs", "Cn", "P"])))
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    documents = (
        stream({"from": text}),
        twiml.say_and_hang_up(text),
        twiml.say_and_dial(text, text, "/after"),
        twiml.pause_and_redirect(1, "/again", text),
        twiml.dial(text, "/after"),
    )
    for document in documents:
        assert ET.fromstring(document.encode()).tag == "Response"  # noqa: S314 - our own document


@given(st.text(min_size=1, max_size=20, alphabet="abc"), st.integers(480, 600))
def test_no_parameter_is_longer_than_twilio_takes(name: str, length: int) -> None:
    parameter = ET.fromstring(stream({name: "x" * length}).encode()).find("Connect/Stream/Parameter")  # noqa: S314
    assert parameter is not None
    assert len(parameter.attrib["name"] + parameter.attrib["value"]) < 500
