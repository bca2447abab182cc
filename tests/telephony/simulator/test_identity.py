"""The form fields with which Twilio tells of a call."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from telephony.simulator.identity import CallIdentity, dial_form, status_form, stream_form, voice_form
from telephony.twilio.signature import sign

ME = CallIdentity("CA" + "b" * 32, "AC" + "a" * 32, "+14155550100", "+18005550101")
AT = datetime(2018, 3, 25, 9, 53, 19, 602648, tzinfo=UTC)
CAPTURED = (
    "AccountSid=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&ApiVersion=2010-04-01&CallSid=CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "&CallStatus=ringing&Called=%2B18005550101&CalledCity=&CalledCountry=US&CalledState=&CalledZip=&Caller=%2B141555"
    "50100&CallerCity=SAN+FRANCISCO&CallerCountry=US&CallerState=CA&CallerZip=94105&Direction=inbound&From=%2B141555"
    "50100&FromCity=SAN+FRANCISCO&FromCountry=US&FromState=CA&FromZip=94105&To=%2B18005550101&ToCity=&ToCountry=US&T"
    "oState=&ToZip="
)


def test_a_voice_request_has_the_fields_of_a_real_one() -> None:
    real = dict(parse_qsl(CAPTURED, keep_blank_values=True))
    form = voice_form(ME, "ringing")
    assert form.keys() == real.keys()
    assert {name for name in form if form[name] and form[name] != real[name]} == set()
    url = "https://bot.example.com/voice/incoming"
    assert sign(url, "0123456789abcdef0123456789abcdef", form | real) == "XLh6kMW6fZtRYBC+Mh9REym5A3I="


def test_the_status_callback_counts_started_minutes() -> None:
    form = status_form(ME, "completed", 49.2, AT)
    assert (form["CallDuration"], form["Duration"]) == ("49", "1")
    assert form["Timestamp"] == "Sun, 25 Mar 2018 09:53:19 +0000"
    assert (form["CallbackSource"], form["SequenceNumber"]) == ("call-progress-events", "0")
    assert status_form(ME, "no-answer", 0.0, AT)["Duration"] == "0"


@pytest.mark.parametrize(("status", "bridged", "duration"), [("completed", "true", "12"), ("busy", "false", None)])
def test_a_dial_action_tells_the_outcome(status: str, bridged: str, duration: str | None) -> None:
    form = dial_form(ME, status, "CA" + "c" * 32, 12.0)
    assert (form["DialCallStatus"], form["DialBridged"], form.get("DialCallDuration")) == (status, bridged, duration)
    assert form["CallStatus"] == "in-progress"


def test_a_stream_callback_is_a_form_of_its_own() -> None:
    form = stream_form(ME, "MZ1", "", "stream-started", AT)
    assert "From" not in form
    assert (form["StreamName"], form["Timestamp"]) == ("MZ1", "2018-03-25T09:53:19.602648000Z")
    assert datetime.fromisoformat(form["Timestamp"]) == AT
    assert stream_form(ME, "MZ1", "main", "stream-error", AT, "31920")["StreamError"] == "31920"
