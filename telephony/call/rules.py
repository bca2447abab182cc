"""The thresholds and the fixed phrases of a conversation, as one value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallRules:
    """Every number a call turns on. Durations are in seconds."""

    greeting: str = "Hello, how can I help you?"
    not_understood: str = "Sorry, I didn't catch that. Could you say it again?"
    still_there: str = "Are you still there?"
    apology: str = "I'm sorry, something went wrong on my side. Could you say that again?"
    goodbye: str = "Goodbye."

    turn_end_silence_s: float = 0.5
    """Silence after which the caller has finished."""
    transcribe_at_pause: bool = True
    """Recognise at the first short silence, for an engine that needs the whole utterance first."""
    barge_in_s: float = 0.2
    """How long the caller must talk over the bot to take the turn."""
    least_speech_s: float = 0.3
    """Shorter sounds that gave no words are not worth asking about."""
    longest_turn_s: float = 60.0
    transcript_limit_s: float = 8.0
    """Longest wait for the recogniser after the caller has finished."""
    reply_limit_s: float = 15.0
    """Longest wait for the reply's next sentence."""
    playback_limit_s: float = 90.0
    """Longest a single sentence may go unheard before it is given up."""
    voice_failures: int = 3
    """Sentences the voice may fail to say, with nothing heard between, before the call is given up."""
    caller_silence_s: float = 10.0
    """Silence after which the caller is asked whether they are there."""
    reprompts: int = 2
    key_pause_s: float = 2.0
    """Pause that ends a run of keys; `#` ends it at once."""
    longest_call_s: float = 3600.0
