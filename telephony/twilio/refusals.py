"""What is refused at the door, counted by reason and told to the operator; whoever knocked learns only that it was."""

import logging

from prometheus_client import Counter

logger = logging.getLogger(__name__)

REFUSED = Counter("offhook_requests_refused", "Requests and media streams that were not let in", ["reason"])


def refused(reason: str, message: str, *arguments: object) -> None:
    """Note a refusal. `reason` is one of few; the message says what to look at, and quotes nothing that was sent."""
    REFUSED.labels(reason).inc()
    logger.warning(message, *arguments)
