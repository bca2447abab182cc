"""Everything that makes one simulated call differ from another."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from telephony.simulator.caller import Step

type DialOutcome = Literal["completed", "answered", "busy", "no-answer", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class DialPlan:
    """What becomes of every `<Dial>`: its DialCallStatus, and how long ringing and talking take together."""

    outcome: DialOutcome = "completed"
    duration_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """One call. `url` is the number's voice webhook, `auth_token` signs what is sent to it.

    `wav_path` is where the recording goes, `max_call_s` when the carrier ends a call that nobody ends. The event feed
    of a server that has none is no error. Numbers are E.164; the defaults are Twilio's own for tests.
    """

    url: str
    auth_token: str = field(repr=False)
    account_sid: str
    steps: tuple[Step, ...] = ()
    caller_number: str = "+15005550006"
    called_number: str = "+15005550001"
    status_callback_url: str = ""
    fallback_url: str = ""
    wav_path: Path | None = None
    patience_s: float = 0.7
    answer_timeout_s: float = 20.0
    max_call_s: float = 300.0
    dial: DialPlan = DialPlan()
    asks_after_drop: bool = True
    """Whether `action` is asked after a stream that broke, which of the real Twilio nobody has confirmed.

    If not, the call waits in silence for the REST API, and is ended when nothing comes for `drop_patience_s`."""
    drop_patience_s: float = 10.0
    follow_feed: bool = True
