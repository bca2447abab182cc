"""Twilio's HTTP client: signed requests to the server under test, with Twilio's limits and habits."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from telephony.simulator.addresses import signed_form, webhook_url
from telephony.simulator.twiml import MAX_BYTES, Fault, Verb, parse_reply
from telephony.twilio.signature import sign

UNREACHABLE = 11205
TOO_MANY_REDIRECTS = 11215

CEILING_S = 15.0
CONNECT_TIMEOUT_S = 5.0
_MAX_REDIRECTS = 10
_NO_FORM: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Document:
    """TwiML in force, and where it came from: its references are relative to that."""

    url: str
    verbs: tuple[Verb, ...]


@dataclass(frozen=True, slots=True)
class _Reply:
    url: str
    status: int
    content_type: str
    body: bytes


class WebhookClient:
    """Makes the requests of one call; keeps cookies, as Twilio does, and retries a failed connect once."""

    def __init__(self, http: httpx.AsyncClient, auth_token: str) -> None:
        self._http = http
        self._auth_token = auth_token

    @classmethod
    @asynccontextmanager
    async def open(cls, auth_token: str) -> AsyncIterator["WebhookClient"]:
        transport = httpx.AsyncHTTPTransport(verify=_tls(), retries=1, trust_env=False)
        timeout = httpx.Timeout(CEILING_S, connect=CONNECT_TIMEOUT_S)
        async with httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as http:
            yield cls(http, auth_token)

    async def fetch(self, url: str, method: str, form: Mapping[str, str]) -> Document | Fault:
        """Ask for TwiML, in 15 s at most. Raises nothing; cancelling drops the request."""
        reply = await self._request(url, method, form)
        if isinstance(reply, Fault):
            return reply
        verbs = parse_reply(reply.status, reply.content_type, reply.body)
        return verbs if isinstance(verbs, Fault) else Document(reply.url, verbs)

    async def notify(self, url: str, method: str, form: Mapping[str, str]) -> Fault | None:
        """Send a status callback; any 2xx will do. Raises nothing."""
        reply = await self._request(url, method, form)
        if isinstance(reply, Fault):
            return reply
        return None if 200 <= reply.status < 300 else Fault(11200, f"HTTP status {reply.status}")

    async def _request(self, url: str, method: str, form: Mapping[str, str]) -> _Reply | Fault:
        try:
            async with asyncio.timeout(CEILING_S):
                for _ in range(1 + _MAX_REDIRECTS):
                    reply, location = await self._exchange(url, method, form)
                    if not location:
                        return reply
                    url = webhook_url(location, url)
                    if reply.status not in (307, 308):
                        method, form = "GET", _NO_FORM
            return Fault(TOO_MANY_REDIRECTS, "more than ten redirects")
        except TimeoutError:
            return Fault(UNREACHABLE, f"no answer within {CEILING_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Fault(UNREACHABLE, type(error).__name__)

    async def _exchange(self, url: str, method: str, form: Mapping[str, str]) -> tuple[_Reply, str]:
        """One request; the reply and, for a redirect, where to."""
        request = self.signed_request(url, method, form)
        response = await self._http.send(request, stream=True)
        try:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    break
        finally:
            await response.aclose()
        location = response.headers.get("location", "") if response.is_redirect else ""
        return _Reply(url, response.status_code, response.headers.get("content-type", ""), body), location

    def signed_request(self, url: str, method: str, form: Mapping[str, str]) -> httpx.Request:
        """A request as Twilio makes it: fields in the body of a POST or the query of a GET, and the signature."""
        if method == "GET":
            url, form = _with_query(url, form), _NO_FORM
        headers = {
            "X-Twilio-Signature": sign(signed_form(url), self._auth_token, form),
            "User-Agent": "TwilioProxy/1.1",
            "X-Home-Region": "us1",
            "Accept": "*/*",
        }
        return self._http.build_request(method, url, data=dict(form) if method == "POST" else None, headers=headers)

    async def stream_lines(self, url: str) -> AsyncIterator[str]:
        """Follow a reply of lines for as long as it goes on, signed like a GET of Twilio's.

        Raises `httpx.HTTPError`, and `httpx.HTTPStatusError` for anything but 2xx. Cancelling drops the request.
        """
        request = self.signed_request(url, "GET", _NO_FORM)
        request.extensions["timeout"] = httpx.Timeout(CEILING_S, read=None).as_dict()
        response = await self._http.send(request, stream=True)
        try:
            response.raise_for_status()
            async for line in response.aiter_lines():
                yield line
        finally:
            await response.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Reading the authorities' certificates takes 20 ms: too long to be done for every call on the event loop."""
    return httpx.create_ssl_context(trust_env=False)


def _with_query(url: str, form: Mapping[str, str]) -> str:
    if not form:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(form))))))
