"""The error tree: whose fault it was, and what to do about it.

    OffhookError
    ├── ConfigurationError (also a ValueError)   the operator's: every problem found, each naming its setting
    └── ProviderException                        the engine's: provider, operation, fault, status, retryable
        ├── TranscriptionError                   speech to text
        ├── TTSError                             text to speech
        └── LLMError                             the language model

Errors of a peer on the line (malformed messages, refused requests) live with the line, in `telephony`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class OffhookError(Exception):
    """Anything Offhook raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: the environment variable to change, and why."""

    variable: str
    message: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.message}"


class ConfigurationError(OffhookError, ValueError):
    """The configuration cannot work. `problems` holds all that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, variable: str, message: str) -> "ConfigurationError":
        return cls([Problem(variable, message)])


class Fault(StrEnum):
    """What was wrong, as coarse as is needed to decide what to do about it."""

    AUTHENTICATION = "authentication"
    QUOTA = "quota"
    RATE_LIMIT = "rate limit"
    BAD_REQUEST = "bad request"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"


PASSING = frozenset({Fault.RATE_LIMIT, Fault.UNAVAILABLE, Fault.TIMEOUT, Fault.PROTOCOL})
"""Faults that may be gone when the same request is made again, or is made of another connection."""


class ProviderException(OffhookError):  # noqa: N818 - the owner's name for it
    """An engine failed us.

    `fault` says in what way, where that is known. `retryable` says whether the same request may succeed if it is made
    again: unless told otherwise, what `fault` implies. `setting` names the environment variable an operator should look
    at, where there is one; `request_id` is the vendor's, for its support; `retry_after_s` what the vendor asks us to
    wait. Keys and caller data never go into the message.
    """

    def __init__(
        self,
        message: str = "",
        *,
        provider: str = "",
        operation: str = "",
        fault: Fault | None = None,
        status: int | None = None,
        retryable: bool | None = None,
        setting: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.operation = operation
        self.fault = fault
        self.status = status
        self.retryable = fault in PASSING if retryable is None else retryable
        self.setting = setting
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        """Who failed at what and how, what to look at, and the vendor's name for the request."""
        who = " ".join(filter(None, (self.provider, self.operation)))
        asides = [f"look at {self.setting}"] if self.setting else []
        asides += [f"request {self.request_id}"] if self.request_id else []
        text = f"{who}: {self.message}" if who else self.message
        return f"{text} ({', '.join(asides)})" if asides else text


class TranscriptionError(ProviderException):
    """Speech could not be turned into text."""


class TTSError(ProviderException):
    """Text could not be turned into speech."""


class LLMError(ProviderException):
    """The language model gave no usable reply."""
