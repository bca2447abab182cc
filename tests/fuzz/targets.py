"""What is fuzzed: each target takes any bytes, and may raise nothing that it does not document."""

from collections.abc import Callable
from dataclasses import dataclass

from providers.errors import ProviderException
from providers.voice.deepgram.listen import ListenWire
from providers.voice.deepgram.speak import SpeakWire
from providers.voice.remote.sansio import Frame
from providers.voice.remote.service import Service
from telephony.twilio.messages import MalformedMessage, decode_from_twilio
from telephony.twilio.signature import SignatureChecker
from telephony.twilio.stream import MAX_GAP_MS, Gap, MediaStream
from telephony.twilio.tokens import StreamTokens, TokenRefused
from tests.telephony.twilio.frames import CONNECTED, DTMF, MARK, MEDIA, START, STOP

BINARY = b"\x00"
"""A message of an input that begins with this byte is a binary one."""


@dataclass(frozen=True, slots=True)
class Target:
    """`seeds` are what is right: the fuzzer starts from them."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def messages(data: bytes) -> list[str | bytes]:
    """The WebSocket messages of one input: its lines."""
    return [
        line[1:] if line.startswith(BINARY) else line.decode(errors="replace") for line in data.split(b"\n") if line
    ]


def media_stream(data: bytes) -> None:
    """A whole stream, from its first message on: nothing raises, and no message makes more silence than is bounded."""
    stream = MediaStream()
    for message in messages(data):
        for received in stream.receive(message):
            assert not isinstance(received, Gap) or 0 < received.missing_ms <= MAX_GAP_MS


def streaming(data: bytes) -> None:
    """What comes after a start that was in order."""
    stream = MediaStream()
    for message in (CONNECTED, START, *messages(data)):
        stream.receive(message)


def decoding(data: bytes) -> None:
    try:
        decode_from_twilio(data.decode(errors="replace"))
    except MalformedMessage:
        return


def door(data: bytes) -> None:
    """Signatures and tokens: whatever is brought, the answer is no."""
    text = data.decode(errors="surrogateescape")
    checker = SignatureChecker("0123456789abcdef0123456789abcdef", "https://bot.example.com")
    assert not checker.webhook("/" + text, [(text, text)], text, data)
    assert not checker.websocket("/" + text, text)
    tokens = StreamTokens("secret")
    try:
        tokens.redeem(text, "CA" + 32 * "b", "AC" + 32 * "a", 0.0)
    except TokenRefused:
        return
    raise AssertionError("a forged token was taken")


def wires(data: bytes) -> None:
    """What a vendor's socket may bring."""
    service = Service(provider="fuzzed", operation="stt", setting="FUZZED_API_KEY")
    hearing, speaking = ListenWire(service), SpeakWire(service)
    hearing.begin()
    speaking.speak("Hello.")
    for message in messages(data):
        _take(hearing.receive, message)
        _take(speaking.receive, message)


def _take(receive: Callable[[Frame], object], message: Frame) -> None:
    try:
        receive(message)
    except ProviderException:
        return


_TALK = "\n".join((CONNECTED, START, MEDIA, DTMF, MARK, STOP)).encode()
_RESULTS = (
    b'{"type":"Results","start":0.0,"duration":1.0,"is_final":true,"speech_final":true,'
    b'"channel":{"alternatives":[{"transcript":"hello","confidence":0.9}]}}'
)
TARGETS = {
    "stream": Target(media_stream, (_TALK,)),
    "streaming": Target(streaming, tuple(message.encode() for message in (MEDIA, DTMF, MARK, STOP))),
    "decoding": Target(decoding, tuple(message.encode() for message in (CONNECTED, START, MEDIA, DTMF, MARK, STOP))),
    "door": Target(door, (b"v1.60.AC.CA.nonce.seal",)),
    "wires": Target(wires, (_RESULTS, b'{"type":"Flushed","sequence_id":0}', b'{"type":"Error","code":"NET-0000"}')),
}
