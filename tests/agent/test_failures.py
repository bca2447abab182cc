"""Errors of every vendor's shape, told apart. (Those of real clients are in test_reply_over_http.)"""

from types import SimpleNamespace

import pytest

from agent.failures import llm_error
from providers.errors import Fault


class _HubError(Exception):
    """Hugging Face's and httpx's shape: the status is the response's."""

    def __init__(self, status: int) -> None:
        super().__init__("secret")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "status", "retryable", "setting"),
    [
        (_HubError(402), 402, False, "HF_TOKEN"),
        (_HubError(500), 500, True, ""),
        (Exception("[403] Forbidden\nsecret"), 403, False, "HF_TOKEN"),
        (Exception("[40] secret"), None, False, ""),
        (ConnectionRefusedError("secret"), None, True, ""),
        (TimeoutError("secret"), None, True, ""),
        (KeyError("secret"), None, False, ""),
    ],
)
def test_errors_are_told_apart(error: Exception, status: int | None, retryable: bool, setting: str) -> None:
    ours = llm_error(error, "huggingface")
    assert (ours.status, ours.retryable, ours.setting) == (status, retryable, setting)
    assert (ours.provider, ours.operation) == ("huggingface", "reply")
    assert "secret" not in str(ours)


def test_a_model_of_ones_own_is_looked_up_in_the_provider_setting() -> None:
    assert llm_error(_HubError(401), "package.module:Name").setting == "LLM_PROVIDER"


def test_what_the_server_asks_us_to_wait_is_told() -> None:
    error = _HubError(429)
    assert (llm_error(error, "openai").fault, llm_error(error, "openai").retry_after_s) == (Fault.RATE_LIMIT, None)
    error.response.headers = {"retry-after": "7"}
    assert llm_error(error, "openai").retry_after_s == 7.0
