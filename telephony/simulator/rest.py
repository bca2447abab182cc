"""Twilio's REST API as far as a phone bot uses it: updating a live call. Served on loopback, beside the calls."""

import asyncio
import contextlib
import secrets
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from telephony.simulator.phone import Phone, Update
from telephony.simulator.twiml import Fault, parse_twiml
from telephony.simulator.webhooks import Document

NOT_AUTHENTICATED = 20003
NOT_FOUND = 20404
BAD_REQUEST = 20001
NOT_IN_PROGRESS = 21220
TWIML_TOO_LONG = 32018

_MAX_TWIML = 4000
_MAX_CALLS = 10_000
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 2


class RestApi:
    """The calls that can be updated, and the ASGI application (`app`) through which they are.

    A call is known from `add` on, and stays known when it is over: it is then no longer in progress, rather than
    unknown. The oldest are forgotten beyond ten thousand.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self._account_sid = account_sid
        self._authorization = "Basic " + b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._phones: dict[str, Phone] = {}
        path = "/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}.json"
        self.app = Starlette(routes=[Route(path, self._update_call, methods=["POST"])])

    def add(self, phone: Phone) -> None:
        self._phones[phone.identity.call_sid] = phone
        if len(self._phones) > _MAX_CALLS:
            del self._phones[next(iter(self._phones))]

    @property
    def known(self) -> dict[str, Phone]:
        """The calls by SID, in the order in which they were placed."""
        return self._phones

    async def _update_call(self, request: Request) -> JSONResponse:
        if not self._is_authorized(request.headers.get("authorization", "")):
            return _error(401, NOT_AUTHENTICATED, "Authenticate")
        phone = self._phones.get(request.path_params["call_sid"])
        if phone is None or request.path_params["account_sid"] != self._account_sid:
            return _error(404, NOT_FOUND, "The requested resource was not found")
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode(errors="replace")).items()}
        if len(form.get("Twiml", "")) > _MAX_TWIML:
            return _error(400, TWIML_TOO_LONG, "The Twiml parameter is longer than 4000 characters")
        if not phone.is_live:
            return _error(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        update = _update(form, phone)
        if isinstance(update, Fault):
            return _error(400, update.code, update.text)
        phone.update(update)
        return JSONResponse(_call_resource(phone))

    def _is_authorized(self, header: str) -> bool:
        return secrets.compare_digest(header.encode(), self._authorization.encode())


def _update(form: dict[str, str], phone: Phone) -> Update | Fault:
    if form.get("Status") == "completed":
        return Update("the bot hung up over REST")
    if url := form.get("Url"):
        return Update("the bot redirected the call over REST", url=url, method=form.get("Method", "POST"))
    if twiml := form.get("Twiml"):
        verbs = parse_twiml(twiml.encode())
        if isinstance(verbs, Fault):
            return verbs
        return Update("the bot replaced the TwiML over REST", Document(phone.document_url, verbs))
    return Fault(BAD_REQUEST, "none of Status=completed, Url and Twiml was given")


def _call_resource(phone: Phone) -> dict[str, str | None]:
    identity = phone.identity
    return {
        "sid": identity.call_sid,
        "account_sid": identity.account_sid,
        "parent_call_sid": None,
        "to": identity.called,
        "from": identity.caller,
        "status": phone.status,
        "direction": identity.direction,
        "duration": None,
        "price": None,
        "answered_by": None,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{identity.account_sid}/Calls/{identity.call_sid}.json",
    }


def _error(status: int, code: int, message: str) -> JSONResponse:
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    return JSONResponse(body, status)


@contextlib.asynccontextmanager
async def serve(
    app: Starlette, port: int = 0, *, sockets: type[asyncio.Protocol] = WebSocketsSansIOProtocol
) -> AsyncIterator[str]:
    """Serve an application on 127.0.0.1 inside this event loop; yields its base URL. Port 0 takes a free one.

    `sockets` speaks the WebSockets. Raises `OSError` if the port cannot be had.
    """
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; it costs 40 ms a reply
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws=sockets)
        config.timeout_graceful_shutdown = _STOP_TIMEOUT_S
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await server.ready.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the program around it, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
