"""The web application: the routes of the line and the life of what its calls share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from telephony.logs import configure_logging
from telephony.service import Service


def create_app() -> Starlette:
    """The application, from the settings; raises `ConfigurationError` with everything that is wrong with them.

    `GET /healthz` says that the process lives, `GET /readyz` that it would serve a call at full speed.
    """
    service = Service()
    configure_logging(service.settings.LOG_LEVEL)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse(service.not_ready or "ready", 200 if service.not_ready is None else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/calls/{call_sid}/events", service.feed.events),
            *service.webhooks.routes(),
            WebSocketRoute("/twilio/stream", service.endpoint.__call__),
        ],
        lifespan=lifespan,
    )
