"""The business file's say in how a call is led."""

from agent.business import load_business, parse_business
from telephony.call.rules import CallRules
from telephony.persona import call_rules

FILE = """
name: Snip
timezone: Europe/London
greeting: Snip, good day.
greeting_interruptible: false
notice: This call is recorded.
goodbye: Goodbye from Snip!
hours: {monday: closed, tuesday: closed, wednesday: closed, thursday: closed, friday: closed, saturday: closed,
  sunday: closed}
transfer: {owner: +44 20 7946 0018}
fallback: owner
phrases: {not_understood: "Pardon?", still_there: "Hello?", holding: Wait., apology: Sorry., silent_goodbye: Bye.}
limits: {longest_call_minutes: 2, most_turns: 5, caller_silence_seconds: 4, reprompts: 0}
keypad: {interrupts: false, pause_seconds: 1, length: 4, terminator: "*"}
"""


def test_what_the_file_says_is_the_rule() -> None:
    rules = call_rules(parse_business(FILE), 0.5, streaming_stt=True)

    assert (rules.greeting, rules.greeting_interruptible, rules.notice) == (
        "Snip, good day.",
        False,
        "This call is recorded.",
    )
    assert (rules.goodbye, rules.silent_goodbye) == ("Goodbye from Snip!", "Bye.")
    assert (rules.not_understood, rules.still_there, rules.holding, rules.apology) == (
        "Pardon?",
        "Hello?",
        "Wait.",
        "Sorry.",
    )
    assert (rules.longest_call_s, rules.most_turns, rules.caller_silence_s, rules.reprompts) == (120, 5, 4, 0)
    assert (rules.keys_interrupt, rules.key_pause_s, rules.key_length, rules.key_terminator) == (False, 1, 4, "*")
    assert rules.fallback_number == "+44 20 7946 0018"
    assert not rules.transcribe_at_pause


def test_what_the_file_leaves_open_is_as_the_line_has_it() -> None:
    business = load_business()
    rules = call_rules(business, 0.5, streaming_stt=False)

    assert rules == CallRules(
        greeting=business.greeting, goodbye=business.goodbye, fallback_number=rules.fallback_number
    )


def test_the_operators_silence_moves_all_three() -> None:
    endpointing = call_rules(load_business(), 1.0, streaming_stt=False).endpointing

    assert (endpointing.short_s, endpointing.normal_s, endpointing.long_s) == (0.6, 1.0, 1.7)
