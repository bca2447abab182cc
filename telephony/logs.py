"""Logging: one line an event, the call it belongs to on every line, personal data and secrets on none."""

import contextvars
import logging
from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.INFO,  # at DEBUG it logs every frame of every socket: what callers say and key
    "websockets": logging.WARNING,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,  # at DEBUG it logs every row
    "langchain_nvidia_ai_endpoints": logging.WARNING,
}
"""What is logged at lower levels than these is requests and their contents."""

_call: contextvars.ContextVar[str] = contextvars.ContextVar("call", default="-")


@contextmanager
def call_in_log(call_sid: str) -> Iterator[None]:
    """Lines logged inside, and in tasks started inside, carry the call's SID."""
    token = _call.set(call_sid)
    try:
        yield
    finally:
        _call.reset(token)


class _CallFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.call = _call.get()
        return True


def configure_logging(level: str) -> None:
    """Send everything at `level` and above to standard error; of libraries no more than `LIBRARIES` allows."""
    handler = logging.StreamHandler()
    handler.addFilter(_CallFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s call=%(call)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))
