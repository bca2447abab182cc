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
from typing import Any

import msgspec
import orjson

from providers.errors import OffhookError
from telephony.twilio import wire

MAX_TEXT = 64 * 1024
"""Longest text accepted from Twilio, whose longest documented message is a `start` full of parameters."""


class MalformedMessage(OffhookError):  # noqa: N818 - it names what was received
    """The peer sent something that is no message. `reason` names the fault and quotes no contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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


class Media(msgspec.Struct, frozen=True, gc=False):  # made fifty times a second, in a tenth of a dataclass's time
    """Caller audio, usually 160 bytes of μ-law; `timestamp_ms` counts from the start of the stream."""

    stream_sid: str
    sequence: int
    chunk: int
    timestamp_ms: int
    payload: bytes
    track: str = "inbound"

    def __repr__(self) -> str:
        return f"Media(sequence={self.sequence}, {len(self.payload)} bytes at {self.timestamp_ms} ms)"


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
    try:
        message = _FROM_TWILIO.decode(text)
    except _UNREADABLE as error:
        return _undocumented(text, error)
    return _VALUES[type(message)](message)


_FROM_TWILIO = msgspec.json.Decoder(
    wire.Connected | wire.Start | wire.Media | wire.Dtmf | wire.Mark | wire.Stop,
    strict=False,  # numbers may be written as strings of digits
)
_EVENT = msgspec.json.Decoder(wire.Event)
_UNREADABLE = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)


def _undocumented(text: str | bytes, error: Exception) -> Unknown:
    """A message that is none we know: of another kind than those, or not as it should be."""
    try:
        event = _EVENT.decode(text).event
    except _UNREADABLE:
        raise _malformed(error) from None
    if event in _EVENTS:
        raise _malformed(error) from None
    return Unknown(event)


def _malformed(error: Exception) -> MalformedMessage:
    reason = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
    # Of all that msgspec says, this alone quotes what it read.
    return MalformedMessage("Unknown event - at `$.event`" if reason.startswith("Invalid value") else reason)


def _start(message: wire.Start) -> Start:
    body = message.start
    if body.stream_sid != message.stream_sid:
        raise MalformedMessage("start.streamSid is not streamSid")
    return Start(
        stream_sid=message.stream_sid,
        call_sid=body.call_sid,
        account_sid=body.account_sid,
        sequence=message.sequence_number,
        tracks=body.tracks,
        media_format=MediaFormat(body.media_format.encoding, body.media_format.sample_rate, body.media_format.channels),
        parameters=body.custom_parameters,
    )


def _media(message: wire.Media) -> Media:
    body = message.media
    return Media(message.stream_sid, message.sequence_number, body.chunk, body.timestamp, body.payload, body.track)


def _stop(message: wire.Stop) -> Stop:
    return Stop(message.stream_sid, message.sequence_number, message.stop.call_sid, message.stop.account_sid)


_VALUES: dict[type, Callable[[Any], FromTwilio]] = {
    wire.Media: _media,
    wire.Mark: lambda message: Mark(message.stream_sid, message.sequence_number, message.mark.name),
    wire.Dtmf: lambda message: Dtmf(message.stream_sid, message.sequence_number, message.dtmf.digit),
    wire.Connected: lambda message: Connected(message.protocol, message.version),
    wire.Start: _start,
    wire.Stop: _stop,
}
_EVENTS = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})


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
    try:
        message = _TO_TWILIO.decode(text)
    except _UNREADABLE as error:
        raise _malformed(error) from None
    match message:
        case wire.SendMedia():
            return SendMedia(message.stream_sid, message.media.payload)
        case wire.SendMark():
            return SendMark(message.stream_sid, message.mark.name)
        case _:
            return Clear(message.stream_sid)


_TO_TWILIO = msgspec.json.Decoder(wire.SendMedia | wire.SendMark | wire.Clear)


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
