"""Errors of every vendor's shape, told apart. (Those of real clients are in test_reply_over_http.)"""

from types import SimpleNamespace

import pytest

from agent.failures import llm_error
from providers.errors import Fault


class _HubError(Exception):
    """Hugging Face's and httpx's shape: the status is the response's."""

    def __init__(self, status: int) -> None:
        super().__init__("secret")
        self.response = SimpleNamespace(status_code=status, headers={})


class _StreamError(Exception):
    """OpenAI's shape of an error in the middle of a stream."""

    def __init__(self, code: object) -> None:
        super().__init__("secret")
        self.body = {"code": code, "message": "secret"}


@pytest.mark.parametrize(
    ("error", "fault", "status", "setting"),
    [
        (_HubError(402), Fault.QUOTA, 402, "HF_TOKEN"),
        (_HubError(404), Fault.BAD_REQUEST, 404, "HF_MODEL"),
        (_HubError(500), Fault.UNAVAILABLE, 500, ""),
        (Exception("[403] Forbidden\nsecret"), Fault.AUTHENTICATION, 403, "HF_TOKEN"),
        (Exception("[40] secret"), Fault.PROTOCOL, None, ""),
        (_StreamError("insufficient_quota"), Fault.QUOTA, None, "HF_TOKEN"),
        (_StreamError("rate_limit_exceeded"), Fault.RATE_LIMIT, None, ""),
        (_StreamError(503), Fault.UNAVAILABLE, 503, ""),
        (_StreamError(None), Fault.PROTOCOL, None, ""),
        (ConnectionRefusedError("secret"), Fault.UNAVAILABLE, None, ""),
        (TimeoutError("secret"), Fault.TIMEOUT, None, ""),
        (KeyError("secret"), Fault.PROTOCOL, None, ""),
    ],
)
def test_errors_are_told_apart(error: Exception, fault: Fault, status: int | None, setting: str) -> None:
    ours = llm_error(error, "huggingface")
    assert (ours.fault, ours.status, ours.setting) == (fault, status, setting)
    lasts = (Fault.QUOTA, Fault.BAD_REQUEST, Fault.AUTHENTICATION)
    assert ours.retryable == (fault not in lasts)
    assert (ours.provider, ours.operation) == ("huggingface", "reply")
    assert "secret" not in str(ours)


def test_a_lock_passes() -> None:
    assert llm_error(_HubError(409), "huggingface").retryable


@pytest.mark.parametrize(
    ("headers", "request_id", "wait_s"),
    [
        ({}, "", None),
        ({"retry-after": "7", "x-request-id": "req_1"}, "req_1", 7.0),
        ({"retry-after-ms": "1500", "retry-after": "2", "nvcf-reqid": "0-1"}, "0-1", 1.5),
        ({"retry-after": "soon", "x-request-id": "what the caller said"}, "", None),
    ],
)
def test_what_the_server_says_beside_is_told(headers: dict[str, str], request_id: str, wait_s: float | None) -> None:
    error = _HubError(429)
    error.response.headers = headers
    ours = llm_error(error, "openai")
    assert (ours.request_id, ours.retry_after_s) == (request_id, wait_s)


def test_a_model_of_ones_own_may_fail_in_its_own_code() -> None:
    ours = llm_error(KeyError("secret"), "package.module:Name")
    assert (ours.fault, ours.retryable) == (None, False)
    assert "secret" not in str(ours)


def test_a_model_of_ones_own_is_looked_up_in_the_provider_setting() -> None:
    assert llm_error(_HubError(401), "package.module:Name").setting == "LLM_PROVIDER"


def test_what_the_server_asks_us_to_wait_is_told() -> None:
    error = _HubError(429)
    assert (llm_error(error, "openai").fault, llm_error(error, "openai").retry_after_s) == (Fault.RATE_LIMIT, None)
    error.response.headers = {"retry-after": "7"}
    assert llm_error(error, "openai").retry_after_s == 7.0
