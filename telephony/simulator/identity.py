"""Who a simulated call is between, and the form fields with which Twilio says so."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

type Form = dict[str, str]

_PLACES = ("City", "State", "Zip", "Country")


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """One call. SIDs are two letters and 32 hexadecimal digits; numbers are E.164 with a plus."""

    call_sid: str
    account_sid: str
    caller: str
    called: str
    direction: str = "inbound"


def voice_form(identity: CallIdentity, status: str) -> Form:
    """The fields of every voice request; places the carrier does not know are sent, but empty."""
    form = {
        "AccountSid": identity.account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": identity.call_sid,
        "CallStatus": status,
        "Called": identity.called,
        "Caller": identity.caller,
        "Direction": identity.direction,
        "From": identity.caller,
        "To": identity.called,
    }
    for party in ("Called", "Caller", "From", "To"):
        form |= {f"{party}{place}": "" for place in _PLACES}
    return form


def status_form(identity: CallIdentity, status: str, duration_s: float, at: datetime) -> Form:
    """The fields of the one status callback that a number sends, when the call is over. `at` is in UTC."""
    return voice_form(identity, status) | {
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "0",
        "Timestamp": format_datetime(at),
        "CallDuration": str(round(duration_s)),
        "Duration": str(-int(-duration_s // 60)),
    }


def dial_form(identity: CallIdentity, status: str, dial_call_sid: str, duration_s: float) -> Form:
    """The fields of a `<Dial action>` request, the caller still being on the line."""
    bridged = status in ("completed", "answered")
    form = voice_form(identity, "in-progress") | {
        "DialCallStatus": status,
        "DialCallSid": dial_call_sid,
        "DialBridged": "true" if bridged else "false",
    }
    return form | {"DialCallDuration": str(round(duration_s))} if bridged else form


def stream_form(identity: CallIdentity, stream_sid: str, name: str, event: str, at: datetime, error: str = "") -> Form:
    """The fields of a stream's status callback; `event` is stream-started, stream-stopped or stream-error."""
    form = {
        "AccountSid": identity.account_sid,
        "CallSid": identity.call_sid,
        "StreamSid": stream_sid,
        "StreamName": name or stream_sid,
        "StreamEvent": event,
        "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
    }
    return form | {"StreamError": error} if error else form
