"""The caller's side: when a turn opens, what is recognised when, and when it is over."""

from telephony.call.actions import Listen, StopListening, Transcribe
from telephony.call.endpointing import EndpointingRules
from telephony.call.rules import CallRules
from telephony.call.turns import CallerTurn, TurnTaker

EVEN = EndpointingRules(short_s=0.5, normal_s=0.5, long_s=0.5, quickest_pace=1.0, slowest_pace=1.0)
RULES = CallRules(endpointing=EVEN, transcript_limit_s=8.0, longest_turn_s=60.0)


def test_voice_opens_a_turn_and_silence_with_words_closes_it() -> None:
    caller = TurnTaker(RULES)

    assert caller.speech_started(1.0) == [Listen(1)]
    assert caller.talking_since == 1.0
    assert caller.speech_stopped(2.0, now=2.2) == [Transcribe(1, 1)]
    caller.transcript(" Hello. ")

    assert caller.deadline() == 2.5
    assert caller.poll(2.49) == ([], None)
    assert caller.poll(2.5) == ([StopListening(1)], CallerTurn(1, "Hello.", 1.0, 2.0, understood=True))
    assert not caller.is_open
    assert caller.deadline() is None


def test_words_recognised_at_a_pause_are_thrown_away_if_the_caller_goes_on() -> None:
    caller = TurnTaker(RULES)
    caller.speech_started(1.0)
    caller.speech_stopped(2.0, now=2.2)
    caller.transcript("I would like")

    assert caller.speech_started(2.3) == []
    assert caller.poll(2.6) == ([], None)
    assert not caller.expects(1, 1)

    assert caller.speech_stopped(3.0, now=3.2) == [Transcribe(1, 2)]
    assert caller.expects(1, 2)
    caller.transcript("I would like a table.")
    assert caller.poll(3.5)[1] == CallerTurn(1, "I would like a table.", 2.0, 3.0, understood=True)


def test_silence_alone_does_not_close_a_turn_whose_words_are_still_awaited() -> None:
    caller = TurnTaker(RULES)
    caller.speech_started(1.0)
    caller.speech_stopped(2.0, now=2.2)

    assert caller.poll(3.0) == ([], None)
    assert caller.deadline() == 2.2 + 8.0
    assert caller.poll(10.2)[1] == CallerTurn(1, "", 1.0, 2.0, understood=False)


def test_a_caller_waits_for_their_words_from_their_last_sound_until_they_are_known() -> None:
    for words in ("Hello.", None):
        caller = TurnTaker(RULES)
        caller.speech_started(1.0)
        assert (caller.waiting_since, caller.speech_s) == (None, 0.0)
        caller.speech_stopped(2.0, now=2.2)
        assert (caller.waiting_since, caller.speech_s) == (2.0, 1.0)
        caller.transcript(words)
        assert caller.waiting_since is None


def test_a_failed_recognition_closes_the_turn_as_not_understood() -> None:
    caller = TurnTaker(RULES)
    caller.speech_started(1.0)
    caller.speech_stopped(2.0, now=2.2)
    caller.transcript(None)

    assert caller.poll(2.5)[1] == CallerTurn(1, "", 1.0, 2.0, understood=False)


def test_a_streaming_recogniser_is_asked_when_the_caller_has_finished_not_at_each_pause() -> None:
    caller = TurnTaker(CallRules(endpointing=EVEN, transcribe_at_pause=False))
    caller.speech_started(1.0)

    assert caller.speech_stopped(2.0, now=2.2) == []
    assert caller.deadline() == 2.5
    assert caller.poll(2.5) == ([Transcribe(1, 1)], None)
    caller.transcript("Yes.")
    assert caller.poll(2.6)[1] == CallerTurn(1, "Yes.", 1.0, 2.0, understood=True)


def test_a_caller_who_talks_too_long_is_answered_all_the_same() -> None:
    caller = TurnTaker(RULES)
    caller.speech_started(1.0)

    assert caller.deadline() == 61.0
    assert caller.poll(60.9) == ([], None)
    assert caller.poll(61.0) == ([Transcribe(1, 1)], None)
    caller.transcript("On and on.")
    turn = caller.poll(61.1)[1]
    assert turn is not None
    assert turn.text == "On and on."


def test_edges_out_of_place_change_nothing() -> None:
    caller = TurnTaker(RULES)

    assert caller.speech_stopped(1.0, now=1.2) == []
    assert caller.close() == []
    caller.speech_started(2.0)
    caller.speech_stopped(3.0, now=3.2)
    assert caller.speech_stopped(4.0, now=4.2) == []


def test_a_closed_turn_wants_no_more_answers() -> None:
    caller = TurnTaker(RULES)
    caller.speech_started(1.0)
    caller.speech_stopped(2.0, now=2.2)

    assert caller.close() == [StopListening(1)]
    assert not caller.expects(1, 1)
    assert caller.take_number() == 2


LEARNING = CallRules()


def pause(caller: TurnTaker, started_at: float, stopped_at: float, words: str) -> None:
    caller.speech_started(started_at)
    caller.speech_stopped(stopped_at, now=stopped_at)
    caller.transcript(words)


def test_how_long_the_silence_must_be_depends_on_the_words() -> None:
    rules = LEARNING.endpointing
    for words, silence in (("I am coming with my", rules.long_s), ("Is that open on Sunday?", rules.short_s)):
        caller = TurnTaker(LEARNING)
        pause(caller, 1.0, 2.0, words)
        assert caller.deadline() == 2.0 + silence


def test_a_caller_who_pauses_long_is_given_longer() -> None:
    caller = TurnTaker(LEARNING)
    pause(caller, 1.0, 2.0, "Well")
    first = caller.deadline()
    pause(caller, 3.0, 4.0, "Well")

    assert first is not None
    assert (caller.deadline() or 0.0) - 4.0 > first - 2.0


def test_a_caller_who_pauses_long_is_given_longer_before_a_streaming_recogniser_is_asked() -> None:
    caller = TurnTaker(CallRules(transcribe_at_pause=False))
    caller.speech_started(1.0)
    caller.speech_stopped(2.0, now=2.0)
    caller.speech_started(4.0)
    caller.speech_stopped(5.0, now=5.0)

    assert (caller.deadline() or 0.0) - 5.0 > LEARNING.endpointing.normal_s


def test_a_turn_that_was_ended_too_soon_teaches_patience_as_well() -> None:
    patient, other = TurnTaker(LEARNING), TurnTaker(LEARNING)
    for caller in (patient, other):
        pause(caller, 1.0, 2.0, "Well")
        caller.close()
        caller.speech_started(3.5, too_soon=caller is patient)
        caller.speech_stopped(4.0, now=4.0)
        caller.transcript("Well")

    assert (patient.deadline() or 0.0) > (other.deadline() or 0.0)


def test_a_caller_who_pauses_briefly_is_answered_sooner() -> None:
    caller = TurnTaker(LEARNING)
    pause(caller, 1.0, 2.0, "Well")
    first = caller.deadline()
    pause(caller, 2.125, 4.0, "Well")

    assert first is not None
    assert (caller.deadline() or 9.0) - 4.0 < first - 2.0
