"""The messages of a Twilio media stream, both ways, as values and as the exact text on the wire.

    Twilio to us   connected, start, (media | dtmf | mark)*, stop
    us to Twilio   media, mark, clear

Twilio writes its counters as strings of digits and its audio as base64; here they are `int` and `bytes`. What
comes from Twilio is read leniently: fields and events we do not know are let through, since Twilio adds some
without notice. What goes to Twilio is read as strictly as Twilio reads it. What a caller said, keyed or dialled
stays out of every `repr`.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from telephony.twilio import fields
from telephony.twilio.fields import MalformedMessage as MalformedMessage

MAX_TEXT = 64 * 1024
"""Longest text accepted from Twilio, whose longest documented message is a `start` full of parameters."""

DTMF_DIGITS = frozenset("0123456789*#ABCD")


@dataclass(frozen=True, slots=True)
class Connected:
    """The socket speaks the protocol; nothing is known of the call yet."""

    protocol: str = "Call"
    version: str = "1.0.0"


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How the audio of a stream is encoded; Twilio documents this one format only."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Start:
    """Whose call this is. `parameters` are the `<Parameter>`s of our own TwiML, sent back."""

    stream_sid: str
    call_sid: str
    account_sid: str
    sequence: int = 1
    tracks: tuple[str, ...] = ("inbound",)
    media_format: MediaFormat = MediaFormat()
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Media:
    """Caller audio, usually 160 bytes of μ-law; `timestamp_ms` counts from the start of the stream."""

    stream_sid: str
    sequence: int
    chunk: int
    timestamp_ms: int
    payload: bytes = field(repr=False)
    track: str = "inbound"


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key pressed by the caller."""

    stream_sid: str
    sequence: int
    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """An echo of our mark: what was sent before it has been played, or was cleared."""

    stream_sid: str
    sequence: int
    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream is over; Twilio closes the socket next."""

    stream_sid: str
    sequence: int
    call_sid: str
    account_sid: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that is not documented; to be ignored."""

    event: str


@dataclass(frozen=True, slots=True)
class SendMedia:
    """Audio for the caller: bare μ-law, of any length."""

    stream_sid: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendMark:
    """Asks for an echo when playback gets here."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drops the audio that has not been played; every outstanding mark is echoed."""

    stream_sid: str


type FromTwilio = Connected | Start | Media | Dtmf | Mark | Stop | Unknown
type ToTwilio = SendMedia | SendMark | Clear


def decode_from_twilio(text: str | bytes) -> FromTwilio:
    """Read one message from Twilio; raises `MalformedMessage`, whatever the text, and nothing else."""
    if len(text) > MAX_TEXT:
        raise MalformedMessage(f"longer than {MAX_TEXT} characters")
    message = fields.parse(text)
    event = fields.text(message, "event")
    decoder = _DECODERS.get(event)
    return decoder(message) if decoder else Unknown(event)


def _connected(message: fields.Object) -> Connected:
    return Connected(fields.text(message, "protocol"), fields.text(message, "version"))


def _start(message: fields.Object) -> Start:
    body = fields.child(message, "start")
    stream_sid = fields.sid(message, "streamSid")
    if fields.sid(body, "streamSid") != stream_sid:
        raise MalformedMessage("start.streamSid is not streamSid")
    tracks = body.get("tracks")
    if not isinstance(tracks, list):
        raise MalformedMessage("tracks is missing or not a list")
    media_format = fields.child(body, "mediaFormat")
    parameters = fields.child(body, "customParameters") if "customParameters" in body else {}
    return Start(
        stream_sid=stream_sid,
        call_sid=fields.sid(body, "callSid"),
        account_sid=fields.sid(body, "accountSid"),
        sequence=fields.counter(message, "sequenceNumber"),
        tracks=tuple(fields.string(track, "tracks") for track in tracks),
        media_format=MediaFormat(
            encoding=fields.text(media_format, "encoding"),
            sample_rate=fields.number(media_format, "sampleRate"),
            channels=fields.number(media_format, "channels"),
        ),
        parameters={name: fields.string(value, "customParameters") for name, value in parameters.items()},
    )


def _media(message: fields.Object) -> Media:
    body = fields.child(message, "media")
    return Media(
        stream_sid=fields.sid(message, "streamSid"),
        sequence=fields.counter(message, "sequenceNumber"),
        chunk=fields.counter(body, "chunk"),
        timestamp_ms=fields.counter(body, "timestamp"),
        payload=fields.audio(body, "payload"),
        track=fields.text(body, "track"),
    )


def _dtmf(message: fields.Object) -> Dtmf:
    digit = fields.text(fields.child(message, "dtmf"), "digit")
    if digit not in DTMF_DIGITS:
        raise MalformedMessage("digit is not a telephone key")
    return Dtmf(fields.sid(message, "streamSid"), fields.counter(message, "sequenceNumber"), digit)


def _mark(message: fields.Object) -> Mark:
    name = fields.text(fields.child(message, "mark"), "name")
    return Mark(fields.sid(message, "streamSid"), fields.counter(message, "sequenceNumber"), name)


def _stop(message: fields.Object) -> Stop:
    body = fields.child(message, "stop")
    return Stop(
        stream_sid=fields.sid(message, "streamSid"),
        sequence=fields.counter(message, "sequenceNumber"),
        call_sid=fields.sid(body, "callSid"),
        account_sid=fields.sid(body, "accountSid"),
    )


_DECODERS: dict[str, Callable[[fields.Object], FromTwilio]] = {
    "connected": _connected,
    "start": _start,
    "media": _media,
    "dtmf": _dtmf,
    "mark": _mark,
    "stop": _stop,
}


def encode_from_twilio(message: FromTwilio) -> str:
    """Write a message as Twilio writes it, in its order of keys; what our simulator sends."""
    return orjson.dumps(_wire_form(message)).decode()


def _wire_form(message: FromTwilio) -> dict[str, object]:
    match message:
        case Connected(protocol, version):
            return {"event": "connected", "protocol": protocol, "version": version}
        case Start():
            return {
                "event": "start",
                "sequenceNumber": str(message.sequence),
                "start": {
                    "accountSid": message.account_sid,
                    "streamSid": message.stream_sid,
                    "callSid": message.call_sid,
                    "tracks": message.tracks,
                    "mediaFormat": {
                        "encoding": message.media_format.encoding,
                        "sampleRate": message.media_format.sample_rate,
                        "channels": message.media_format.channels,
                    },
                    "customParameters": dict(message.parameters),
                },
                "streamSid": message.stream_sid,
            }
        case Media(stream_sid, sequence, chunk, timestamp_ms, payload, track):
            body = {
                "track": track,
                "chunk": str(chunk),
                "timestamp": str(timestamp_ms),
                "payload": _base64(payload),
            }
            return {"event": "media", "sequenceNumber": str(sequence), "media": body, "streamSid": stream_sid}
        case Dtmf(stream_sid, sequence, digit):
            key = {"track": "inbound_track", "digit": digit}
            return {"event": "dtmf", "streamSid": stream_sid, "sequenceNumber": str(sequence), "dtmf": key}
        case Mark(stream_sid, sequence, name):
            return {
                "event": "mark",
                "sequenceNumber": str(sequence),
                "streamSid": stream_sid,
                "mark": {"name": name},
            }
        case Stop(stream_sid, sequence, call_sid, account_sid):
            call = {"accountSid": account_sid, "callSid": call_sid}
            return {"event": "stop", "sequenceNumber": str(sequence), "streamSid": stream_sid, "stop": call}
        case Unknown(event):
            return {"event": event}


def decode_to_twilio(text: str | bytes) -> ToTwilio:
    """Read one message of ours as Twilio does; raises `MalformedMessage` where Twilio warns 31951.

    A missing field is refused, and so is an extra one. The length has no bound here, Twilio documenting none.
    """
    message = fields.parse(text)
    match fields.text(message, "event"):
        case "media":
            fields.only(message, "event", "streamSid", "media")
            body = fields.child(message, "media")
            fields.only(body, "payload")
            return SendMedia(fields.sid(message, "streamSid"), fields.audio(body, "payload"))
        case "mark":
            fields.only(message, "event", "streamSid", "mark")
            body = fields.child(message, "mark")
            fields.only(body, "name")
            return SendMark(fields.sid(message, "streamSid"), fields.text(body, "name"))
        case "clear":
            fields.only(message, "event", "streamSid")
            return Clear(fields.sid(message, "streamSid"))
        case _:
            raise MalformedMessage("unknown event")


def encode_media(stream_sid: str, payload: bytes) -> str:
    """Write audio for the caller. `stream_sid` is one that a decoder let through: it is not escaped."""
    return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{_base64(payload)}"}}}}'


def encode_mark(stream_sid: str, name: str) -> str:
    """Write a request for an echo; `name` may be any text."""
    return orjson.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}}).decode()


def encode_clear(stream_sid: str) -> str:
    """Write the order to drop what has not been played."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'


def _base64(payload: bytes) -> str:
    return b64encode(payload).decode("ascii")
