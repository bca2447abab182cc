import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.errors import PASSING, Fault, ProviderException, TranscriptionError, TTSError
from providers.voice.remote.service import Service, retry_after_s

SERVICE = Service(
    provider="acme",
    operation="stt",
    setting="ACME_API_KEY",
    request_id_header="acme-id",
    close_faults={4001: Fault.AUTHENTICATION},
    code_faults={"no_money": Fault.QUOTA},
)
KEY = "sk-proj-9fA2kk31LQzPq77bXw"
STATUSES = {
    400: Fault.BAD_REQUEST,
    401: Fault.AUTHENTICATION,
    402: Fault.QUOTA,
    403: Fault.AUTHENTICATION,
    404: Fault.BAD_REQUEST,
    408: Fault.TIMEOUT,
    413: Fault.BAD_REQUEST,
    425: Fault.UNAVAILABLE,
    429: Fault.RATE_LIMIT,
    500: Fault.UNAVAILABLE,
    503: Fault.UNAVAILABLE,
    504: Fault.TIMEOUT,
}


class Greeting(BaseModel):
    text: str
    times: list[float] = []


@pytest.mark.parametrize(("status", "fault"), STATUSES.items())
def test_a_status_says_what_was_wrong(status: int, fault: Fault) -> None:
    error = SERVICE.refused(status, {"acme-id": "r-1"})
    assert isinstance(error, TranscriptionError)
    assert (error.fault, error.status, error.request_id) == (fault, status, "r-1")
    assert error.retryable == (fault in PASSING)
    assert error.setting == ("ACME_API_KEY" if fault in (Fault.AUTHENTICATION, Fault.QUOTA) else "")
    assert str(status) in str(error)


def test_the_operation_chooses_the_class() -> None:
    assert isinstance(Service(provider="a", operation="tts", setting="A").silent(1.0), TTSError)
    assert type(Service(provider="a", operation="other", setting="A").silent(1.0)) is ProviderException


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "no_money"}},
        {"error": {"type": "no_money"}},
        {"err_code": "no_money"},
        {"error_code": "no_money"},
        {"detail": {"status": "no_money"}},
        {"code": "no_money", "error": "a text"},
    ],
)
def test_the_vendors_own_name_wins_over_the_status(body: object) -> None:
    error = SERVICE.refused(400, {}, json.dumps(body).encode())
    assert error.fault is Fault.QUOTA
    assert "no_money" in str(error)


def test_the_request_may_be_named_in_the_body() -> None:
    body = json.dumps({"request_id": "550e8400-e29b-41d4-a716-446655440000"}).encode()
    assert SERVICE.refused(500, {}, body).request_id == "550e8400-e29b-41d4-a716-446655440000"
    assert SERVICE.refused(500, {"acme-id": "r-1"}, body).request_id == "r-1"


@pytest.mark.parametrize("place", ["code", "error_code", "err_code"])
@pytest.mark.parametrize("secret", [KEY, "my name is Ann", "a" * 40 + "1", "9" * 16, "x" * 200])
def test_nothing_is_quoted_that_could_be_a_key_or_a_callers_words(place: str, secret: str) -> None:
    errors = [
        SERVICE.refused(401, {"acme-id": f"{secret} and more"}, json.dumps({place: secret}).encode()),
        SERVICE.failed(secret),
    ]
    for error in errors:
        assert secret not in f"{error} {error!r} {error.__dict__}"


@given(st.integers(100, 599), st.binary() | st.text().map(str.encode))
def test_any_answer_becomes_an_error(status: int, body: bytes) -> None:
    assert SERVICE.refused(status, {}, body).fault in Fault


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (1000, Fault.UNAVAILABLE),
        (1001, Fault.UNAVAILABLE),
        (1002, Fault.PROTOCOL),
        (1003, Fault.BAD_REQUEST),
        (1006, Fault.UNAVAILABLE),
        (1007, Fault.BAD_REQUEST),
        (1008, Fault.BAD_REQUEST),
        (1009, Fault.BAD_REQUEST),
        (1011, Fault.UNAVAILABLE),
        (4001, Fault.AUTHENTICATION),
        (4002, Fault.UNAVAILABLE),
    ],
)
def test_a_close_code_says_what_was_wrong(code: int, fault: Fault) -> None:
    error = SERVICE.closed(code)
    assert (error.fault, error.status) == (fault, code)
    assert str(code) in str(error)


def test_a_failure_is_known_by_its_code_and_otherwise_passes() -> None:
    assert SERVICE.failed("no_money", "r-1").fault is Fault.QUOTA
    assert SERVICE.failed("no_money", "r-1").request_id == "r-1"
    assert SERVICE.failed("NET-0001").fault is Fault.UNAVAILABLE
    assert "NET-0001" in str(SERVICE.failed("NET-0001"))
    assert "unnamed" in str(SERVICE.failed(""))


def test_a_message_is_read_or_garbled_and_its_content_is_not_told() -> None:
    message = SERVICE.decoded('{"text": "hello", "more": 1}')
    assert SERVICE.read(Greeting, message).text == "hello"
    for bad in ({"text": ["Elm Street"]}, {"text": "x", "times": ["Elm Street"]}, 3):
        with pytest.raises(TranscriptionError) as caught:
            SERVICE.read(Greeting, bad)
        assert caught.value.fault is Fault.PROTOCOL
        assert "Elm" not in str(caught.value)


@given(st.text() | st.binary())
def test_a_frame_is_an_object_or_an_error(frame: str | bytes) -> None:
    try:
        assert isinstance(SERVICE.decoded(frame), dict)
    except ProviderException as error:
        assert error.fault is Fault.PROTOCOL  # noqa: PT017 - one of the two, and which is up to the frame


def test_retry_after_is_seconds_or_milliseconds_or_a_date() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    date = format_datetime(now.replace(minute=1), usegmt=True)
    assert retry_after_s({"retry-after": "7"}) == 7.0
    assert retry_after_s({"retry-after-ms": "1500", "retry-after": "2"}) == 1.5
    assert retry_after_s({"retry-after": date}, now.timestamp()) == 60.0
    assert retry_after_s({"retry-after": date}, now.timestamp() + 90) == 0.0
    assert retry_after_s({}) is None


@pytest.mark.parametrize("value", ["soon", "-3", "1.5", "٣", "9" * 5000, "Mon, 99 Foo 2026", "0001-01-01"])
def test_a_retry_after_that_cannot_be_read_is_none(value: str) -> None:
    assert retry_after_s({"retry-after": value, "retry-after-ms": value}) is None


@given(st.text(max_size=40))
def test_any_retry_after_is_a_wait_or_none(value: str) -> None:
    wait_s = retry_after_s({"retry-after": value})
    assert wait_s is None or wait_s >= 0
