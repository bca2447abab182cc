"""What a failed request to a model means: whose fault it was, and whether to ask again."""

import re
import time
from collections.abc import Mapping

from providers.errors import PASSING, Fault, LLMError
from providers.voice.remote.service import fault_of, retry_after_s

_LOCKED = 409  # passes, as other conflicts do not
_KEY_FAULTS = (Fault.AUTHENTICATION, Fault.QUOTA)
_CODES = {"insufficient_quota": Fault.QUOTA, "rate_limit_exceeded": Fault.RATE_LIMIT}
# The vendors' words for silence and for a broken line, by name, since their packages may not be there.
_SILENCE = frozenset({"TimeoutError", "TimeoutException", "APITimeoutError"})
_BROKEN_LINE = frozenset({"APIError", "ClientError", "TransportError", "OSError"})
_SETTINGS = {
    "nvidia": ("NVIDIA_API_KEY", "NVIDIA_MODEL"),
    "huggingface": ("HF_TOKEN", "HF_MODEL"),
    "openai": ("OPENAI_API_KEY", "OPENAI_MODEL"),
}
_REQUEST_IDS = ("x-request-id", "nvcf-reqid")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def llm_error(error: Exception, provider: str) -> LLMError:
    """The error of any vendor as one of ours. Nothing the vendor wrote is quoted: it may quote the caller."""
    key, model = _SETTINGS.get(provider, ("LLM_PROVIDER", "LLM_PROVIDER"))
    status, headers = _status(error), _headers(error)
    fault = _fault(error, status, provider)
    return LLMError(
        _message(type(error).__name__, status, fault),
        provider=provider,
        operation="reply",
        fault=fault,
        status=status,
        retryable=fault in PASSING or status == _LOCKED,
        setting=key if fault in _KEY_FAULTS else model if status == 404 else "",
        request_id=next((headers[name] for name in _REQUEST_IDS if _REQUEST_ID.fullmatch(headers.get(name, ""))), ""),
        retry_after_s=retry_after_s(headers, time.time()),
    )


def _fault(error: Exception, status: int | None, provider: str) -> Fault | None:
    """None for a model of the operator's own that fails in its own code."""
    kinds = {parent.__name__ for parent in type(error).__mro__}
    if (code := _code(error)) in _CODES:
        return _CODES[code]
    if status is not None:
        return fault_of(status)
    if kinds & _SILENCE:
        return Fault.TIMEOUT
    if kinds & _BROKEN_LINE:
        return Fault.UNAVAILABLE
    return Fault.PROTOCOL if provider in _SETTINGS else None


def _message(kind: str, status: int | None, fault: Fault | None) -> str:
    if status is not None:
        return f"the model's server answered {status} ({fault}, {kind})"
    match fault:
        case Fault.TIMEOUT:
            return "the model was silent for too long"
        case Fault.UNAVAILABLE:
            return f"the line to the model broke ({kind})"
        case Fault.PROTOCOL:
            return f"cannot read what the model's server sent ({kind})"
        case None:
            return f"the model failed ({kind})"
    return f"the model's server reports an error ({fault}, {kind})"


def _status(error: Exception) -> int | None:
    """The HTTP status: of the error, of its response, in an error within the stream, or before ChatNVIDIA's message."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    found = re.match(r"\[(\d{3})\]", str(error)) or re.fullmatch(r"([45]\d\d)", _code(error))
    return int(found[1]) if found else None


def _code(error: Exception) -> str:
    """The server's own name for what went wrong, where the client kept it."""
    body = getattr(error, "body", None)
    return str(body.get("code")) if isinstance(body, Mapping) else ""


def _headers(error: Exception) -> Mapping[str, str]:
    """Those of the answer, where the client kept them."""
    for holder in (error, getattr(error, "response", None)):
        headers = getattr(holder, "headers", None)
        if isinstance(headers, Mapping):
            return headers
    return {}
