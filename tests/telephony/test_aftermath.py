"""What becomes of calls whose stream is over, and how the next one goes on."""

from dataclasses import replace

import pytest

from telephony.aftermath import MOST_STREAMS, WITHIN_S, after_stream, has_parted, opening
from telephony.call.actions import EndReason, HangUp, Transfer
from telephony.call.journal import Entry, Kind
from telephony.call.opening import Opening
from telephony.records.fold import KeysWanted, Talk
from telephony.twilio.after import GiveUp, Over, PutThrough, TakeUp

MANAGER = "+15550100143"
ASKED = (Entry(1.0, Kind.CALLER_SAID, {"turn": 1, "text": "When do you open?", "keyed": False}),)
TALK = Talk(told=ASKED, turn=1, turns=1, unanswered="When do you open?")


@pytest.mark.parametrize(
    "reason", [EndReason.GOODBYE, EndReason.SILENCE, EndReason.TOO_LONG, EndReason.DEFEATED], ids=lambda reason: reason
)
def test_a_talk_that_came_to_its_end_ends_the_call(reason: EndReason) -> None:
    assert after_stream(Talk(ended=reason), [0.0], 10.0) == Over()


@pytest.mark.parametrize(
    "reason",
    ["", "a fault of ours", EndReason.CALLER_LEFT, EndReason.LINE_LOST, EndReason.HANDED_OVER, EndReason.REPLACED],
)
def test_one_that_was_cut_off_goes_on(reason: str) -> None:
    assert after_stream(Talk(ended=reason), [0.0], 10.0) == TakeUp()


def test_the_carrier_knows_what_follows_a_stream_that_ended_in_order() -> None:
    unfinished = {"", EndReason.FAILED, EndReason.LINE_LOST, EndReason.HANDED_OVER, EndReason.REPLACED}
    for reason in ("", *EndReason):
        assert has_parted(Talk(ended=reason)) is (reason not in unfinished)


def test_a_bot_that_could_not_go_on_is_given_up() -> None:
    assert after_stream(Talk(ended=EndReason.FAILED), [0.0], 10.0) == GiveUp()


def test_a_transfer_that_the_carrier_was_told_of_is_made() -> None:
    for ended in ("", EndReason.TRANSFERRED):
        talk = Talk(transfer=MANAGER, is_transferring=True, ended=ended)
        assert after_stream(talk, [0.0], 10.0) == PutThrough(MANAGER)


def test_a_transfer_that_was_only_promised_goes_on_being_promised() -> None:
    talk = replace(TALK, transfer=MANAGER, saying=("One moment.",), reply_finished=True)
    assert after_stream(talk, [0.0], 10.0) == TakeUp()
    expected = Opening(turn=1, turns=1, saying=("One moment.",), parting=Transfer(MANAGER))
    assert opening(talk) == expected


def test_streams_that_break_one_after_the_other_are_not_followed_by_another() -> None:
    lately = [100.0 + number for number in range(MOST_STREAMS)]
    assert after_stream(Talk(), lately[1:], 110.0) == TakeUp()
    assert after_stream(Talk(), lately, 110.0) == GiveUp()
    assert after_stream(Talk(), lately, 110.0 + WITHIN_S) == TakeUp()


def test_a_call_in_which_nothing_was_said_begins_anew() -> None:
    assert opening(Talk()) is None
    assert opening(Talk(saying=("Hello, this is",))) is None


def test_a_turn_without_an_answer_is_answered() -> None:
    assert opening(TALK) == Opening(turn=1, turns=1, is_unanswered=True)


def test_an_answer_that_was_only_begun_is_made_again() -> None:
    talk = replace(TALK, heard=("At noon.",), saying=("Every day.",))
    assert opening(talk) == Opening(turn=1, turns=1, is_unanswered=True, heard=("At noon.",), saying=("Every day.",))


def test_an_answer_that_is_there_goes_on_where_it_was_cut() -> None:
    talk = replace(TALK, heard=("At noon.",), saying=("Every day.",), reply_finished=True)
    assert opening(talk) == Opening(turn=1, turns=1, heard=("At noon.",), saying=("Every day.",))


def test_that_an_earlier_answer_was_complete_says_nothing_of_this_one() -> None:
    assert opening(replace(TALK, reply_finished=True)) == Opening(turn=1, turns=1, is_unanswered=True)


@pytest.mark.parametrize(("length", "expected"), [(4, 4), (0, None)])
def test_keys_under_way_go_on(length: int, expected: int | None) -> None:
    talk = replace(TALK, unanswered="", keys="12", keys_wanted=KeysWanted(length, "#"))
    assert opening(talk) == Opening(turn=1, turns=1, keys="12", keys_wanted=(expected, "#"))


def test_a_goodbye_that_was_cut_is_said_before_the_call_ends() -> None:
    talk = replace(TALK, saying=("Goodbye.",), reply_finished=True, hanging_up=True)
    assert opening(talk) == Opening(turn=1, turns=1, saying=("Goodbye.",), parting=HangUp(EndReason.GOODBYE))


def test_the_next_stream_knows_whether_the_caller_noticed() -> None:
    silent = replace(TALK, unanswered="", ended=EndReason.HANDED_OVER)
    assert opening(silent) == Opening(turn=1, turns=1, handed_over=True)
    assert opening(replace(silent, ended="")) == Opening(turn=1, turns=1)
