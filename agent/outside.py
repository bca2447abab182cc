"""The way out for tools that fetch what a model or a caller named: the public internet, and nothing behind our door."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import httpx

LIMIT_S = 5.0
REDIRECTS = 3

type Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host's addresses, in the order in which they are to be tried; raises `OSError` if there are none."""


def public_client(
    resolve: Resolve | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client for tools. A host whose address is not a public one cannot be reached: `httpx.ConnectError`.

    That keeps a model, or a caller who talks it into it, from this machine, from its private network and from the
    metadata services of clouds. Redirects are followed, and checked like any request. `resolve` and `transport` are
    there to be replaced in tests.
    """
    guarded = _PublicOnly(resolve or _resolved, transport or httpx.AsyncHTTPTransport(trust_env=False))
    return httpx.AsyncClient(
        transport=guarded, timeout=LIMIT_S, follow_redirects=True, max_redirects=REDIRECTS, trust_env=False
    )


class _PublicOnly(httpx.AsyncBaseTransport):
    """Looks a host up once, and connects to the very address it has judged: a name cannot change its mind between."""

    def __init__(self, resolve: Resolve, transport: httpx.AsyncBaseTransport) -> None:
        self._resolve = resolve
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{host} has no address", request=request) from error
        if not addresses or not all(ip_address(address).is_global for address in addresses):
            raise httpx.ConnectError(f"{host} is not on the public internet", request=request)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=addresses[0])
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]
