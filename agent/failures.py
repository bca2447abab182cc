"""What a failed request to a model means: whose fault it was, and whether to ask again."""

import re
import time
from collections.abc import Mapping

from providers.errors import PASSING, Fault, LLMError
from providers.voice.remote.service import fault_of, retry_after_s

_LOCKED = 409  # passes, as other conflicts do not
_KEY_FAULTS = (Fault.AUTHENTICATION, Fault.QUOTA)
# The vendors' words for a broken line, by name, since their packages may not be there.
_BROKEN_LINE = frozenset({"APIError", "ClientError", "TransportError", "OSError"})
_SETTINGS = {
    "nvidia": ("NVIDIA_API_KEY", "NVIDIA_MODEL"),
    "huggingface": ("HF_TOKEN", "HF_MODEL"),
    "openai": ("OPENAI_API_KEY", "OPENAI_MODEL"),
}


def llm_error(error: Exception, provider: str) -> LLMError:
    """The error of any vendor as one of ours. Nothing the vendor wrote is quoted: it may quote the caller."""
    key, model = _SETTINGS.get(provider, ("LLM_PROVIDER", "LLM_PROVIDER"))
    status = _status(error)
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        silent = "the model was silent for too long"
        return LLMError(silent, provider=provider, operation="reply", fault=Fault.TIMEOUT)
    if status is None:
        broken = not _BROKEN_LINE.isdisjoint(parent.__name__ for parent in type(error).__mro__)
        message = f"the line to the model broke ({kind})" if broken else f"the model failed ({kind})"
        return LLMError(message, provider=provider, operation="reply", fault=Fault.UNAVAILABLE if broken else None)
    no_money = getattr(error, "code", None) == "insufficient_quota"
    fault = Fault.QUOTA if no_money else fault_of(status)
    return LLMError(
        f"the model's server answered {status} ({kind})",
        provider=provider,
        operation="reply",
        fault=fault,
        status=status,
        retryable=fault in PASSING or status == _LOCKED,
        setting=key if fault in _KEY_FAULTS else model if status == 404 else "",
        retry_after_s=_wait_s(error),
    )


def _wait_s(error: Exception) -> float | None:
    """What the server asks us to wait, where the client kept its answer."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after_s(headers, time.time()) if isinstance(headers, Mapping) else None


def _status(error: Exception) -> int | None:
    """The HTTP status: an attribute of the error or of its response, or in brackets before ChatNVIDIA's message."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    found = re.match(r"\[(\d{3})\]", str(error))
    return int(found[1]) if found else None
