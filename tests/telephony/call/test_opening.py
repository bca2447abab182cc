"""A talk that another stream takes up, and one that is left for another to take up."""

from dataclasses import replace

import pytest

from telephony.call import events
from telephony.call.actions import (
    CancelReply,
    DropPlayback,
    EndReason,
    HandOver,
    HangUp,
    RememberBot,
    RememberCaller,
    Say,
    StartReply,
    Transfer,
)
from telephony.call.opening import Opening
from telephony.call.phases import Phase
from tests.telephony.call.driver import RULES, Driver

WITHIN_S = 20.0


def taken_up(opening: Opening) -> Driver:
    call = Driver(opening=opening)
    call.happen(events.CallStarted())
    return call


@pytest.fixture
def call() -> Driver:
    """A call whose greeting was heard."""
    call = Driver()
    call.greet()
    return call


# --- taking up -----------------------------------------------------------------------------------------------------


def test_the_sentence_that_was_cut_is_said_again_and_then_the_rest() -> None:
    call = taken_up(Opening(turn=2, turns=2, heard=("At noon.",), saying=("Every day.", "Come by.")))

    assert call.orders == [Say(2, 0, "Every day."), Say(2, 1, "Come by.")]
    assert call.hear_all() == [RememberBot(2, "At noon. Every day. Come by.", interrupted=False)]
    assert call.phase() is Phase.LISTENING


def test_an_answer_that_was_not_complete_is_generated_again_without_what_was_heard() -> None:
    call = taken_up(Opening(turn=1, turns=1, is_unanswered=True, heard=("At noon.",)))

    assert call.orders == [StartReply(1)]
    assert call.happen(events.SentenceGenerated(1, "At noon.")) == []
    assert call.happen(events.SentenceGenerated(1, "Every day.")) == [Say(1, 0, "Every day.")]
    call.happen(events.ReplyFinished(1))
    assert call.hear_all() == [RememberBot(1, "At noon. Every day.", interrupted=False)]


def test_an_answer_that_turns_out_differently_is_said_whole() -> None:
    call = taken_up(Opening(turn=1, turns=1, is_unanswered=True, heard=("At noon.", "Every day.")))

    assert call.happen(events.SentenceGenerated(1, "At twelve.")) == [Say(1, 0, "At twelve.")]
    assert call.happen(events.SentenceGenerated(1, "Every day.")) == [Say(1, 1, "Every day.")]


def test_an_answer_of_which_all_was_heard_is_over() -> None:
    call = taken_up(Opening(turn=1, turns=1, is_unanswered=True, heard=("At noon.",)))
    call.happen(events.SentenceGenerated(1, "At noon."))

    assert call.happen(events.ReplyFinished(1)) == [RememberBot(1, "At noon.", interrupted=False)]


def test_between_two_turns_the_caller_is_told_to_go_on() -> None:
    assert taken_up(Opening(turn=3, turns=3)).orders == [Say(3, 0, RULES.resumed)]


def test_a_caller_who_was_handed_over_between_two_turns_hears_nothing_of_it() -> None:
    call = taken_up(Opening(turn=3, turns=3, handed_over=True))

    assert call.orders == []
    assert call.phase() is Phase.LISTENING
    assert call.caller_says("How much is it?")[-1] == StartReply(4)


def test_what_was_left_to_be_said_when_a_call_was_handed_over_is_said() -> None:
    call = taken_up(Opening(turn=1, turns=1, saying=("Every day.",), handed_over=True))

    assert call.orders == [Say(1, 0, "Every day.")]


def test_keys_that_were_pressed_count() -> None:
    call = taken_up(Opening(turn=1, turns=1, keys="12", keys_wanted=(4, "#"), saying=("Your number, please.",)))
    call.hear_all()
    call.happen(events.KeyPressed("3"))

    assert call.happen(events.KeyPressed("4"))[0] == RememberCaller(2, "1234", keyed=True)


def test_keys_that_nobody_asked_for_count_too() -> None:
    call = taken_up(Opening(turn=1, turns=1, keys="12"))
    call.hear_all()
    call.happen(events.KeyPressed("3"))

    assert RememberCaller(2, "123") in call.after(RULES.key_pause_s)


def test_a_key_pressed_before_the_engines_are_there_comes_behind_those_before() -> None:
    call = Driver(opening=Opening(turn=1, turns=1, keys="12", keys_wanted=(4, "#")))
    call.happen(events.KeyPressed("3"))
    call.happen(events.CallStarted())

    assert RememberCaller(2, "1234", keyed=True) in call.happen(events.KeyPressed("4"))


@pytest.mark.parametrize("parting", [HangUp(EndReason.GOODBYE), Transfer("+15550100143")])
def test_what_was_to_follow_the_last_words_follows_them(parting: HangUp | Transfer) -> None:
    call = taken_up(Opening(turn=1, turns=1, saying=("One moment.",), parting=parting))

    assert call.hear_all() == [RememberBot(1, "One moment.", interrupted=False), parting]


def test_with_no_words_left_it_follows_at_once() -> None:
    parting = Transfer("+15550100143")
    call = taken_up(Opening(turn=1, turns=1, heard=("One moment.",), parting=parting))

    assert call.orders == [RememberBot(1, "One moment.", interrupted=False), parting]


def test_a_notice_stays_uninterruptible() -> None:
    rules = replace(RULES, notice="This call is recorded.")
    call = Driver(rules, opening=Opening(heard=("Hello.",), saying=("This call is recorded.",)))
    call.happen(events.CallStarted())
    call.happen(events.SpeechStarted(call.now))

    assert call.after(2.0) == []


def test_a_caller_who_goes_on_before_the_engines_are_there_is_answered() -> None:
    call = Driver(opening=Opening(turn=1, turns=1, saying=("Every day.",)))
    orders = call.caller_says("Are you there?")

    assert orders[-1] == StartReply(2)
    assert call.happen(events.CallStarted()) == []


def test_turns_go_on_being_numbered_and_counted() -> None:
    call = Driver(replace(RULES, most_turns=3), opening=Opening(turn=5, turns=2))
    call.happen(events.CallStarted())
    call.hear_all()

    assert call.caller_says("How much is it?")[-1] == StartReply(6)
    assert Say(6, 0, RULES.goodbye) in call.caller_says("And that?")


# --- leaving -------------------------------------------------------------------------------------------------------


def test_a_caller_who_may_begin_to_speak_is_listened_to(call: Driver) -> None:
    assert call.happen(events.HandOverWanted(call.now + WITHIN_S)) == []

    assert HandOver() not in call.caller_says("When do you open?")
    call.bot_replies("At noon.")
    assert call.hear_all()[-1] == HandOver()
    assert call.machine.deadline() is None


def test_a_caller_who_says_nothing_is_left_once_they_were_asked_whether_they_are_there(call: Driver) -> None:
    call.happen(events.HandOverWanted(call.now + WITHIN_S))

    assert Say(0, 1, RULES.still_there) in call.after(RULES.caller_silence_s)
    assert call.hear_all()[-1] == HandOver()


def test_a_caller_who_talks_over_the_end_of_a_sentence_is_heard_out(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.bot_replies("At noon.", "Every day.")
    call.happen(events.HandOverWanted(call.now + WITHIN_S))
    call.happen(events.SpeechStarted(call.now))

    assert HandOver() not in call.happen(events.SentenceHeard(1, 0))


def test_the_sentence_being_said_is_finished_and_no_other(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.bot_replies("At noon.", "Every day.")

    assert call.happen(events.HandOverWanted(call.now + WITHIN_S)) == []
    assert call.happen(events.SentenceHeard(1, 0)) == [HandOver()]


def test_the_last_sentence_is_remembered_before_the_line_is_left(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.bot_replies("At noon.")
    call.happen(events.HandOverWanted(call.now + WITHIN_S))

    assert call.happen(events.SentenceHeard(1, 0)) == [RememberBot(1, "At noon.", interrupted=False), HandOver()]


def test_a_caller_who_talks_is_heard_out(call: Driver) -> None:
    call.happen(events.SpeechStarted(call.now))
    call.happen(events.HandOverWanted(call.now + WITHIN_S))

    orders = [*call.after(2.0), *call.caller_says("When do you open?")]
    assert HandOver() not in orders
    call.bot_replies("At noon.")
    assert call.hear_all()[-1] == HandOver()


def test_at_the_limit_it_is_left_as_it_is(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.SentenceGenerated(1, "At noon."))
    call.happen(events.HandOverWanted(call.now + 1.0))

    orders = call.after(1.0)
    assert orders == [CancelReply(1), HandOver()]
    assert not any(isinstance(order, DropPlayback | RememberBot) for order in orders)


def test_a_stream_that_breaks_ends_without_an_order_to_the_carrier(call: Driver) -> None:
    assert call.happen(events.LineLost()) == [HangUp(EndReason.LINE_LOST)]


def test_what_was_not_heard_when_the_stream_broke_is_left_to_be_said(call: Driver) -> None:
    call.caller_says("When do you open?")
    call.happen(events.SentenceGenerated(1, "At noon."))

    assert call.happen(events.LineLost()) == [CancelReply(1), HangUp(EndReason.LINE_LOST)]
