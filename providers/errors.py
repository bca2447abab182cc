"""The error tree: whose fault it was, and what to do about it.

    OffhookError
    ├── ConfigurationError (also a ValueError)   the operator's: every problem found, each naming its setting
    └── ProviderException                        the engine's: provider, operation, status, retryable
        ├── TranscriptionError                   speech to text
        ├── TTSError                             text to speech
        └── LLMError                             the language model

Errors of a peer on the line (malformed messages, refused requests) live with the line, in `telephony`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


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


class ProviderException(OffhookError):  # noqa: N818 - the owner's name for it
    """An engine failed us.

    `retryable` says whether the same request may succeed if it is made again; `setting` names the environment
    variable an operator should look at, where there is one. Keys and caller data never go into the message.
    """

    def __init__(
        self,
        message: str = "",
        *,
        provider: str = "",
        operation: str = "",
        status: int | None = None,
        retryable: bool = False,
        setting: str = "",
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.operation = operation
        self.status = status
        self.retryable = retryable
        self.setting = setting


class TranscriptionError(ProviderException):
    """Speech could not be turned into text."""


class TTSError(ProviderException):
    """Text could not be turned into speech."""


class LLMError(ProviderException):
    """The language model gave no usable reply."""
