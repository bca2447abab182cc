import json
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio.messages import (
    MAX_TEXT,
    Clear,
    Connected,
    Dtmf,
    FromTwilio,
    MalformedMessage,
    Mark,
    Media,
    MediaFormat,
    SendMark,
    SendMedia,
    Start,
    Stop,
    ToTwilio,
    Unknown,
    decode_from_twilio,
    decode_to_twilio,
    encode_clear,
    encode_from_twilio,
    encode_mark,
    encode_media,
)
from tests.telephony.twilio.frames import (
    CLEAR,
    CONNECTED,
    DTMF,
    FROM_TWILIO,
    MARK,
    MEDIA,
    SEND_MARK,
    SEND_MEDIA,
    START,
    STOP,
    STREAM,
    TO_TWILIO,
)

SIDS = st.from_regex("[A-Z]{2}[0-9a-f]{32}", fullmatch=True)
COUNTERS = st.integers(0, 10**18 - 1)
NAMES = st.text()
FORMATS = st.builds(MediaFormat, encoding=NAMES, sample_rate=st.integers(0, 2**53), channels=st.integers(0, 8))
MESSAGES: st.SearchStrategy[FromTwilio] = st.one_of(
    st.builds(Connected, protocol=NAMES, version=NAMES),
    st.builds(
        Start,
        stream_sid=SIDS,
        call_sid=SIDS,
        account_sid=SIDS,
        sequence=COUNTERS,
        tracks=st.lists(NAMES, max_size=2).map(tuple),
        media_format=FORMATS,
        parameters=st.dictionaries(NAMES, NAMES, max_size=4),
    ),
    st.builds(Media, SIDS, COUNTERS, COUNTERS, COUNTERS, st.binary(max_size=400), NAMES),
    st.builds(Dtmf, SIDS, COUNTERS, st.sampled_from("0123456789*#ABCD")),
    st.builds(Mark, SIDS, COUNTERS, NAMES),
    st.builds(Stop, SIDS, COUNTERS, SIDS, SIDS),
    st.builds(Unknown, NAMES.filter(lambda name: name not in json.dumps([CONNECTED, START, MEDIA, DTMF, MARK, STOP]))),
)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(("text", "message"), FROM_TWILIO)
def test_what_twilio_sends_is_read_and_written_byte_for_byte(text: str, message: FromTwilio) -> None:
    assert decode_from_twilio(text) == message
    assert decode_from_twilio(text.encode()) == message
    assert encode_from_twilio(message) == text


@pytest.mark.parametrize(("text", "message"), TO_TWILIO)
def test_what_we_send_is_read_and_written_byte_for_byte(text: str, message: ToTwilio) -> None:
    assert decode_to_twilio(text) == message
    match message:
        case SendMedia(stream_sid, payload):
            assert encode_media(stream_sid, payload) == text
        case SendMark(stream_sid, name):
            assert encode_mark(stream_sid, name) == text
        case Clear(stream_sid):
            assert encode_clear(stream_sid) == text


def test_a_frame_of_20_ms_has_the_length_that_was_captured() -> None:
    frame = encode_from_twilio(Media(STREAM, 2, 1, 155, b"\xff" * 160))
    payload = json.loads(frame)["media"]["payload"]
    assert (len(payload), payload[-2:]) == (216, "==")


@given(MESSAGES)
def test_from_twilio_round_trip(message: FromTwilio) -> None:
    assert decode_from_twilio(encode_from_twilio(message)) == message


@given(SIDS, st.binary(max_size=2000))
def test_media_round_trip(stream_sid: str, payload: bytes) -> None:
    assert decode_to_twilio(encode_media(stream_sid, payload)) == SendMedia(stream_sid, payload)


@given(SIDS, NAMES)
def test_a_mark_may_have_any_name(stream_sid: str, name: str) -> None:
    assert decode_to_twilio(encode_mark(stream_sid, name)) == SendMark(stream_sid, name)


def _decodes_or_refuses(decode: Callable[[str | bytes], object], text: str | bytes, kinds: tuple[type, ...]) -> None:
    try:
        message = decode(text)
    except MalformedMessage:
        return
    assert isinstance(message, kinds)


FROM_KINDS = get_args(FromTwilio.__value__)
TO_KINDS = get_args(ToTwilio.__value__)


@given(st.text() | st.binary() | st.text(alphabet=st.characters(categories=["Cs", "L"])))
def test_any_text_is_a_message_or_malformed(text: str | bytes) -> None:
    _decodes_or_refuses(decode_from_twilio, text, FROM_KINDS)
    _decodes_or_refuses(decode_to_twilio, text, TO_KINDS)


@given(JSON_VALUES)
def test_any_json_is_a_message_or_malformed(value: object) -> None:
    text = json.dumps(value)
    _decodes_or_refuses(decode_from_twilio, text, FROM_KINDS)
    _decodes_or_refuses(decode_to_twilio, text, TO_KINDS)


@st.composite
def mutated(draw: st.DrawFn, frames: list[str]) -> str:
    """A recorded frame with one field, at any depth, replaced by anything, removed or added."""
    message = json.loads(draw(st.sampled_from(frames)))
    place = message
    while nested := [value for value in place.values() if isinstance(value, dict) and value]:
        if draw(st.booleans()):
            break
        place = draw(st.sampled_from(nested))
    name = draw(st.sampled_from(sorted(place)) | st.text())
    if draw(st.booleans()):
        place[name] = draw(JSON_VALUES)
    else:
        place.pop(name, None)
    return json.dumps(message)


@given(mutated([text for text, _ in FROM_TWILIO]))
def test_a_mutated_message_from_twilio_is_a_message_or_malformed(text: str) -> None:
    _decodes_or_refuses(decode_from_twilio, text, FROM_KINDS)


@given(mutated([text for text, _ in TO_TWILIO]))
def test_a_mutated_message_to_twilio_is_a_message_or_malformed(text: str) -> None:
    _decodes_or_refuses(decode_to_twilio, text, TO_KINDS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("\ud800", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 5000, "Expected `object`, got `array`"),
        ('{"event":"media","new":' + "[" * 30000, "not JSON"),
        ("NaN", "not JSON"),
        ("[]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ("{}", "missing required field `event`"),
        ('{"event":7}', "Expected `str` - at `$.event`"),
        (MEDIA.replace("//8=", "A" * MAX_TEXT), "longer than"),
        (MEDIA.replace("//8=", "//8"), "Invalid base64 encoded string - at `$.media.payload`"),
        (MEDIA.replace("//8=", "//8=//8="), "Invalid base64"),
        (MEDIA.replace("//8=", "//\\n8="), "Invalid base64"),
        (MEDIA.replace("//8=", "__8="), "Invalid base64"),
        (MEDIA.replace("//8=", "é"), "Invalid base64"),
        (MEDIA.replace('"//8="', "null"), "Expected `bytes`, got `null` - at `$.media.payload`"),
        (MEDIA.replace('"155"', '"-155"'), "Expected `int` >= 0 - at `$.media.timestamp`"),
        (MEDIA.replace('"155"', '"1.5"'), "timestamp"),
        (MEDIA.replace('"155"', '" 155"'), "timestamp"),
        (MEDIA.replace('"155"', '""'), "timestamp"),
        (MEDIA.replace('"155"', '"١٥٥"'), "timestamp"),
        (MEDIA.replace('"155"', f'"{"9" * 19}"'), "timestamp"),
        (MEDIA.replace('"155"', f'"{"9" * 5000}"'), "timestamp"),
        (MEDIA.replace('"chunk":"1",', ""), "missing required field `chunk`"),
        (MEDIA.replace('"sequenceNumber":"2",', ""), "missing required field `sequenceNumber`"),
        (MEDIA.replace('"track":"inbound"', '"track":1'), "Expected `str`, got `int` - at `$.media.track`"),
        (DTMF.replace('"digit":"1"', '"digit":"12"'), "at `$.dtmf.digit`"),
        (DTMF.replace('"digit":"1"', '"digit":"E"'), "at `$.dtmf.digit`"),
        (DTMF.replace('"digit":"1"', '"digit":"1\\n"'), "at `$.dtmf.digit`"),
        (DTMF.replace('"digit":"1"', '"digit":""'), "at `$.dtmf.digit`"),
        (DTMF.replace('"digit":"1"', '"digit":1'), "Expected `str`, got `int` - at `$.dtmf.digit`"),
        (MARK.replace('"turn-7:3"', "null"), "Expected `str`, got `null` - at `$.mark.name`"),
        (MARK.replace(STREAM, 'a\\"b'), "at `$.streamSid`"),
        (MARK.replace(STREAM, ""), "at `$.streamSid`"),
        (MARK.replace(STREAM, "M" * 65), "at `$.streamSid`"),
        (START.replace('{"call_token":"k3J"}', "null"), "Expected `object`, got `null`"),
        (START.replace('"k3J"', "3"), "Expected `str`, got `int`"),
        (START.replace('["inbound"]', '"inbound"'), "Expected `array`, got `str`"),
        (START.replace('["inbound"]', "[1]"), "Expected `str`, got `int`"),
        (START.replace('"channels":1', '"channels":true'), "Expected `int`, got `bool`"),
        (START.replace(STREAM, "MZ" + "e" * 32, 1), "start.streamSid is not streamSid"),
        (STOP.replace('"callSid"', '"call"'), "missing required field `callSid`"),
    ],
)
def test_refused_from_twilio(text: str | bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=re.escape(reason)):
        decode_from_twilio(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ('"clear"', "Expected `object`, got `str`"),
        (CLEAR.replace("clear", "stop"), "at `$.event`"),
        (CLEAR.replace('"event":"clear",', ""), "missing required field `event`"),
        (CLEAR.replace("}", ',"sequenceNumber":"1"}'), "unknown field `sequenceNumber`"),
        ('{"event":"clear"}', "missing required field `streamSid`"),
        (SEND_MEDIA.replace('"payload"', '"track":"outbound","payload"'), "unknown field `track`"),
        (SEND_MEDIA.replace('"event"', '"debug":1,"event"'), "unknown field `debug`"),
        (SEND_MEDIA.replace('"payload":"//8="', ""), "missing required field `payload`"),
        (SEND_MEDIA.replace("//8=", "!!"), "Invalid base64"),
        (SEND_MEDIA.replace('{"payload":"//8="}', "[]"), "Expected `object`, got `array`"),
        (SEND_MARK.replace('"name"', '"label"'), "unknown field `label`"),
        (SEND_MARK.replace('"turn-7:3"', "7"), "Expected `str`, got `int`"),
        (SEND_MARK.replace('"mark":{', '"marks":{'), "unknown field `marks`"),
    ],
)
def test_refused_to_twilio(text: str, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=re.escape(reason)):
        decode_to_twilio(text)


def test_an_undocumented_event_is_unknown_but_no_error() -> None:
    assert decode_from_twilio('{"event":"close","streamSid":7}') == Unknown("close")


def test_fields_we_do_not_know_are_let_through() -> None:
    assert decode_from_twilio(MARK.replace('"mark":{', '"new":[],"mark":{"new":1,')) == decode_from_twilio(MARK)


def test_a_number_will_do_where_twilio_writes_digits_and_the_reverse() -> None:
    assert decode_from_twilio(MEDIA.replace('"155"', "155")) == decode_from_twilio(MEDIA)
    assert decode_from_twilio(START.replace("8000", '"8000"')) == decode_from_twilio(START)


@pytest.mark.parametrize(
    "text",
    [
        DTMF.replace('"1"', '"secret"'),
        MARK.replace('"turn-7:3"', '["secret"]'),
        '"secret"',
        '["secret"]',
        '{"event":"secret","event":"media"}',
    ],
)
def test_a_reason_quotes_nothing(text: str) -> None:
    with pytest.raises(MalformedMessage) as malformed:
        decode_from_twilio(text)
    assert "secret" not in malformed.value.reason


def test_a_start_without_parameters_has_none() -> None:
    message = decode_from_twilio(START.replace(',"customParameters":{"call_token":"k3J"}', ""))
    assert isinstance(message, Start)
    assert message.parameters == {}


def test_a_sid_of_another_shape_does_not_cost_the_call() -> None:
    message = decode_from_twilio(STOP.replace(STREAM, "XY123"))
    assert isinstance(message, Stop)
    assert message.stream_sid == "XY123"


def test_what_a_caller_keyed_said_or_dialled_is_in_no_repr() -> None:
    start = Start(STREAM, "CA1", "AC1", parameters={"from": "+14155550100"})
    shown = repr([start, Dtmf(STREAM, 5, "7"), Media(STREAM, 2, 1, 155, b"voice"), SendMedia(STREAM, b"voice")])
    assert "+1415" not in shown
    assert "'7'" not in shown
    assert "voice" not in shown
