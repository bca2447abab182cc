"""From the business file to the rules of a call: what the file leaves open is as the line has it."""

from typing import Any

from agent.business import Business
from telephony.call.endpointing import EndpointingRules
from telephony.call.rules import CallRules


def call_rules(business: Business, turn_end_silence_s: float, *, streaming_stt: bool) -> CallRules:
    """The rules of this business's calls; `turn_end_silence_s` is the operator's normal end of a turn."""
    limits, keypad, phrases = business.limits, business.keypad, business.phrases
    minutes = limits.longest_call_minutes
    chosen: dict[str, Any] = {
        "not_understood": phrases.not_understood,
        "still_there": phrases.still_there,
        "holding": phrases.holding,
        "apology": phrases.apology,
        "silent_goodbye": phrases.silent_goodbye,
        "longest_call_s": None if minutes is None else minutes * 60,
        "most_turns": limits.most_turns,
        "caller_silence_s": limits.caller_silence_seconds,
        "reprompts": limits.reprompts,
        "keys_interrupt": keypad.interrupts,
        "key_pause_s": keypad.pause_seconds,
        "key_length": keypad.length,
        "key_terminator": keypad.terminator,
    }
    return CallRules(
        greeting=business.greeting,
        greeting_interruptible=business.greeting_interruptible,
        notice=business.notice,
        goodbye=business.goodbye,
        endpointing=EndpointingRules.around(turn_end_silence_s),
        fallback_number="" if business.fallback is None else business.transfer[business.fallback],
        transcribe_at_pause=not streaming_stt,
        **{name: value for name, value in chosen.items() if value is not None},
    )
