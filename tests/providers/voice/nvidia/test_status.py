import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Fault, ProviderException, TranscriptionError
from providers.voice.nvidia.status import FAULTS, REQUEST_ID, failure
from providers.voice.remote.service import Service
from tests.fakes.protobuf import message

HEARS, SPEAKS = (
    Service(
        provider="nvidia",
        operation=operation,
        setting="NVIDIA_API_KEY",
        request_id_header=REQUEST_ID,
        code_faults=FAULTS,
    )
    for operation in ("stt", "tts")
)


def details(type_url: str, delay: bytes) -> bytes:
    other = message(_1="type.googleapis.com/google.rpc.Help", _2=b"\x0a\x00")
    return message(_1=8, _2="too much", _3=[other, message(_1=type_url, _2=message(_1=delay))])


def refused(code: str, said: str = "", **trailers: str | bytes) -> ProviderException:
    return failure(HEARS, code, said, {name.replace("_", "-"): value for name, value in trailers.items()})


@pytest.mark.parametrize(
    ("code", "fault", "setting"),
    [
        ("UNAUTHENTICATED", Fault.AUTHENTICATION, "NVIDIA_API_KEY"),
        ("PERMISSION_DENIED", Fault.AUTHENTICATION, "NVIDIA_API_KEY"),
        ("NOT_FOUND", Fault.BAD_REQUEST, "NVIDIA_SPEECH_STT_FUNCTION_ID"),
        ("INVALID_ARGUMENT", Fault.BAD_REQUEST, "NVIDIA_SPEECH_STT_MODEL"),
        ("RESOURCE_EXHAUSTED", Fault.RATE_LIMIT, ""),
        ("UNAVAILABLE", Fault.UNAVAILABLE, ""),
        ("INTERNAL", Fault.UNAVAILABLE, ""),
        ("DEADLINE_EXCEEDED", Fault.TIMEOUT, ""),
        ("OK", Fault.UNAVAILABLE, ""),
    ],
)
def test_a_status_is_a_fault_and_a_setting_to_look_at(code: str, fault: Fault, setting: str) -> None:
    error = refused(code)
    assert isinstance(error, TranscriptionError)
    assert (error.fault, error.setting) == (fault, setting)


def test_each_direction_has_settings_of_its_own() -> None:
    assert failure(SPEAKS, "NOT_FOUND", "", {}).setting == "NVIDIA_SPEECH_TTS_FUNCTION_ID"
    assert failure(SPEAKS, "INVALID_ARGUMENT", "", {}).setting == "NVIDIA_SPEECH_VOICE"


def test_a_call_that_its_model_let_go_of_may_be_made_again() -> None:
    error = refused("INVALID_ARGUMENT", "sequence 17 must specify the START flag on the first request")
    assert error.fault is Fault.UNAVAILABLE


def test_what_the_server_says_is_not_repeated_but_its_name_for_the_request() -> None:
    error = refused("INVALID_ARGUMENT", "cannot speak 'my secret'", nvcf_reqid="r-17")
    assert "secret" not in f"{error} {error!r}"
    assert error.request_id == "r-17"


def test_the_server_may_say_how_long_to_wait() -> None:
    asked = details("type.googleapis.com/google.rpc.RetryInfo", message(_1=7, _2=500_000_000))
    assert refused("RESOURCE_EXHAUSTED", grpc_status_details_bin=asked).retry_after_s == 7.5


@pytest.mark.parametrize(
    "trailer", [b"", b"{no protobuf", "text", details("type.googleapis.com/google.rpc.Other", message(_1=7))]
)
def test_without_a_readable_wait_none_is_told(trailer: str | bytes) -> None:
    assert refused("RESOURCE_EXHAUSTED", grpc_status_details_bin=trailer).retry_after_s is None


@given(st.text(), st.text(), st.binary(), st.binary())
def test_whatever_a_server_ends_with_is_one_of_our_errors(code: str, said: str, trailer: bytes, delay: bytes) -> None:
    for data in (trailer, details("x/google.rpc.RetryInfo", delay)):
        error = refused(code, said, grpc_status_details_bin=data, nvcf_reqid=trailer)
        assert error.request_id == ""
        assert error.retry_after_s is None or error.retry_after_s >= 0
