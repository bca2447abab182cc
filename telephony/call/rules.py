"""The thresholds and the fixed phrases of a conversation, as one value."""

from dataclasses import dataclass, field

from telephony.call.endpointing import EndpointingRules
from telephony.call.intrusion import IntrusionRules


@dataclass(frozen=True, slots=True)
class CallRules:
    """Every number a call turns on. Durations are in seconds."""

    greeting: str = "Hello, how can I help you?"
    greeting_interruptible: bool = True
    notice: str = ""
    """Said after the greeting and never interrupted, such as what the law wants said."""
    not_understood: str = "Sorry, I didn't catch that. Could you say it again?"
    still_there: str = "Are you still there?"
    holding: str = "One moment, please."
    apology: str = "I'm sorry, something went wrong on my side. Could you say that again?"
    defeat: str = "I'm sorry, I cannot go on with this call."
    returned: str = "I'm sorry, nobody could take your call. Is there anything else I can do?"
    """Greets a caller who could not be put through."""
    resumed: str = "I'm sorry, I lost you for a moment. Please go on."
    """Said to a caller whose call was cut off between one turn and the next."""
    goodbye: str = "Goodbye."
    silent_goodbye: str = "I cannot hear you any more, so I will hang up now. Goodbye."

    endpointing: EndpointingRules = field(default_factory=EndpointingRules)
    """How long a silence ends the caller's turn, given what they said."""
    transcribe_at_pause: bool = True
    """Recognise at the first short silence, for an engine that needs the whole utterance first."""
    speculate: bool = True
    """Start the reply at the first short silence, and keep it unheard until the turn is over."""
    most_guesses: int = 5
    """Replies started so in one turn; each that was in vain has cost what the model wrote."""
    longest_turn_s: float = 60.0
    transcript_limit_s: float = 5.0
    """Longest wait for the recogniser after the caller has finished."""

    intrusion: IntrusionRules = field(default_factory=IntrusionRules)
    """What of that takes the turn."""
    barge_in_s: float = 0.15
    """How long the caller must talk over the bot to silence it."""
    hold_limit_s: float = 20.0
    """Longest the bot's voice is held back for a caller who talks over it."""
    least_speech_s: float = 0.3
    """Shorter sounds that gave no words are not worth asking about."""

    holding_after_s: float = 2.5
    """Silence of ours after which the caller is told to hold on, once a turn."""
    reply_limit_s: float = 12.0
    """Longest wait for the reply's next sentence; the reply has shorter limits of its own."""
    defeats: int = 2
    """Replies given up in a row before the call is."""
    playback_limit_s: float = 90.0
    """Longest a single sentence may go unheard before it is given up."""
    voice_failures: int = 3
    """Sentences the voice may fail to say, with nothing heard between, before the call is given up."""
    fallback_number: str = ""
    """Where a caller is put through to when the bot cannot go on; if empty the call ends."""

    caller_silence_s: float = 10.0
    """Silence after which the caller is asked whether they are there."""
    reprompts: int = 2
    keys_interrupt: bool = True
    key_pause_s: float = 2.0
    """Pause that ends a run of keys."""
    key_length: int | None = None
    """So many keys end it at once."""
    key_terminator: str = "#"
    most_turns: int = 200
    longest_call_s: float = 3600.0
    parting_s: float = 15.0
    """Time for a goodbye once the call has reached its limit."""
