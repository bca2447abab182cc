"""What a failed request to a model means: whose fault it was, and whether to ask again."""

import re

from providers.errors import LLMError

# Status 409 is a lock, 425 a replayed handshake: like the others, they pass.
_PASSING = frozenset({408, 409, 425, 429})
_REFUSED = frozenset({401, 402, 403})
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
        return LLMError("the model was silent for too long", provider=provider, operation="reply", retryable=True)
    if status is None:
        broken = not _BROKEN_LINE.isdisjoint(parent.__name__ for parent in type(error).__mro__)
        message = f"the line to the model broke ({kind})" if broken else f"the model failed ({kind})"
        return LLMError(message, provider=provider, operation="reply", retryable=broken)
    no_money = getattr(error, "code", None) == "insufficient_quota"
    return LLMError(
        f"the model's server answered {status} ({kind})",
        provider=provider,
        operation="reply",
        status=status,
        retryable=not no_money and (status in _PASSING or status >= 500),
        setting=key if no_money or status in _REFUSED else model if status == 404 else "",
    )


def _status(error: Exception) -> int | None:
    """The HTTP status: an attribute of the error or of its response, or in brackets before ChatNVIDIA's message."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    found = re.match(r"\[(\d{3})\]", str(error))
    return int(found[1]) if found else None
