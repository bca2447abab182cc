"""What happens in a simulated call, as facts in the order in which they became known.

`at_s` counts seconds from the moment the call was placed. Instants of sound are those at which it was on the line:
speech that has ended is reported a little after the `at_s` at which it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.simulator.carrier import LineStats


@dataclass(frozen=True, slots=True)
class WebhookAnswered:
    """The server answered a request for TwiML; `verbs` names what it ordered, and is empty for a fault."""

    at_s: float
    took_ms: float
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamOpened:
    at_s: float
    stream_sid: str


@dataclass(frozen=True, slots=True)
class Lateness:
    """How far behind its schedule the simulator sent its frames: what it adds to every latency it measures."""

    frames: int = 0
    mean_ms: float = 0.0
    worst_ms: float = 0.0
    late_frames: int = 0  # by more than 10 ms, half a frame


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """`by` is caller, server or carrier; `close_code` is the server's, 1006 for a connection that was lost."""

    at_s: float
    by: str
    close_code: int | None
    stats: LineStats
    lateness: Lateness


@dataclass(frozen=True, slots=True)
class CallerSpeaking:
    at_s: float
    text: str
    barge_in: bool


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """The caller's last word was on the line at `at_s`, exactly: the simulator sent it."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class CallerPressed:
    at_s: float
    digit: str


@dataclass(frozen=True, slots=True)
class BotAudioArrived:
    """Audio reached the carrier while it had nothing to play."""

    at_s: float


@dataclass(frozen=True, slots=True)
class BotSpeaking:
    """The caller begins to hear the bot."""

    at_s: float


@dataclass(frozen=True, slots=True)
class BotQuiet:
    """The caller heard the last of it."""

    at_s: float


@dataclass(frozen=True, slots=True)
class PlaybackCleared:
    """The bot took back what had not been played."""

    at_s: float
    dropped_ms: float


@dataclass(frozen=True, slots=True)
class CarrierSpoke:
    """Twilio's own voice read a `<Say>` to the caller."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class CarrierPlayed:
    """Twilio played a sound or keys: `what` is the `<Play>`'s URL or digits."""

    at_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """The call was handed on with `<Dial>`; `outcome` is the DialCallStatus."""

    at_s: float
    numbers: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What Twilio's debugger would show: an error or a warning by its number."""

    at_s: float
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class BotReported:
    """A line of the server's own event feed, its time moved to ours. `turn` is the server's count."""

    at_s: float
    kind: str
    turn: int
    fields: Mapping[str, object]

    def text(self, name: str = "text") -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """`status` is the CallStatus that the status callback carries."""

    at_s: float
    reason: str
    status: str


type Event = (
    WebhookAnswered
    | StreamOpened
    | StreamClosed
    | CallerSpeaking
    | CallerSpoke
    | CallerPressed
    | BotAudioArrived
    | BotSpeaking
    | BotQuiet
    | PlaybackCleared
    | CarrierSpoke
    | CarrierPlayed
    | Dialled
    | Warned
    | BotReported
    | CallEnded
)
