"""The call machine: a talk by example, then every order of events that hypothesis can think of."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.call import events
from telephony.call.actions import (
    Action,
    CancelReply,
    ConfirmReply,
    DropPlayback,
    EndReason,
    HangUp,
    HoldPlayback,
    Listen,
    RememberBot,
    RememberCaller,
    ResumePlayback,
    Say,
    StartReply,
    StopListening,
    Transcribe,
    Transfer,
)
from telephony.call.endpointing import EndpointingRules
from telephony.call.machine import CallMachine
from telephony.call.phases import Phase
from telephony.call.rules import CallRules
from tests.telephony.call.driver import RULES, Driver


@pytest.fixture
def call() -> Driver:
    driver = Driver()
    driver.greet()
    return driver


def test_a_call_begins_with_the_greeting_and_then_listens() -> None:
    call = Driver()

    assert call.phase() is Phase.GREETING
    assert call.happen(events.CallStarted()) == [Say(0, 0, RULES.greeting)]
    assert call.phase() is Phase.GREETING
    assert call.hear_all() == [RememberBot(0, RULES.greeting, interrupted=False)]
    assert call.phase() is Phase.LISTENING


def test_a_turn_is_recognised_answered_spoken_and_remembered(call: Driver) -> None:
    assert call.caller_says("When do you open?") == [
        Listen(1),
        Transcribe(1, 1),
        StopListening(1),
        RememberCaller(1, "When do you open?"),
        StartReply(1),
    ]
    assert call.phase() is Phase.THINKING
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == [Say(1, 0, "At noon.")]
    assert call.phase() is Phase.SPEAKING
    assert call.happen(events.SentenceHeard(1, 0)) == []
    assert call.happen(events.ReplyFinished(1)) == [RememberBot(1, "At noon.", interrupted=False)]
    assert call.phase() is Phase.LISTENING


def talk_over(call: Driver, words: str, seconds: float = 0.5) -> list[Action]:
    """The caller says something while the bot speaks; the recogniser answers at once."""
    orders = call.happen(events.SpeechStarted(call.now))
    orders += call.after(seconds)
    orders += call.happen(events.SpeechStopped(call.now))
    return orders + call.words(words)


def test_barge_in_silences_the_bot_and_remembers_the_words_reached(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.happen(events.SentenceGenerated(1, "We make pizza."))
    call.happen(events.SentenceHeard(1, 0))
    call.saying.clear()
    call.happen(events.SentenceGenerated(1, "It is baked in a wood oven."))

    assert talk_over(call, "Stop, please.") == [Listen(2), HoldPlayback(), Transcribe(2, 2)]
    assert call.phase() is Phase.HELD
    assert call.after(0.5) == [
        StopListening(2),
        CancelReply(1),
        DropPlayback(),
        RememberCaller(2, "Stop, please."),
        StartReply(2),
    ]
    assert call.talk[-2:] == ["bot: We make pizza. It is baked —", "caller: Stop, please."]
    assert call.happen(events.SentenceGenerated(1, "Too late.")) == []


def test_the_bot_is_silenced_as_soon_as_the_caller_has_talked_long_enough(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    call.happen(events.SpeechStarted(call.now))

    assert call.after(RULES.barge_in_s - 0.01) == []
    assert call.after(0.01) == [HoldPlayback()]


@pytest.mark.parametrize("words", ["", "Mm-hm.", "Okay.", "We make pizza."])
def test_what_is_no_turn_lets_the_bot_go_on_where_it_was(call: Driver, words: str) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza in a wood oven.", "Every day.")

    assert talk_over(call, words)[-2:] == [StopListening(2), ResumePlayback()]
    assert call.phase() is Phase.SPEAKING
    assert call.hear_all() == [RememberBot(1, "We make pizza in a wood oven. Every day.", interrupted=False)]


def test_a_long_okay_takes_the_turn(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza in a wood oven.")
    talk_over(call, "Okay.", seconds=RULES.intrusion.backchannel_s + 0.1)

    assert call.after(0.5)[-1] == StartReply(2)


def test_a_yes_over_the_question_it_answers_takes_the_turn(call: Driver) -> None:
    call.caller_says("A table, please.")
    call.bot_replies("Would Friday at eight be all right?", "I have Saturday as well.")
    talk_over(call, "Yes.")

    assert call.after(0.5)[-1] == StartReply(2)


def test_a_recogniser_that_fails_while_the_voice_is_held_lets_it_go_on(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    call.happen(events.SpeechStarted(call.now))
    call.after(0.5, events.SpeechStopped(call.now + 0.5))
    call.happen(events.TranscriptFailed(2, 2))

    assert call.after(0.5) == [StopListening(2), ResumePlayback()]


def test_a_caller_who_comes_in_between_two_sentences_has_heard_the_first(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.happen(events.SentenceGenerated(1, "We make pizza."))
    call.hear_all()

    talk_over(call, "Stop, please.")
    assert RememberBot(1, "We make pizza.", interrupted=True) in call.after(0.5)


def test_words_cut_off_are_remembered_in_their_turn_and_none_if_none_was_reached() -> None:
    for fraction, heard in ((0.5, [RememberBot(1, "We make", interrupted=True)]), (0.1, [])):
        call = Driver(cut_at=fraction)
        call.greet()
        call.caller_says("Tell me about you.")
        call.bot_replies("We make good pizza.")
        call.happen(events.KeyPressed("1"))

        assert [order for order in call.orders if isinstance(order, RememberBot)] == heard


def test_a_reply_goes_on_being_written_while_the_voice_is_held(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.happen(events.SentenceGenerated(1, "We make pizza."))
    call.happen(events.SpeechStarted(call.now))
    call.after(0.5)

    assert call.happen(events.SentenceGenerated(1, "Every day.")) == [Say(1, 1, "Every day.")]
    assert call.phase() is Phase.HELD
    assert call.happen(events.ReplyFinished(1)) == []
    call.happen(events.SpeechStopped(call.now))
    assert call.words("")[-1] == ResumePlayback()


def test_a_sound_shorter_than_the_barge_in_rule_does_not_stop_the_bot(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")

    assert HoldPlayback() not in talk_over(call, "", seconds=0.2)
    assert call.phase() is Phase.SPEAKING
    assert call.after(1.0) == []


def test_words_said_over_the_bot_take_the_turn_however_short(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    talk_over(call, "Stop.", seconds=0.2)

    assert call.after(1.0) == [StopListening(2), DropPlayback(), RememberCaller(2, "Stop."), StartReply(2)]
    assert call.talk[-2:] == ["bot: We —", "caller: Stop."]


def test_a_voice_that_is_held_does_not_stay_so_for_ever(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    call.happen(events.SpeechStarted(call.now))

    assert ResumePlayback() in call.after(RULES.barge_in_s + RULES.hold_limit_s)


def test_a_last_echo_of_the_carrier_can_leave_nothing_to_go_on_with(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    call.happen(events.SpeechStarted(call.now))
    call.after(0.5)
    assert call.hear_all() == []
    call.happen(events.SpeechStopped(call.now))

    assert call.words("")[-2:] == [ResumePlayback(), RememberBot(1, "We make pizza.", interrupted=False)]
    assert call.phase() is Phase.LISTENING


def test_a_turn_over_speech_that_was_all_heard_leaves_the_voice_free(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza.")
    call.happen(events.SpeechStarted(call.now))
    call.after(0.5)
    assert call.phase() is Phase.HELD
    call.hear_all()
    call.happen(events.SpeechStopped(call.now))
    call.words("How much is it?")

    assert call.after(0.5) == [
        StopListening(2),
        RememberBot(1, "We make pizza.", interrupted=False),
        DropPlayback(),
        RememberCaller(2, "How much is it?"),
        StartReply(2),
    ]


def test_a_notice_is_heard_out_and_who_spoke_over_it_is_answered_then() -> None:
    call = Driver(replace(RULES, greeting_interruptible=False, notice="This call is recorded."))
    call.happen(events.CallStarted())
    talk_over(call, "Are you open?")

    assert call.after(2.0) == [StopListening(1)]
    assert call.happen(events.SentenceHeard(0, 0)) == []
    assert call.happen(events.SentenceHeard(0, 1)) == [
        RememberBot(0, f"{RULES.greeting} This call is recorded.", interrupted=False),
        RememberCaller(1, "Are you open?"),
        StartReply(1),
    ]


def test_a_greeting_can_be_talked_over_unless_the_rules_say_otherwise() -> None:
    for interruptible in (True, False):
        call = Driver(replace(RULES, greeting_interruptible=interruptible))
        call.happen(events.CallStarted())

        assert (HoldPlayback() in talk_over(call, "Are you open?")) is interruptible


def test_who_spoke_over_a_notice_that_fails_to_be_spoken_is_answered_then() -> None:
    call = Driver(replace(RULES, greeting_interruptible=False))
    call.happen(events.CallStarted())
    talk_over(call, "Are you open?")
    call.after(2.0)

    assert call.happen(events.SentenceFailed(0, 0))[-2:] == [RememberCaller(1, "Are you open?"), StartReply(1)]
    assert call.after(RULES.holding_after_s) == [Say(1, 0, RULES.holding)]


def test_keys_do_not_interrupt_a_notice() -> None:
    call = Driver(replace(RULES, notice="This call is recorded."))
    call.happen(events.CallStarted())

    assert call.happen(events.KeyPressed("1")) == []


def test_a_caller_who_goes_on_while_the_bot_thinks_is_answered_once_for_all_of_it(call: Driver) -> None:
    call.caller_says("I would like a table.")
    assert CancelReply(1) in call.caller_says("For four people.")

    assert call.talk == ["caller: I would like a table.", "caller: For four people."]
    assert call.machine.turn == 2


def test_a_caller_who_goes_on_while_the_bot_thinks_is_given_longer_from_then_on() -> None:
    call = Driver(replace(RULES, endpointing=EndpointingRules(normal_s=0.5, short_s=0.5, long_s=0.5)))
    call.greet()
    call.caller_says("I would like a table.")
    assert call.phase() is Phase.THINKING
    call.after(1.0)

    assert silence_after_yes(call) > 0.5


def test_a_caller_who_waits_after_keys_is_told_to_hold_on_too(call: Driver) -> None:
    call.happen(events.KeyPressed("1"))
    call.happen(events.KeyPressed("#"))

    assert call.after(RULES.holding_after_s) == [Say(1, 0, RULES.holding)]


def test_a_noise_does_not_stop_the_bot_thinking(call: Driver) -> None:
    call.caller_says("When do you open?")

    assert CancelReply(1) not in call.caller_says("")
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == [Say(1, 0, "At noon.")]


def test_a_cough_between_two_sentences_of_a_reply_does_not_cost_the_second(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.SentenceGenerated(1, "At noon."))
    call.hear_all()
    call.caller_says("", seconds=0.3)
    call.bot_replies("Every day.")

    assert call.hear_all()[-1] == RememberBot(1, "At noon. Every day.", interrupted=False)


def test_a_reply_that_comes_while_the_caller_talks_on_is_held_back(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.SpeechStarted(call.now))
    call.after(0.5)

    assert call.happen(events.SentenceGenerated(1, "At noon.")) == [Say(1, 0, "At noon."), HoldPlayback()]


def test_a_caller_who_talks_is_not_told_to_hold_on(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.SpeechStarted(call.now))

    assert call.after(RULES.holding_after_s + 1.0) == []


def test_a_noise_after_the_apology_for_a_reply_starts_none(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.ReplyFailed(1))
    call.hear_all()

    assert call.caller_says("", seconds=0.1)[-1] == StopListening(2)


def test_a_noise_before_the_greeting_is_no_turn() -> None:
    call = Driver()

    assert call.caller_says("", seconds=0.28) == [Listen(1), Transcribe(1, 1), StopListening(1)]
    assert call.happen(events.CallStarted()) == [Say(0, 0, RULES.greeting)]


def test_sounds_without_words_are_asked_about_from_a_certain_length() -> None:
    for seconds, answered in ((0.25, True), (0.125, False)):
        call = Driver(replace(RULES, least_speech_s=0.25))
        call.greet()

        assert isinstance(call.caller_says("", seconds)[-1], Say) is answered


def test_speech_without_words_is_asked_about_and_a_short_noise_is_not(call: Driver) -> None:
    assert call.caller_says("", seconds=1.0)[-1] == Say(0, 1, RULES.not_understood)
    call.hear_all()
    assert call.caller_says("", seconds=0.1)[-1] == StopListening(2)
    assert call.phase() is Phase.LISTENING


def test_a_failing_recogniser_is_apologised_for(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.happen(events.TranscriptFailed(1, 1))

    assert call.after(0.5)[-1] == Say(0, 1, RULES.apology)


def test_a_failing_model_is_apologised_for(call: Driver) -> None:
    call.caller_says("Hello?")
    assert call.happen(events.ReplyFailed(1)) == [Say(1, 0, RULES.apology)]


def test_a_model_that_says_nothing_is_apologised_for(call: Driver) -> None:
    call.caller_says("Hello?")
    assert call.happen(events.ReplyFinished(1)) == [Say(1, 0, RULES.apology)]


def test_a_caller_who_waits_is_told_to_hold_on_once(call: Driver) -> None:
    call.caller_says("Hello?")

    assert call.after(RULES.holding_after_s) == [Say(1, 0, RULES.holding)]
    call.hear_all()
    assert call.phase() is Phase.THINKING
    assert call.after(RULES.reply_limit_s) == [CancelReply(1), Say(1, 1, RULES.apology)]


def test_a_caller_who_asks_whether_anybody_is_there_is_told_and_the_reply_goes_on(call: Driver) -> None:
    call.caller_says("When do you open?")
    for number, words in enumerate(("Hello?", "Hello, are you there?")):
        assert call.caller_says(words)[-1] == Say(1, number, RULES.holding)
        call.hear_all()
        assert call.phase() is Phase.THINKING

    assert call.talk == ["caller: When do you open?"]
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == [Say(1, 2, "At noon.")]


def test_a_caller_who_says_hello_while_the_bot_listens_is_answered(call: Driver) -> None:
    assert call.caller_says("Hello?")[-1] == StartReply(1)


def test_a_caller_who_waits_for_the_recogniser_is_told_to_hold_on_too(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))

    assert call.after(RULES.holding_after_s) == [Say(0, 1, RULES.holding)]
    call.hear_all()
    call.words("Hello?")
    assert call.phase() is Phase.THINKING
    assert RULES.holding not in [order.text for order in call.after(5.0) if isinstance(order, Say)]


def test_the_wait_counts_from_the_callers_last_sound(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0)
    call.happen(events.SpeechStopped(call.now))
    call.after(1.0)
    call.words("Hello?")

    assert call.after(RULES.holding_after_s - 1.0) == [Say(1, 0, RULES.holding)]


def test_a_pause_within_a_reply_is_bridged_too(call: Driver) -> None:
    call.caller_says("Hello?")
    call.happen(events.SentenceGenerated(1, "Hello!"))
    call.hear_all()

    assert call.after(RULES.holding_after_s) == [Say(1, 1, RULES.holding)]


def test_the_second_reply_in_a_row_that_fails_ends_the_call(call: Driver) -> None:
    for number in (1, 2):
        call.caller_says("Hello?")
        call.happen(events.ReplyFailed(number))
        assert call.saying[-1].text == (RULES.apology if number == 1 else RULES.defeat)
        ending = call.hear_all()
    assert ending[-1] == HangUp(EndReason.DEFEATED)


def test_a_reply_in_between_forgives_the_first_failure(call: Driver) -> None:
    for number in (1, 3):
        call.caller_says("Hello?")
        call.happen(events.ReplyFailed(number))
        assert call.saying[-1].text == RULES.apology
        call.hear_all()
        call.caller_says("Again?")
        call.bot_replies("Yes.")
        call.hear_all()


def test_a_caller_is_put_through_to_somebody_when_the_bot_cannot_go_on() -> None:
    call = Driver(replace(RULES, fallback_number="+15550100143", defeats=1))
    call.greet()
    call.caller_says("Hello?")
    call.happen(events.ReplyFailed(1))

    assert call.hear_all()[-1] == Transfer("+15550100143")


def test_hanging_up_waits_until_the_goodbye_was_heard(call: Driver) -> None:
    call.caller_says("Bye.")
    call.happen(events.SentenceGenerated(1, "Goodbye!"))
    call.happen(events.HangUpRequested(1))

    assert call.happen(events.ReplyFinished(1)) == []
    assert call.hear_all() == [RememberBot(1, "Goodbye!", interrupted=False), HangUp(EndReason.GOODBYE)]
    assert call.phase() is Phase.ENDED
    assert call.machine.deadline() is None
    assert call.happen(events.KeyPressed("1")) == []
    assert call.machine.handle_timer(1e9) == []


def test_a_hang_up_without_words_says_goodbye_first(call: Driver) -> None:
    call.caller_says("Bye.")
    call.happen(events.HangUpRequested(1))

    assert call.happen(events.ReplyFinished(1)) == [Say(1, 0, RULES.goodbye)]
    assert call.hear_all()[-1] == HangUp(EndReason.GOODBYE)


def test_a_goodbye_that_cannot_be_spoken_does_not_keep_the_line_open(call: Driver) -> None:
    call.caller_says("Bye.")
    call.happen(events.HangUpRequested(1))
    call.bot_replies("Goodbye!")

    assert call.happen(events.SentenceFailed(1, 0)) == [HangUp(EndReason.GOODBYE)]


def test_transfer_waits_until_its_announcement_was_heard(call: Driver) -> None:
    call.caller_says("The manager, please.")
    call.happen(events.TransferRequested(1, "+15550100143"))
    call.bot_replies("One moment.")

    assert call.hear_all() == [RememberBot(1, "One moment.", interrupted=False), Transfer("+15550100143")]
    assert call.phase() is Phase.ENDED


def test_a_caller_with_one_more_question_stops_the_hang_up(call: Driver) -> None:
    call.caller_says("Bye.")
    call.happen(events.HangUpRequested(1))
    call.bot_replies("Goodbye!")
    call.caller_says("One more thing.")
    call.bot_replies("Yes?")

    assert HangUp(EndReason.GOODBYE) not in call.hear_all()
    assert call.phase() is Phase.LISTENING


def test_a_silent_caller_is_asked_twice_and_then_said_goodbye_to(call: Driver) -> None:
    for sentence in (1, 2):
        assert call.after(RULES.caller_silence_s) == [Say(0, sentence, RULES.still_there)]
        call.hear_all()
    assert call.after(RULES.caller_silence_s) == [Say(0, 3, RULES.silent_goodbye)]
    assert call.hear_all()[-1] == HangUp(EndReason.SILENCE)


def test_a_caller_who_speaks_again_is_asked_twice_again(call: Driver) -> None:
    call.after(RULES.caller_silence_s)
    call.hear_all()
    call.caller_says("Sorry.")
    call.bot_replies("No problem.")
    call.hear_all()
    call.after(RULES.caller_silence_s)
    call.hear_all()

    assert call.after(RULES.caller_silence_s)[-1] == Say(1, 2, RULES.still_there)


def test_a_caller_who_presses_a_key_is_asked_twice_again(call: Driver) -> None:
    call.after(RULES.caller_silence_s)
    call.hear_all()
    call.happen(events.KeyPressed("#"))
    for _ in range(RULES.reprompts):
        assert call.after(RULES.caller_silence_s)[-1] == Say(0, call.saying[-1].sentence, RULES.still_there)
        call.hear_all()


def test_a_caller_who_talks_or_keys_for_long_is_not_taken_to_be_silent() -> None:
    call = Driver(replace(RULES, key_pause_s=30.0))
    call.greet()
    call.happen(events.SpeechStarted(call.now))
    assert call.after(2 * RULES.caller_silence_s) == []

    call = Driver(replace(RULES, key_pause_s=30.0))
    call.greet()
    call.happen(events.KeyPressed("1"))
    assert call.after(2 * RULES.caller_silence_s) == []


def test_an_idle_call_of_an_hour_costs_its_deadlines_and_no_more() -> None:
    call = Driver(replace(RULES, reprompts=1000, longest_call_s=3600.0))
    call.greet()
    call.timers_served = 0
    while call.phase() is not Phase.ENDED:
        call.after(RULES.caller_silence_s)
        call.hear_all()

    assert call.timers_served == 3600 / RULES.caller_silence_s  # each asks whether they are there; the last, goodbye
    assert call.orders[-1] == HangUp(EndReason.TOO_LONG)


def test_keys_make_a_turn_after_a_pause_or_a_hash(call: Driver) -> None:
    call.happen(events.KeyPressed("4"))
    call.after(1.0, events.KeyPressed("2"))
    assert call.after(RULES.key_pause_s) == [RememberCaller(1, "42"), StartReply(1)]

    call.bot_replies("Forty-two.")
    assert call.happen(events.KeyPressed("7")) == [DropPlayback()]
    assert call.happen(events.KeyPressed("#")) == [RememberCaller(2, "7"), StartReply(2)]
    assert call.happen(events.KeyPressed("#")) == []  # with nothing to end, it stops nothing


def test_keys_can_be_asked_for_by_number_or_terminator(call: Driver) -> None:
    call.caller_says("My code?")
    call.happen(events.KeysRequested(1, 3, "*"))
    call.bot_replies("Please key it in.")
    call.hear_all()

    call.happen(events.KeyPressed("1"))
    call.happen(events.KeyPressed("#"))
    assert call.happen(events.KeyPressed("2"))[-2:] == [RememberCaller(2, "1#2", keyed=True), StartReply(2)]
    call.bot_replies("Thank you.")
    call.hear_all()
    call.happen(events.KeyPressed("1"))
    assert call.happen(events.KeyPressed("#"))[-1] == StartReply(3)

    call.happen(events.KeysRequested(3, None, "*"))
    call.happen(events.KeyPressed("1"))
    assert call.happen(events.KeyPressed("*"))[-2:] == [RememberCaller(4, "1", keyed=True), StartReply(4)]


def test_keys_leave_the_bot_talking_where_the_rules_say_so() -> None:
    call = Driver(replace(RULES, keys_interrupt=False))
    call.happen(events.CallStarted())

    assert call.happen(events.KeyPressed("1")) == []
    assert call.after(RULES.key_pause_s)[-1] == StartReply(1)


def test_words_without_a_voice_open_a_turn(call: Driver) -> None:
    call.happen(events.WordsMissed(call.now))

    assert call.orders == [Listen(1), Transcribe(1, 1)]
    call.words("Yes.")
    assert call.after(0.5)[-1] == StartReply(1)


def test_the_engines_opinion_of_another_turn_does_not_count(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.happen(events.EngineSaysOver(0))

    assert call.words("Yes.") == []


def test_words_of_an_earlier_attempt_do_not_end_the_turn(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.happen(events.TranscriptReady(1, 1, "I would like"))
    call.happen(events.TranscriptFailed(1, 1))

    assert call.after(0.5) == []
    assert call.words("I would like a table.")[1] == RememberCaller(1, "I would like a table.")


def silence_after_yes(call: Driver) -> float:
    """How long the caller is silent before "Yes." is taken for all they had to say."""
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.words("Yes.")
    return (call.machine.deadline() or 0.0) - call.now


def test_an_answer_to_a_yes_or_no_question_is_taken_sooner() -> None:
    endpointing = EndpointingRules()
    for question, silence in (("Is Friday all right?", endpointing.short_s), ("Noted.", endpointing.normal_s)):
        for ask in (Driver.hear_all, lambda call: call.happen(events.KeyPressed("1"))):
            call = Driver(replace(RULES, endpointing=endpointing, key_pause_s=60.0), cut_at=1.0)
            call.greet()
            call.caller_says("A table on Friday, please.", 1.0)
            call.after(1.0)
            call.bot_replies(question)
            ask(call)

            assert silence_after_yes(call) == pytest.approx(silence)


def test_the_engines_own_opinion_ends_a_turn_without_waiting(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.happen(events.EngineSaysOver(1))

    assert call.words("Yes.")[-1] == StartReply(1)


# --- guesses -----------------------------------------------------------------------------------------------------

GUESSING = replace(RULES, speculate=True)


def guess() -> Driver:
    """A caller has paused, and the bot has begun to think of an answer."""
    call = Driver(GUESSING)
    call.greet()
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    assert call.words("When do you open?") == [StartReply(1, guess="When do you open?")]
    return call


def test_a_guess_at_who_spoke_before_the_greeting_gives_way_to_it() -> None:
    call = Driver(GUESSING)
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))
    call.words("When do you open?")

    assert call.happen(events.CallStarted()) == [CancelReply(1), Say(0, 0, RULES.greeting)]
    assert call.after(0.5)[-2:] == [RememberCaller(1, "When do you open?"), StartReply(1)]


def test_a_right_guess_is_spoken_the_moment_the_turn_is_over() -> None:
    call = guess()
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == []
    assert call.happen(events.ReplyFinished(1)) == []

    assert call.after(0.5) == [
        StopListening(1),
        RememberCaller(1, "When do you open?"),
        ConfirmReply(1),
        Say(1, 0, "At noon."),
    ]
    assert call.hear_all() == [RememberBot(1, "At noon.", interrupted=False)]


def test_a_guess_that_takes_its_time_goes_on_as_the_reply() -> None:
    call = guess()
    call.after(0.5)

    assert call.phase() is Phase.THINKING
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == [Say(1, 0, "At noon.")]


def test_a_guess_is_dropped_without_trace_when_the_caller_goes_on() -> None:
    call = guess()
    call.happen(events.SentenceGenerated(1, "At noon."))

    assert call.after(0.3, events.SpeechStarted(call.now + 0.3)) == [CancelReply(1)]
    call.after(0.5, events.SpeechStopped(call.now + 0.5))
    assert call.words("When do you open on Sunday?") == [StartReply(1, guess="When do you open on Sunday?")]
    assert call.after(0.5)[1:] == [RememberCaller(1, "When do you open on Sunday?"), ConfirmReply(1)]
    assert call.talk == ["caller: When do you open on Sunday?"]


def test_a_guess_that_failed_is_a_failure_only_when_it_counts() -> None:
    call = guess()
    assert call.happen(events.ReplyFailed(1)) == []
    assert call.after(0.5)[-1] == Say(1, 0, RULES.apology)


def test_a_guess_may_want_to_hang_up_but_not_before_it_counts() -> None:
    call = guess()
    call.happen(events.SentenceGenerated(1, "Goodbye!"))
    call.happen(events.HangUpRequested(1))
    call.happen(events.ReplyFinished(1))
    call.after(0.5)

    assert call.hear_all()[-1] == HangUp(EndReason.GOODBYE)


# --- a recogniser that tells its words while the caller speaks ---------------------------------------------------

STREAMING = replace(GUESSING, transcribe_at_pause=False)


def streamed(*words: str, rules: CallRules = STREAMING) -> tuple[Driver, list[Action]]:
    """A caller has said the last of these, each made out in its turn, and has paused; and what that led to."""
    call = Driver(rules)
    call.greet()
    call.happen(events.SpeechStarted(call.now))
    for text in words:
        call.after(0.5, events.WordsSoFar(1, text))
    return call, call.after(0.1, events.SpeechStopped(call.now + 0.1))


def test_a_reply_is_guessed_at_the_pause_on_the_words_so_far() -> None:
    _, orders = streamed("When do", "When do you open")

    assert orders == [StartReply(1, guess="When do you open")]


@pytest.mark.parametrize("last", ["When do you open?", "when do you OPEN", "", "When do you open"])
def test_a_guess_is_right_if_the_last_word_of_the_recogniser_says_the_same(last: str) -> None:
    call, _ = streamed("When do you open")
    call.happen(events.SentenceGenerated(1, "At noon."))
    assert call.after(0.5) == [Transcribe(1, 1)]

    assert call.words(last) == [
        StopListening(1),
        RememberCaller(1, last or "When do you open"),
        ConfirmReply(1),
        Say(1, 0, "At noon."),
    ]


def test_a_guess_is_dropped_if_the_last_word_of_the_recogniser_says_something_else() -> None:
    call, _ = streamed("When do you open")
    call.happen(events.SentenceGenerated(1, "At noon."))
    call.after(0.5)

    assert call.words("When do you open on Sunday?") == [
        CancelReply(1),
        StartReply(1, guess="When do you open on Sunday?"),
        StopListening(1),
        RememberCaller(1, "When do you open on Sunday?"),
        ConfirmReply(1),
    ]


def test_words_that_come_after_the_pause_make_for_another_guess_and_the_same_words_do_not() -> None:
    call, _ = streamed("When do you")

    assert call.happen(events.WordsSoFar(1, "When do you open")) == [
        CancelReply(1),
        StartReply(1, guess="When do you open"),
    ]
    assert call.happen(events.WordsSoFar(1, "When do you open?")) == []


def test_there_are_only_so_many_guesses_in_a_turn() -> None:
    call, _ = streamed("One")
    for count in range(2, 12):
        call.happen(events.WordsSoFar(1, f"one {count}"))

    guesses = [order for order in call.orders if isinstance(order, StartReply)]
    assert len(guesses) == STREAMING.most_guesses
    call.after(0.5)
    assert call.words("one 11")[-1] == StartReply(1)
    call.bot_replies("Eleven.")
    call.hear_all()
    call.happen(events.SpeechStarted(call.now))
    call.happen(events.WordsSoFar(2, "and then"))
    assert call.after(0.5, events.SpeechStopped(call.now + 0.5)) == [StartReply(2, guess="and then")]


def test_a_right_guess_takes_the_place_of_the_phrase_that_bridged_the_wait_for_the_last_word() -> None:
    call, _ = streamed("When do you open")
    call.happen(events.SentenceGenerated(1, "At noon."))
    call.after(RULES.holding_after_s)
    assert call.saying[-1].text == RULES.holding

    assert call.words("When do you open?") == [
        StopListening(1),
        DropPlayback(),
        RememberCaller(1, "When do you open?"),
        ConfirmReply(1),
        Say(1, 0, "At noon."),
    ]
    assert call.talk[-2:] == ["bot: One —", "caller: When do you open?"]


def test_a_sentence_that_broke_off_is_remembered_as_far_as_it_went(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.bot_replies("At noon, every day.")

    assert call.happen(events.SentenceHeard(1, 0, spoken=3)) == [RememberBot(1, "At noon, every", interrupted=False)]


def test_no_guess_is_made_at_words_that_may_still_change_while_the_caller_talks() -> None:
    call = Driver(STREAMING)
    call.greet()
    call.happen(events.SpeechStarted(call.now))

    assert call.happen(events.WordsSoFar(1, "When do you open")) == []


def test_no_guess_is_made_at_words_where_no_voice_was_noticed() -> None:
    call = Driver(STREAMING)
    call.greet()
    call.happen(events.WordsMissed(call.now))

    assert call.happen(events.WordsSoFar(1, "When do you open")) == []
    call.after(0.5)
    assert call.words("When do you open?")[-1] == StartReply(1)


def test_words_over_the_bot_that_are_no_turn_let_it_go_on_before_the_recogniser_has_finished() -> None:
    for words in ("Mm-hm", "we make pizza", "you"):
        call, _ = streamed("Tell me about you.", rules=replace(STREAMING, endpointing=EndpointingRules()))
        call.after(1.0)
        call.words("Tell me about you.")
        call.bot_replies("We make pizza in a wood oven.")
        call.happen(events.SpeechStarted(call.now))
        call.after(0.4, events.WordsSoFar(2, words))
        assert call.phase() is Phase.HELD
        assert call.happen(events.SpeechStopped(call.now)) == []

        assert call.after(0.25) == []
        assert call.after(0.05) == [StopListening(2), ResumePlayback()]


def test_words_over_the_bot_that_become_a_turn_in_time_take_it() -> None:
    call, _ = streamed("Tell me about you.")
    call.after(0.5)
    call.words("Tell me about you.")
    call.bot_replies("We make pizza in a wood oven.")
    call.happen(events.SpeechStarted(call.now))
    call.after(0.4, events.WordsSoFar(2, "Okay"))
    call.happen(events.SpeechStopped(call.now))
    call.after(0.1, events.WordsSoFar(2, "Okay but how much is it"))
    call.after(0.5)

    assert call.words("Okay, but how much is it?")[-1] == StartReply(2)


def test_words_made_out_where_no_voice_is_noticed_silence_the_bot_if_they_are_a_turn() -> None:
    for words, silenced in (("Stop", True), ("Okay", False)):
        call, _ = streamed("Tell me about you.")
        call.after(0.5)
        call.words("Tell me about you.")
        call.bot_replies("We make pizza in a wood oven.")
        call.happen(events.WordsMissed(call.now))

        assert (HoldPlayback() in call.happen(events.WordsSoFar(2, words))) is silenced


def test_words_over_a_notice_do_not_silence_it() -> None:
    call = Driver(replace(STREAMING, notice="This call is recorded."))
    call.happen(events.CallStarted())
    call.happen(events.WordsMissed(call.now))

    assert call.happen(events.WordsSoFar(1, "Stop")) == []


def test_words_before_the_bot_spoke_do_not_silence_it() -> None:
    call, _ = streamed("When do you open")
    call.after(RULES.holding_after_s)
    assert call.saying[-1].text == RULES.holding

    assert call.happen(events.WordsSoFar(1, "When do you open on Sunday")) == []


def test_an_engine_that_says_over_before_the_pause_is_noticed_is_believed_then() -> None:
    call = Driver(STREAMING)
    call.greet()
    call.happen(events.SpeechStarted(call.now))
    call.happen(events.WordsSoFar(1, "I am coming with my"))
    call.happen(events.EngineSaysOver(1))

    assert call.after(0.5) == []
    assert call.happen(events.SpeechStopped(call.now))[-1] == Transcribe(1, 1)


def test_words_known_when_a_short_sound_over_the_bot_ends_silence_it() -> None:
    call, _ = streamed("Tell me about you.")
    call.after(0.5)
    call.words("Tell me about you.")
    call.bot_replies("We make pizza in a wood oven.")
    call.happen(events.SpeechStarted(call.now))
    assert call.happen(events.WordsSoFar(2, "Stop")) == []

    assert call.happen(events.SpeechStopped(call.now)) == [HoldPlayback()]
    assert call.phase() is Phase.HELD


def test_a_sentence_is_cut_at_the_word_that_the_voice_says_was_reached(call: Driver) -> None:
    call.caller_says("Tell me about you.")
    call.bot_replies("We make pizza in a wood oven.")
    call.saying.clear()
    call.happen(events.KeyPressed("1"))

    cut = events.SentenceCut(1, 0, fraction=0.9, spoken=3)
    assert call.happen(cut) == [RememberBot(1, "We make pizza", interrupted=True)]


def test_nothing_is_made_of_words_of_another_turn() -> None:
    call = Driver(STREAMING)
    call.greet()
    assert call.happen(events.WordsSoFar(1, "Hello?")) == []
    call.happen(events.SpeechStarted(call.now))
    call.happen(events.SpeechStopped(call.now))

    assert call.happen(events.WordsSoFar(2, "Hello?")) == []
    assert call.happen(events.WordsSoFar(0, "Hello?")) == []


# --- the ends of a call ------------------------------------------------------------------------------------------


def test_keys_take_the_place_of_what_was_being_said(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.happen(events.KeyPressed("1"))
    assert call.happen(events.KeyPressed("#")) == [StopListening(1), RememberCaller(2, "1"), StartReply(2)]


def test_a_call_at_its_time_limit_says_goodbye_and_does_not_argue() -> None:
    call = Driver(replace(RULES, longest_call_s=60.0, caller_silence_s=1000.0))
    call.greet()

    assert call.after(60.0) == [Say(0, 1, RULES.goodbye)]
    call.caller_says("But wait!")
    assert call.after(RULES.parting_s)[-1] == HangUp(EndReason.TOO_LONG)


def test_a_call_at_its_time_limit_ends_with_its_goodbye() -> None:
    call = Driver(replace(RULES, longest_call_s=5.0))
    call.greet()
    call.after(5.0)

    assert call.hear_all()[-1] == HangUp(EndReason.TOO_LONG)


def test_a_call_that_never_starts_ends() -> None:
    call = Driver()

    assert call.after(RULES.playback_limit_s - 1.0) == []
    assert call.after(1.0) == [HangUp(EndReason.FAILED)]


def test_a_call_of_too_many_turns_says_goodbye() -> None:
    call = Driver(replace(RULES, most_turns=1))
    call.greet()
    call.caller_says("One.")
    call.bot_replies("Yes.")
    call.hear_all()

    assert call.caller_says("Two.")[-2:] == [RememberCaller(2, "Two."), Say(1, 1, RULES.goodbye)]
    assert call.hear_all()[-1] == HangUp(EndReason.TOO_LONG)


def test_the_turn_that_is_one_too_many_is_remembered_after_the_words_it_cut_off() -> None:
    call = Driver(replace(GUESSING, most_turns=1))
    call.greet()
    call.caller_says("One.")
    call.bot_replies("We make pizza in a wood oven.")
    talk_over(call, "Stop, please.")

    assert call.after(0.5)[-1] == Say(1, 1, RULES.goodbye)
    assert call.talk[-2:] == ["bot: We make pizza —", "caller: Stop, please."]


def test_no_reply_is_guessed_at_to_the_turn_that_is_one_too_many() -> None:
    call = Driver(replace(GUESSING, most_turns=1))
    call.greet()
    call.caller_says("One.")
    call.bot_replies("Yes.")
    call.hear_all()
    call.happen(events.SpeechStarted(call.now))
    call.after(1.0, events.SpeechStopped(call.now + 1.0))

    assert call.words("Two.") == []


def test_keys_that_are_one_turn_too_many_are_remembered_as_keys() -> None:
    call = Driver(replace(RULES, most_turns=1))
    call.greet()
    call.caller_says("One.")
    call.happen(events.KeysRequested(1, 1, "#"))
    call.bot_replies("Press a key.")
    call.hear_all()

    assert RememberCaller(2, "7", keyed=True) in call.happen(events.KeyPressed("7"))


def test_speech_that_is_never_heard_ends_the_call(call: Driver) -> None:
    call.caller_says("Hello?")
    call.bot_replies("Hello!")

    assert call.after(RULES.playback_limit_s)[-1] == HangUp(EndReason.FAILED)


def test_a_sentence_the_voice_cannot_say_is_skipped(call: Driver) -> None:
    call.caller_says("Hello?")
    call.bot_replies("Hello!", "How are you?")
    call.happen(events.SentenceFailed(1, 0))

    assert call.happen(events.SentenceHeard(1, 1)) == [RememberBot(1, "How are you?", interrupted=False)]


def test_a_voice_that_fails_again_and_again_ends_the_call(call: Driver) -> None:
    call.caller_says("Hello?")
    call.bot_replies("Hello!")

    assert call.happen(events.SentenceFailed(1, 0)) == [Say(1, 1, RULES.apology)]
    assert call.happen(events.SentenceFailed(1, 1)) == [Say(1, 2, RULES.apology)]
    assert call.happen(events.SentenceFailed(1, 2)) == [Say(1, 3, RULES.defeat)]
    assert call.happen(events.SentenceFailed(1, 3)) == [HangUp(EndReason.FAILED)]


def test_a_voice_that_is_gone_has_its_last_words_if_they_can_still_be_heard(call: Driver) -> None:
    call.caller_says("Hello?")
    call.bot_replies("Hello!")
    call.happen(events.SentenceFailed(1, 0))
    call.happen(events.SentenceFailed(1, 1))
    call.happen(events.SentenceFailed(1, 2))
    call.happen(events.SpeechStarted(call.now))

    assert call.after(1.0) == []
    assert call.happen(events.SentenceHeard(1, 3))[-1] == HangUp(EndReason.SPEECHLESS)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_caller_whom_the_voice_fails_is_put_through_where_they_wanted_or_to_whom_the_rules_say(wanted: bool) -> None:
    call = Driver(replace(RULES, fallback_number="+15550100143", voice_failures=1))
    call.greet()
    call.caller_says("Hello?")
    if wanted:
        call.happen(events.TransferRequested(1, "+15550100144"))
    call.bot_replies("One moment.")
    call.happen(events.SentenceFailed(1, 0))

    assert call.hear_all()[-1] == Transfer("+15550100144" if wanted else "+15550100143")


def test_engines_that_cannot_be_had_end_the_call_with_its_last_words() -> None:
    call = Driver()

    assert call.happen(events.EnginesMissing()) == [Say(0, 0, RULES.defeat)]
    assert call.hear_all()[-1] == HangUp(EndReason.SPEECHLESS)


def test_engines_that_cannot_be_had_and_last_words_that_cannot_be_said_leave_it_to_the_webhook() -> None:
    call = Driver()
    call.happen(events.EnginesMissing())

    assert call.happen(events.SentenceFailed(0, 0)) == [HangUp(EndReason.FAILED)]


def test_a_voice_that_fails_from_the_first_word_ends_the_call() -> None:
    call = Driver()
    call.happen(events.CallStarted())

    assert call.happen(events.SentenceFailed(0, 0)) == [Say(0, 1, RULES.apology)]
    assert call.happen(events.SentenceFailed(0, 1)) == [Say(0, 2, RULES.apology)]
    assert call.happen(events.SentenceFailed(0, 2)) == [Say(0, 3, RULES.defeat)]
    assert call.happen(events.SentenceFailed(0, 3)) == [HangUp(EndReason.FAILED)]


def test_a_caller_who_leaves_in_the_middle_is_remembered_to_have_interrupted(call: Driver) -> None:
    call.caller_says("Hello?")
    call.bot_replies("Hello!", "How are you?")
    call.happen(events.SentenceHeard(1, 0))
    call.saying.pop(0)

    assert call.happen(events.CallerLeft()) == [DropPlayback(), HangUp(EndReason.CALLER_LEFT)]
    assert call.talk[-1] == "bot: Hello! How —"


def test_a_caller_who_leaves_ends_everything(call: Driver) -> None:
    call.caller_says("Hello?")
    call.happen(events.SentenceGenerated(1, "Hello!"))
    call.happen(events.SentenceHeard(1, 0))
    call.happen(events.SpeechStarted(call.now))

    assert call.happen(events.CallerLeft()) == [
        StopListening(2),
        CancelReply(1),
        RememberBot(1, "Hello!", interrupted=True),
        HangUp(EndReason.CALLER_LEFT),
    ]


@pytest.mark.parametrize(
    "late",
    [
        events.TranscriptReady(1, 1, "Old."),
        events.TranscriptFailed(7, 1),
        events.SentenceGenerated(1, "Old."),
        events.ReplyFinished(1),
        events.ReplyFailed(1),
        events.HangUpRequested(1),
        events.TransferRequested(1, "+15550100143"),
        events.SentenceHeard(1, 0),
        events.SentenceCut(1, 0, 0.5),
        events.SentenceFailed(1, 0),
    ],
)
def test_answers_to_a_finished_turn_are_dropped(late: events.Event) -> None:
    call = Driver()
    call.greet()
    call.caller_says("First.")
    call.bot_replies("One.")
    call.hear_all()
    call.caller_says("Second.")

    assert call.happen(late) == []
    assert call.phase() is Phase.THINKING


# --- properties --------------------------------------------------------------------------------------------------

THOROUGH = settings(max_examples=3 * settings().max_examples)

_TURN = st.integers(0, 4)
_SENTENCE = st.integers(0, 4)
_EVENTS: st.SearchStrategy[events.Event] = st.one_of(
    st.just(events.CallStarted()),
    st.builds(events.SpeechStarted, at=st.just(0.0)),
    st.builds(events.SpeechStopped, at=st.just(0.0)),
    st.builds(events.TranscriptReady, _TURN, st.integers(0, 6), st.sampled_from(["", "yes", "a table for two"])),
    st.builds(events.TranscriptFailed, _TURN, st.integers(0, 6)),
    st.builds(events.SentenceGenerated, _TURN, st.sampled_from(["One.", "Two three four.", ""])),
    st.builds(events.HangUpRequested, _TURN),
    st.builds(events.TransferRequested, _TURN, st.just("+15550100143")),
    st.builds(events.WordsMissed, at=st.just(0.0)),
    st.builds(events.WordsSoFar, _TURN, st.sampled_from(["yes", "a table for", "a table for two"])),
    st.builds(events.EngineSaysOver, _TURN),
    st.builds(events.KeysRequested, _TURN, st.none() | st.integers(1, 3), st.sampled_from("#*")),
    st.builds(events.ReplyFinished, _TURN),
    st.builds(events.ReplyFailed, _TURN),
    st.builds(events.SentenceHeard, _TURN, _SENTENCE),
    st.builds(events.SentenceCut, _TURN, _SENTENCE, st.floats(0, 1)),
    st.builds(events.SentenceFailed, _TURN, _SENTENCE),
    st.builds(events.KeyPressed, st.sampled_from("12#")),
)
_STEPS = st.lists(st.tuples(st.floats(0.0, 20.0), _EVENTS), max_size=60)


def _timed(event: events.Event, now: float) -> events.Event:
    timed = events.SpeechStarted | events.SpeechStopped | events.WordsMissed
    return type(event)(at=now) if isinstance(event, timed) else event


@given(_STEPS)
@THOROUGH
def test_no_order_of_events_leaves_a_phase_without_a_deadline_or_a_timer_without_effect(
    steps: list[tuple[float, events.Event]],
) -> None:
    now = 0.0
    machine = CallMachine(GUESSING, now)
    for pause, event in steps:
        until = now + pause
        served = 0
        while (at := machine.deadline()) is not None and at <= until:
            now = max(now, at)
            machine.handle_timer(now)
            assert machine.deadline() != at, "a timer that changes nothing would be armed for ever"
            served += 1
            assert served < 1000
        now = until
        actions = machine.handle(_timed(event, now), now)
        ended = any(isinstance(action, HangUp | Transfer) for action in actions)
        assert ended == (machine.phase is Phase.ENDED) or machine.phase is Phase.ENDED
        assert (machine.deadline() is None) == (machine.phase is Phase.ENDED)


@given(_STEPS)
@THOROUGH
def test_every_call_ends_however_it_went(steps: list[tuple[float, events.Event]]) -> None:
    now = 0.0
    machine = CallMachine(GUESSING, now)
    orders: list[Action] = []
    for pause, event in steps:
        now += pause
        orders += machine.handle_timer(now)
        orders += machine.handle(_timed(event, now), now)
    served = 0
    while (at := machine.deadline()) is not None:
        now = max(now, at)
        orders += machine.handle_timer(now)
        served += 1
        assert served < 1000

    assert now <= RULES.longest_call_s + 20 * 60 + RULES.reply_limit_s
    assert sum(isinstance(order, HangUp | Transfer) for order in orders) == 1
    assert isinstance(orders[-1], HangUp | Transfer)


@given(_STEPS)
@THOROUGH
def test_orders_name_the_turn_that_is_open_and_every_reply_is_started_once_or_cancelled(
    steps: list[tuple[float, events.Event]],
) -> None:
    now = 0.0
    machine = CallMachine(GUESSING, now)
    replying: int | None = None
    latest = 0
    for pause, event in steps:
        now += pause
        for order in [*machine.handle_timer(now), *machine.handle(_timed(event, now), now)]:
            match order:
                case StartReply(turn):
                    assert replying is None
                    replying = turn
                case CancelReply(turn):
                    assert replying == turn
                    replying = None
                case Say(turn):
                    assert latest <= turn <= machine.turn
                    latest = turn
        if isinstance(event, events.ReplyFinished | events.ReplyFailed) and event.turn == replying:
            replying = None


@given(st.lists(st.sampled_from(["talk", "noise", "barge", "hear", "wait"]), max_size=30), st.floats(0, 1))
@THOROUGH
def test_the_bot_is_never_remembered_to_have_said_more_than_was_heard(script: list[str], fraction: float) -> None:
    call = Driver(cut_at=fraction)
    call.greet()
    heard = 0
    for number, act in enumerate(script):
        if call.phase() is Phase.ENDED:
            break
        match act:
            case "talk":
                call.caller_says(f"line {number}")
                call.bot_replies(f"first {number}.", f"second {number}.")
            case "noise":
                call.caller_says("", seconds=0.1)
            case "barge":
                call.happen(events.SpeechStarted(call.now))
                call.after(0.4, events.SpeechStopped(call.now + 0.4))
                call.words("")
            case "hear" if call.saying:
                say = call.saying.pop(0)
                call.happen(events.SentenceHeard(say.turn, say.sentence))
                heard += len(say.text.split())
            case "wait":
                call.after(3.0)
    cuts = sum(isinstance(order, DropPlayback) for order in call.orders)
    remembered = sum(len(line.split()) - 1 - line.endswith("—") for line in call.talk if line.startswith("bot:"))
    assert remembered <= heard + cuts * 20 * fraction
