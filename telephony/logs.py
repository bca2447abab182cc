"""Logging: one line an event, the call it belongs to on every line, personal data and secrets on none."""

import contextvars
import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
    """Send everything at `level` and above to standard error; libraries that log requests are kept to warnings."""
    handler = logging.StreamHandler()
    handler.addFilter(_CallFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s call=%(call)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "websockets", "langchain_nvidia_ai_endpoints"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
