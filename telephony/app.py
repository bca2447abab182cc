"""The web application: the routes of the line and the life of what its calls share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from telephony.interpreter import loading
from telephony.logs import configure_logging
from telephony.termination import drain_on_sigterm


def create_app() -> Starlette:
    """The application, from the settings; raises `ConfigurationError` with everything that is wrong with them.

    `GET /healthz` says that the process lives, `GET /readyz` that it would serve a call at full speed.
    """
    with loading():
        from telephony.service import Service

        service = Service()
    configure_logging(service.settings.LOG_LEVEL)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        not_ready = service.office.not_ready
        return PlainTextResponse(not_ready or "ready", 200 if not_ready is None else 503)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            with drain_on_sigterm(service.office.drain):
                yield
        finally:
            await service.stop()

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", service.metrics.endpoint),
            Route("/calls/{call_sid}/events", service.feed.events),
            *service.webhooks.routes(),
            WebSocketRoute("/twilio/stream", service.endpoint.__call__),
        ],
        lifespan=lifespan,
    )
