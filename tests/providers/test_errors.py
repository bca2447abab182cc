import pytest

from providers.errors import (
    ConfigurationError,
    Fault,
    LLMError,
    OffhookError,
    Problem,
    ProviderException,
    TranscriptionError,
    TTSError,
)


def test_a_configuration_error_tells_every_problem_and_is_a_value_error() -> None:
    error = ConfigurationError([Problem("PORT", "is not a number"), Problem("HOST", "is missing")])
    assert isinstance(error, OffhookError)
    assert isinstance(error, ValueError)
    assert [problem.variable for problem in error.problems] == ["PORT", "HOST"]
    assert str(error) == "PORT: is not a number\nHOST: is missing"


def test_a_single_problem_needs_no_list() -> None:
    assert ConfigurationError.of("PORT", "is taken").problems == (Problem("PORT", "is taken"),)


@pytest.mark.parametrize("kind", [TranscriptionError, TTSError, LLMError])
def test_every_engine_failure_is_a_provider_exception(kind: type[ProviderException]) -> None:
    error = kind("busy", provider="acme", operation="speak", status=503, retryable=True, setting="ACME_URL")
    assert isinstance(error, ProviderException)
    assert isinstance(error, OffhookError)
    assert str(error) == "acme speak: busy (look at ACME_URL)"
    assert (error.message, error.provider, error.operation, error.status) == ("busy", "acme", "speak", 503)
    assert (error.retryable, error.setting) == (True, "ACME_URL")


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_says_whether_asking_again_may_help_unless_told_otherwise(fault: Fault) -> None:
    lasts = fault in (Fault.AUTHENTICATION, Fault.QUOTA, Fault.BAD_REQUEST)
    assert ProviderException(fault=fault).retryable == (not lasts)
    assert ProviderException(fault=fault, retryable=lasts).retryable == lasts


def test_a_failure_may_say_nothing() -> None:
    error = ProviderException()
    assert (str(error), error.provider, error.status, error.retryable) == ("", "", None, False)
