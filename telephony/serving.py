"""Serving calls: the port first, so that nobody is refused while what is heavy is loaded; then everything else."""

import errno
import logging
import socket
import sys
from contextlib import suppress

import uvicorn
from uvicorn.supervisors import Multiprocess

from providers.errors import ConfigurationError
from telephony.interpreter import loading
from telephony.logs import configure_logging
from telephony.settings import TelephonySettings, settings

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 95
"""Longer than Heroku's router keeps an idle connection (90 s), so that it never writes into one we have closed."""
LARGEST_MESSAGE = 64 * 1024
WAITING = 2048
"""Connections that may wait to be taken."""
FAILED_TO_START = 3  # as uvicorn's own command says it


def serve_calls() -> None:
    """Serve as the settings say until told to stop; whoever connects before all is loaded waits.

    Raises one `ConfigurationError` with everything that is wrong with them.
    """
    try:
        listening = _listen(settings.telephony)
    except ConfigurationError:
        _check()  # there may be more that is wrong
        raise
    with listening:
        _check()
        configure_logging(settings.telephony.LOG_LEVEL)
        logger.info("listening on %s, port %d", *listening.getsockname()[:2])
        _serve(listening)


def _listen(line: TelephonySettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in line.HOST else socket.AF_INET
    try:
        return socket.create_server((line.HOST, line.PORT), family=family, backlog=WAITING)
    except OSError as error:
        variable = "PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "HOST"
        raise ConfigurationError.of(variable, f"cannot listen: {error.strerror}") from error


def _check() -> None:
    with loading():
        from telephony.engines import check_configuration

        check_configuration()


def _serve(listening: socket.socket) -> None:
    """As `uvicorn.run` does, which cannot be given a socket."""
    config = uvicorn.Config(
        "telephony.app:create_app",
        factory=True,
        workers=settings.telephony.WEB_CONCURRENCY,
        backlog=WAITING,
        log_config=None,
        access_log=False,
        ws="telephony.sockets:MediaSocketProtocol",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        proxy_headers=False,  # the public address is configured: nobody's headers are asked for it
    )
    if config.workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return
    config.load_app()
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(FAILED_TO_START)
