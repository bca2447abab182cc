"""Speech services over HTTP: one pool of connections for all calls, answers streamed, failures in our words."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from providers.errors import Fault, ProviderException
from providers.voice.remote.service import Service

LIMITS = httpx.Timeout(connect=3.0, read=8.0, write=5.0, pool=1.0)
POOL = httpx.Limits(max_connections=400, max_keepalive_connections=100, keepalive_expiry=60.0)

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
    """Post a request (`json`, `data`, `files`, `params` as httpx takes them) and yield the answer as it comes.

    Closing the generator closes the connection, and with it the service's work. Raises `ProviderException`.
    """
    try:
        async with shared_client().stream("POST", url, headers=headers, **request) as response:
            if not response.is_success:
                raise service.refused(response.status_code, response.headers, await response.aread(), time.time())
            async for chunk in response.aiter_bytes():
                yield chunk
    except httpx.HTTPError as error:
        raise failure(service, error) from None


async def post(service: Service, url: str, headers: Mapping[str, str], **request: Any) -> bytes:
    """As `stream`, the whole answer at once."""
    pieces = [piece async for piece in stream(service, url, headers, **request)]
    return b"".join(pieces)


async def warm(service: Service, url: str, headers: Mapping[str, str]) -> None:
    """Open a connection that the next request will use, by asking for something small.

    Raises `ProviderException` if the service cannot be reached or does not take our key; any other answer will do.
    """
    try:
        response = await shared_client().get(url, headers=headers)
    except httpx.HTTPError as error:
        raise failure(service, error) from None
    if response.status_code in (401, 402):
        raise service.refused(response.status_code, response.headers, response.content, time.time())


def failure(service: Service, error: httpx.HTTPError) -> ProviderException:
    """A request that got no answer, as one of ours."""
    if isinstance(error, httpx.TimeoutException):
        return service.error(Fault.TIMEOUT, f"no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.ProtocolError):
        return service.error(Fault.PROTOCOL, f"the answer broke off ({type(error).__name__})")
    return service.error(Fault.UNAVAILABLE, f"cannot be reached ({type(error).__name__})")
