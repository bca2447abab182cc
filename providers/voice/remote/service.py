"""A service as its failures see it: who it is, what was asked of it, and which setting an operator should look at."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import orjson
from pydantic import BaseModel, ValidationError

from providers.errors import Fault, ProviderException, TranscriptionError, TTSError

_ERRORS = {"stt": TranscriptionError, "tts": TTSError}
_KEY_FAULTS = (Fault.AUTHENTICATION, Fault.QUOTA)
_STATUS_FAULTS = {
    401: Fault.AUTHENTICATION,
    402: Fault.QUOTA,
    403: Fault.AUTHENTICATION,
    408: Fault.TIMEOUT,
    425: Fault.UNAVAILABLE,
    429: Fault.RATE_LIMIT,
    504: Fault.TIMEOUT,
}
_CODES = (("error", "code"), ("error", "type"), ("err_code",), ("error_code",), ("detail", "status"), ("code",))
_REQUEST_IDS = (("request_id",),)
_CODE = re.compile(r"(?=.{1,48}$)([A-Za-z]{1,24}\d{0,2}|\d{1,6})([_.-]([A-Za-z]{1,24}\d{0,2}|\d{1,6}))*")
"""Words and short numbers: no key looks like that, and no sentence of a caller."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_CLOSE_FAULTS = {
    1002: Fault.PROTOCOL,
    1003: Fault.BAD_REQUEST,
    1007: Fault.BAD_REQUEST,
    1008: Fault.BAD_REQUEST,
    1009: Fault.BAD_REQUEST,
}
"""WebSocket close codes that are somebody's mistake; after any other the service is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a vendor, for one direction.

    `operation` is "stt" or "tts"; `setting` names the variable that holds the key, `request_id_header` the response
    header that names the request; `close_faults` are the vendor's own WebSocket close codes, `code_faults` its own
    error codes or names, both for what the standard ones do not tell.
    """

    provider: str
    operation: str
    setting: str
    request_id_header: str = "x-request-id"
    close_faults: Mapping[int, Fault] = field(default_factory=dict)
    code_faults: Mapping[str, Fault] = field(default_factory=dict)

    def error(
        self,
        fault: Fault,
        message: str,
        *,
        status: int | None = None,
        setting: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> ProviderException:
        """An error of this service. `message` is ours: a vendor's words may quote the caller.

        `setting` is what to look at, if it is not the key that does not do.
        """
        kind = _ERRORS.get(self.operation, ProviderException)
        return kind(
            message,
            provider=self.provider,
            operation=self.operation,
            fault=fault,
            status=status,
            setting=setting or (self.setting if fault in _KEY_FAULTS else ""),
            request_id=request_id,
            retry_after_s=retry_after_s,
        )

    def refused(
        self, status: int, headers: Mapping[str, str], body: bytes = b"", now_epoch_s: float = 0.0
    ) -> ProviderException:
        """An HTTP answer other than success; of the body only the vendor's names for failure and request are taken."""
        code = _named(body, _CODES, _CODE)
        fault = self.code_faults.get(code) or fault_of(status)
        said = f", {code}" if code else ""
        return self.error(
            fault,
            f"the service answered {status} ({fault}{said})",
            status=status,
            request_id=_quoted(headers.get(self.request_id_header), _ID) or _named(body, _REQUEST_IDS, _ID),
            retry_after_s=retry_after_s(headers, now_epoch_s),
        )

    def closed(self, code: int) -> ProviderException:
        """The service closed the WebSocket before its work was done; 1006 stands for a connection that broke."""
        fault = self.close_faults.get(code) or _CLOSE_FAULTS.get(code, Fault.UNAVAILABLE)
        return self.error(fault, f"the connection broke (close code {code})", status=code)

    def garbled(self, what: str) -> ProviderException:
        """The service sent something it should not have sent; `what` quotes nothing of it."""
        return self.error(Fault.PROTOCOL, f"cannot read what the service sent: {what}")

    def silent(self, limit_s: float) -> ProviderException:
        """The service did not answer in time."""
        return self.error(Fault.TIMEOUT, f"no answer within {limit_s:g} s")

    def failed(
        self, code: str, request_id: str = "", *, setting: str = "", retry_after_s: float | None = None
    ) -> ProviderException:
        """The service told of a failure in a message of its own, under this code or name; unknown ones may pass."""
        return self.error(
            self.code_faults.get(code, Fault.UNAVAILABLE),
            f"the service reports an error ({_quoted(code, _CODE) or 'unnamed'})",
            setting=setting,
            request_id=request_id,
            retry_after_s=retry_after_s,
        )

    def decoded(self, frame: str | bytes) -> dict[str, object]:
        """A text frame as the JSON object it must be; raises `ProviderException` for anything else."""
        try:
            message: object = orjson.loads(frame)
        except orjson.JSONDecodeError:
            raise self.garbled("no JSON") from None
        if not isinstance(message, dict):
            raise self.garbled("no JSON object")
        return message

    def read[M: BaseModel](self, model: type[M], message: object) -> M:
        """A decoded message as what it should be; raises `ProviderException` if it is not."""
        try:
            return model.model_validate(message)
        except ValidationError as error:
            fields = {".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False)}
            raise self.garbled(f"{model.__name__} with a bad {' and '.join(sorted(fields))}") from None


def fault_of(status: int) -> Fault:
    """What an HTTP status other than success means, where nothing else is known."""
    return _STATUS_FAULTS.get(status) or (Fault.UNAVAILABLE if status >= 500 else Fault.BAD_REQUEST)


def _named(body: bytes, paths: Iterable[Sequence[str]], form: re.Pattern[str]) -> str:
    """A vendor's name for something, where the vendors put it in the body of an answer."""
    try:
        message: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    for path in paths:
        found = message
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if name := _quoted(found, form):
            return name
    return ""


def _quoted(name: object, form: re.Pattern[str]) -> str:
    """A code or name if it may be quoted, else nothing."""
    text = str(name) if isinstance(name, (str, int)) else ""
    return text if form.fullmatch(text) else ""


def retry_after_s(headers: Mapping[str, str], now_epoch_s: float = 0.0) -> float | None:
    """What `Retry-After` asks us to wait, in seconds; None if it is not there or cannot be read (RFC 9110, 10.2.3).

    Given as a date it is counted from `now_epoch_s`.
    """
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    if _WHOLE_NUMBER.fullmatch(milliseconds):
        return int(milliseconds) / 1000
    if _WHOLE_NUMBER.fullmatch(value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_epoch_s) if value else None
    except (ValueError, OverflowError):
        return None
