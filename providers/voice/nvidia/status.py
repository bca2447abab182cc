"""How a gRPC call that failed reads as one of our errors. https://grpc.github.io/grpc/core/md_doc_statuscodes.html"""

from collections.abc import Mapping

from google.protobuf.message import DecodeError

from providers.errors import Fault, ProviderException
from providers.voice.nvidia import speech_pb2 as speech
from providers.voice.remote.service import Service

FAULTS = {
    "UNAUTHENTICATED": Fault.AUTHENTICATION,
    "PERMISSION_DENIED": Fault.AUTHENTICATION,
    "RESOURCE_EXHAUSTED": Fault.RATE_LIMIT,
    "INVALID_ARGUMENT": Fault.BAD_REQUEST,
    "NOT_FOUND": Fault.BAD_REQUEST,
    "UNIMPLEMENTED": Fault.BAD_REQUEST,
    "FAILED_PRECONDITION": Fault.BAD_REQUEST,
    "OUT_OF_RANGE": Fault.BAD_REQUEST,
    "DEADLINE_EXCEEDED": Fault.TIMEOUT,
    "DATA_LOSS": Fault.PROTOCOL,
}
"""By the name of the status; any other may pass."""
REQUEST_ID = "nvcf-reqid"
_SETTINGS = {
    ("stt", "NOT_FOUND"): "NVIDIA_SPEECH_STT_FUNCTION_ID",
    ("tts", "NOT_FOUND"): "NVIDIA_SPEECH_TTS_FUNCTION_ID",
    ("stt", "INVALID_ARGUMENT"): "NVIDIA_SPEECH_STT_MODEL",
    ("tts", "INVALID_ARGUMENT"): "NVIDIA_SPEECH_VOICE",
    ("stt", "UNIMPLEMENTED"): "NVIDIA_SPEECH_TARGET",
    ("tts", "UNIMPLEMENTED"): "NVIDIA_SPEECH_TTS_TARGET",
}
_DROPPED = "START"
"""What the server says of a call whose audio had stopped for so long that its model let go of it: it was to start."""


def failure(service: Service, code: str, details: str, trailers: Mapping[str, str | bytes]) -> ProviderException:
    """The error for a call that ended, with this status, before it should. `details` may quote the caller."""
    if code == "OK":
        return service.error(Fault.UNAVAILABLE, "the service ended the call early")
    if code == "INVALID_ARGUMENT" and _DROPPED in details:
        code = "ABORTED"
    request_id = trailers.get(service.request_id_header, "")
    return service.failed(
        code,
        request_id if isinstance(request_id, str) else "",
        setting=_SETTINGS.get((service.operation, code), ""),
        retry_after_s=_retry_after_s(trailers.get("grpc-status-details-bin", b"")),
    )


def _retry_after_s(details: str | bytes) -> float | None:
    """What a `google.rpc.RetryInfo` among the details asks us to wait; None if there is none that can be read."""
    if isinstance(details, str):
        return None
    try:
        for detail in speech.Status.FromString(details).details:
            if detail.type_url.endswith("/google.rpc.RetryInfo"):
                delay: speech.Duration = speech.RetryInfo.FromString(detail.value).retry_delay
                return max(0.0, delay.seconds + delay.nanos / 1e9)
    except DecodeError:
        pass
    return None
