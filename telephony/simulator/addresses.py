"""Which URLs Twilio asks for and signs: references resolved, and what it drops or refuses."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit, urlunsplit

from telephony.simulator.twiml import Fault

HANDSHAKE_FAILED = 31920
BAD_SCHEME = 31922
MALFORMED_URL = 31923

_SOCKET_SCHEMES = {"https": "wss", "http": "ws"}


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where the media socket goes. `url` is also what is signed; `warning` tells of what had to be dropped."""

    url: str
    warning: Fault | None = None


def stream_address(reference: str, document_url: str) -> StreamAddress | Fault:
    """Resolve the `url` of a `<Stream>` against the document it stands in.

    Twilio takes `wss` only; here `ws` will do on a loopback address, where there are no certificates. A query string
    is dropped, as real calls show, and warned of with the code that Twilio's pages give it.
    """
    try:
        parts = urlsplit(_join(document_url, reference))
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Fault(MALFORMED_URL, "the stream URL cannot be read")
    if not host:
        return Fault(MALFORMED_URL, "the stream URL names no host")
    scheme = parts.scheme if "://" in reference else _SOCKET_SCHEMES.get(parts.scheme, parts.scheme)
    if scheme != "wss" and not (scheme == "ws" and is_loopback(host)):
        return Fault(BAD_SCHEME, "the stream URL is not wss")
    warning = Fault(HANDSHAKE_FAILED, "the stream URL has a query string, which was dropped") if parts.query else None
    return StreamAddress(urlunsplit((scheme, parts.netloc, parts.path or "/", "", "")), warning)


def webhook_url(reference: str, document_url: str) -> str:
    """Resolve the address of a callback; without its fragment, which is for Twilio alone."""
    return urlunsplit(urlsplit(_join(document_url, reference))._replace(fragment=""))


def signed_form(url: str) -> str:
    """The URL as Twilio signs it for a webhook: no credentials, and over HTTPS no port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and parts.port is not None:
        host = host.rpartition(":")[0]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, by its spelling alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _join(base: str, reference: str) -> str:
    """`urljoin` leaves references to unknown schemes alone, and those of sockets are made from HTTP ones."""
    return reference if "://" in reference else urljoin(base, reference)
