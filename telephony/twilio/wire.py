"""The messages of a Twilio media stream as JSON has them, both ways: their fields, and what may stand in each.

What comes from Twilio may have fields that we do not know, and numbers for strings of digits; what goes there may not.
"""

from typing import Annotated

import msgspec

type Sid = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z]{1,64}\Z")]
"""A short run of letters and digits: safe in a log line, a path and JSON, if not of Twilio's shape."""
type Counter = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
"""Written as a string of digits; 18 of them outlast any call."""
type Digit = Annotated[str, msgspec.Meta(pattern=r"\A[0-9*#A-D]\Z")]
"""A telephone key."""


class FromTwilio(msgspec.Struct, frozen=True, gc=False, tag_field="event", rename="camel"):
    """One message from Twilio."""


class Connected(FromTwilio, frozen=True, gc=False, tag="connected"):
    protocol: str
    version: str


class MediaFormat(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    encoding: str
    sample_rate: int
    channels: int


class StartBody(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    stream_sid: Sid
    call_sid: Sid
    account_sid: Sid
    tracks: tuple[str, ...]
    media_format: MediaFormat
    custom_parameters: dict[str, str] = {}


class Start(FromTwilio, frozen=True, gc=False, tag="start"):
    sequence_number: Counter
    start: StartBody
    stream_sid: Sid


class MediaBody(msgspec.Struct, frozen=True, gc=False):
    track: str
    chunk: Counter
    timestamp: Counter
    payload: bytes


class Media(FromTwilio, frozen=True, gc=False, tag="media"):
    sequence_number: Counter
    media: MediaBody
    stream_sid: str
    """Unlike the others not looked at here, fifty times a second: a stream knows its own."""


class DtmfBody(msgspec.Struct, frozen=True, gc=False):
    digit: Digit


class Dtmf(FromTwilio, frozen=True, gc=False, tag="dtmf"):
    stream_sid: Sid
    sequence_number: Counter
    dtmf: DtmfBody


class MarkBody(msgspec.Struct, frozen=True, gc=False):
    name: str


class Mark(FromTwilio, frozen=True, gc=False, tag="mark"):
    sequence_number: Counter
    stream_sid: Sid
    mark: MarkBody


class StopBody(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    account_sid: Sid
    call_sid: Sid


class Stop(FromTwilio, frozen=True, gc=False, tag="stop"):
    sequence_number: Counter
    stream_sid: Sid
    stop: StopBody


class Event(msgspec.Struct, frozen=True):
    """Any message: what kind it is."""

    event: str


class ToTwilio(msgspec.Struct, frozen=True, gc=False, tag_field="event", rename="camel", forbid_unknown_fields=True):
    """One message to Twilio."""

    stream_sid: Sid


class SentAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: bytes


class SendMedia(ToTwilio, frozen=True, gc=False, tag="media"):
    media: SentAudio


class SentMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class SendMark(ToTwilio, frozen=True, gc=False, tag="mark"):
    mark: SentMark


class Clear(ToTwilio, frozen=True, gc=False, tag="clear"):
    """Nothing but its stream."""
