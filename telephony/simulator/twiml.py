"""TwiML as Twilio reads it: a reply to a webhook becomes verbs, or a fault with Twilio's number."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

MAX_BYTES = 64 * 1024
MAX_PARAMETER = 500

FETCH_FAILED = 11200
BODY_TOO_LARGE = 11750
NOT_TWIML = 12100
BAD_CONTENT_TYPE = 12300
BAD_TRACK = 31941

_XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
_METHODS = frozenset({"GET", "POST"})


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as Twilio's debugger numbers it. `text` may name elements and attributes of the document."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Stream:
    """`<Stream>`: `url` as written, relative or absolute; `name` is empty when Twilio would use the StreamSid."""

    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    name: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"


@dataclass(frozen=True, slots=True)
class Connect:
    """`<Connect>` around a bidirectional stream."""

    stream: Stream
    action: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """Exactly one of a sound's address and the digits to send."""

    url: str = ""
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Dial:
    """`numbers` ring at once."""

    numbers: tuple[str, ...]
    action: str = ""
    method: str = "POST"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "rejected"


type Verb = Connect | Redirect | Say | Play | Pause | Dial | Hangup | Reject


def parse_reply(status: int, content_type: str, body: bytes) -> tuple[Verb, ...] | Fault:
    """Read an HTTP reply to a webhook: its verbs, or what Twilio would hold against it. Raises nothing."""
    if not 200 <= status < 300:
        return Fault(FETCH_FAILED, f"HTTP status {status}")
    if len(body) > MAX_BYTES:
        return Fault(BODY_TOO_LARGE, "body longer than 64 kB")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _XML_TYPES:
        return Fault(BAD_CONTENT_TYPE, f"Content-Type {media_type or 'missing'}")
    return parse_twiml(body)


def parse_twiml(document: bytes) -> tuple[Verb, ...] | Fault:
    """Read a TwiML document. Raises nothing."""
    if len(document) > MAX_BYTES:
        return Fault(BODY_TOO_LARGE, "document longer than 64 kB")
    try:
        # Only a document type can define entities, and it is refused.
        parser = XMLParser(target=_NoDoctype())  # noqa: S314
        parser.feed(document)
        root = parser.close()
        if root.tag != "Response":
            raise _FaultError(NOT_TWIML, "the root element is not <Response>")
        return tuple(_verb(element) for element in root)
    except (ParseError, LookupError, ValueError) as error:
        return Fault(NOT_TWIML, f"not well-formed XML ({type(error).__name__})")
    except _FaultError as error:
        return error.fault


class _FaultError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(code, text)


class _NoDoctype(TreeBuilder):
    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise _FaultError(NOT_TWIML, "a document type is not allowed")


def _verb(element: Element) -> Verb:
    reader = _VERBS.get(element.tag)
    if reader is None:
        raise _FaultError(NOT_TWIML, f"<{element.tag}> is not a verb the simulator knows")
    return reader(element)


def _connect(element: Element) -> Connect:
    if [child.tag for child in element] != ["Stream"]:
        raise _FaultError(NOT_TWIML, "<Connect> needs exactly one <Stream>")
    return Connect(_stream(element[0]), element.get("action", ""), _method(element, "method"))


def _stream(element: Element) -> Stream:
    if element.get("track", "inbound_track") != "inbound_track":
        raise _FaultError(BAD_TRACK, "a bidirectional <Stream> has the inbound track only")
    if not (url := element.get("url", "")):
        raise _FaultError(NOT_TWIML, "<Stream> has no url")
    return Stream(
        url=url,
        parameters=tuple(_parameter(child) for child in element),
        name=element.get("name", ""),
        status_callback=element.get("statusCallback", ""),
        status_callback_method=_method(element, "statusCallbackMethod"),
    )


def _parameter(element: Element) -> tuple[str, str]:
    name, value = element.get("name"), element.get("value")
    if element.tag != "Parameter" or name is None or value is None:
        raise _FaultError(NOT_TWIML, "<Stream> holds something that is no <Parameter name value>")
    if len(name) + len(value) >= MAX_PARAMETER:
        raise _FaultError(NOT_TWIML, f"a <Parameter> of {MAX_PARAMETER} characters or more")
    return name, value


def _redirect(element: Element) -> Redirect:
    if not (url := _content(element)):
        raise _FaultError(NOT_TWIML, "<Redirect> has no URL")
    return Redirect(url, _method(element, "method"))


def _say(element: Element) -> Say:
    return Say(re.sub(r"\s+", " ", "".join(element.itertext())).strip())


def _play(element: Element) -> Play:
    url, digits = _content(element), element.get("digits", "")
    if bool(url) == bool(digits):
        raise _FaultError(NOT_TWIML, "<Play> needs either a URL or digits")
    return Play(url, digits)


def _pause(element: Element) -> Pause:
    return Pause(_seconds(element, "length", 1.0))


def _dial(element: Element) -> Dial:
    if any(child.tag != "Number" for child in element):
        raise _FaultError(NOT_TWIML, "<Dial> holds something that is no <Number>")
    numbers = [_content(child) for child in element] or [_content(element)]
    if not all(numbers) or len(numbers) > 10:
        raise _FaultError(NOT_TWIML, "<Dial> needs one to ten numbers")
    return Dial(
        tuple(numbers), element.get("action", ""), _method(element, "method"), _seconds(element, "timeout", 30.0)
    )


def _hangup(element: Element) -> Hangup:
    return Hangup()


def _reject(element: Element) -> Reject:
    if (reason := element.get("reason", "rejected")) not in ("rejected", "busy"):
        raise _FaultError(NOT_TWIML, "<Reject> for an unknown reason")
    return Reject(reason)


_VERBS: dict[str, Callable[[Element], Verb]] = {
    "Connect": _connect,
    "Redirect": _redirect,
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Dial": _dial,
    "Hangup": _hangup,
    "Reject": _reject,
}


def _content(element: Element) -> str:
    return (element.text or "").strip()


def _method(element: Element, attribute: str) -> str:
    method = element.get(attribute, "POST").upper()
    if method not in _METHODS:
        raise _FaultError(NOT_TWIML, f"{attribute} is neither GET nor POST")
    return method


def _seconds(element: Element, attribute: str, default: float) -> float:
    text = element.get(attribute)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise _FaultError(NOT_TWIML, f"{attribute} is not a number of seconds")
    return float(text)
