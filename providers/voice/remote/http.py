"""Speech services over HTTP: one pool of connections for all calls, answers streamed, failures in our words."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from providers.errors import Fault, ProviderException
from providers.voice.remote.service import Service

LIMITS = httpx.Timeout(connect=3.0, read=8.0, write=5.0, pool=1.0)
POOL = httpx.Limits(max_connections=400, max_keepalive_connections=100, keepalive_expiry=60.0)
BODY_LIMIT_S = 10.0
"""Longest the body of an answer may take that is not audio."""
LARGEST_BODY = 1024 * 1024
_NO_AUDIO = ("text/", "application/json")

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


def shared_client() -> httpx.AsyncClient:
    """The running event loop's client, made when it is first asked for; `close_shared_client` ends it."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = httpx.AsyncClient(timeout=LIMITS, limits=POOL, trust_env=False, follow_redirects=False)
    return _clients[loop]


async def close_shared_client() -> None:
    """Close this event loop's connections; the next request makes others."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


async def stream(service: Service, url: str, headers: Mapping[str, str], **request: Any) -> AsyncGenerator[bytes]:
    """Post a request (`json`, `data`, `files`, `params` as httpx takes them) and yield the audio of the answer.

    Closing the generator closes the connection, and with it the service's work. Raises `ProviderException`.
    """
    async with _response(service, "POST", url, headers, **request) as response:
        if not response.is_success:
            raise await _refusal(service, response)
        if response.headers.get("content-type", "").startswith(_NO_AUDIO):
            raise service.garbled("no audio")
        async for chunk in response.aiter_bytes():
            yield chunk


async def post(service: Service, url: str, headers: Mapping[str, str], **request: Any) -> bytes:
    """Post a request and return the whole answer; cancelling closes the connection. Raises `ProviderException`."""
    async with _response(service, "POST", url, headers, **request) as response:
        if not response.is_success:
            raise await _refusal(service, response)
        return await _whole(service, response)


async def warm(service: Service, url: str, headers: Mapping[str, str]) -> None:
    """Open a connection that the next request will use, by asking for something small.

    Raises `ProviderException` if the service cannot be reached or does not take our key; any other answer will do.
    """
    async with _response(service, "GET", url, headers) as response:
        if response.status_code in (401, 402):
            raise await _refusal(service, response)
        await _whole(service, response)


@asynccontextmanager
async def _response(
    service: Service, method: str, url: str, headers: Mapping[str, str], **request: Any
) -> AsyncGenerator[httpx.Response]:
    """An answer whose body is still to be read; whatever fails meanwhile raises `ProviderException`."""
    try:
        async with shared_client().stream(method, url, headers=headers, **request) as response:
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise failure(service, error) from None


async def _refusal(service: Service, response: httpx.Response) -> ProviderException:
    return service.refused(response.status_code, response.headers, await _whole(service, response), time.time())


async def _whole(service: Service, response: httpx.Response) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise service.garbled("far too much")
    except TimeoutError:
        raise service.silent(BODY_LIMIT_S) from None
    return bytes(body)


def failure(service: Service, error: httpx.HTTPError | httpx.InvalidURL) -> ProviderException:
    """A request that got no answer, as one of ours."""
    kind = type(error).__name__
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return service.error(Fault.BAD_REQUEST, "the address is no http:// or https:// URL")
    if isinstance(error, httpx.TimeoutException):
        return service.error(Fault.TIMEOUT, f"no answer in time ({kind})")
    if isinstance(error, httpx.ProtocolError | httpx.DecodingError):
        return service.error(Fault.PROTOCOL, f"the answer broke off ({kind})")
    return service.error(Fault.UNAVAILABLE, f"cannot be reached ({kind})")
