"""Frames as Twilio sends and takes them, byte for byte, and the values they stand for."""

from telephony.twilio.messages import (
    Clear,
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    SendMark,
    SendMedia,
    Start,
    Stop,
    ToTwilio,
)

STREAM = "MZdddddddddddddddddddddddddddddddd"
CALL = "CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
ACCOUNT = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'
    '"streamSid":"MZdddddddddddddddddddddddddddddddd","callSid":"CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",'
    '"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    '"customParameters":{"call_token":"k3J"}},"streamSid":"MZdddddddddddddddddddddddddddddddd"}'
)
MEDIA = (
    '{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"155",'
    '"payload":"' + "//8=" + '"},"streamSid":"MZdddddddddddddddddddddddddddddddd"}'
)
DTMF = (
    '{"event":"dtmf","streamSid":"MZdddddddddddddddddddddddddddddddd","sequenceNumber":"5",'
    '"dtmf":{"track":"inbound_track","digit":"1"}}'
)
MARK = (
    '{"event":"mark","sequenceNumber":"4","streamSid":"MZdddddddddddddddddddddddddddddddd","mark":{"name":"turn-7:3"}}'
)
STOP = (
    '{"event":"stop","sequenceNumber":"352","streamSid":"MZdddddddddddddddddddddddddddddddd",'
    '"stop":{"accountSid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","callSid":"CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}'
)

FROM_TWILIO: list[tuple[str, FromTwilio]] = [
    (CONNECTED, Connected(protocol="Call", version="1.0.0")),
    (START, Start(STREAM, CALL, ACCOUNT, sequence=1, parameters={"call_token": "k3J"})),
    (MEDIA, Media(STREAM, sequence=2, chunk=1, timestamp_ms=155, payload=b"\xff\xff")),
    (DTMF, Dtmf(STREAM, sequence=5, digit="1")),
    (MARK, Mark(STREAM, sequence=4, name="turn-7:3")),
    (STOP, Stop(STREAM, sequence=352, call_sid=CALL, account_sid=ACCOUNT)),
]

SEND_MEDIA = '{"event":"media","streamSid":"MZdddddddddddddddddddddddddddddddd","media":{"payload":"//8="}}'
SEND_MARK = '{"event":"mark","streamSid":"MZdddddddddddddddddddddddddddddddd","mark":{"name":"turn-7:3"}}'
CLEAR = '{"event":"clear","streamSid":"MZdddddddddddddddddddddddddddddddd"}'

TO_TWILIO: list[tuple[str, ToTwilio]] = [
    (SEND_MEDIA, SendMedia(STREAM, b"\xff\xff")),
    (SEND_MARK, SendMark(STREAM, "turn-7:3")),
    (CLEAR, Clear(STREAM)),
]
