"""The caller's side: when a turn opens, what is recognised when, and when it is over."""

import pytest

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


def test_who_speaks_again_long_after_their_turn_had_ended_has_not_paused() -> None:
    silences: list[float] = []
    for again_at in (1.0, 4.1, 4.0):
        caller = TurnTaker(LEARNING)
        pause(caller, 1.0, 2.0, "Sunday")
        caller.close()
        caller.speech_started(again_at, too_soon=again_at > 2.0)
        caller.speech_stopped(5.0, now=5.0)
        caller.transcript("Sunday")
        silences.append((caller.deadline() or 0.0) - 5.0)

    assert silences[0] == silences[1] == LEARNING.endpointing.normal_s
    assert silences[2] > silences[0]


def test_a_caller_who_pauses_briefly_is_answered_sooner() -> None:
    caller = TurnTaker(LEARNING)
    pause(caller, 1.0, 2.0, "Well")
    first = caller.deadline()
    pause(caller, 2.125, 4.0, "Well")

    assert first is not None
    assert (caller.deadline() or 9.0) - 4.0 < first - 2.0


# --- a recogniser that tells its words while the caller speaks ---------------------------------------------------

STREAMING = CallRules(transcribe_at_pause=False, transcript_limit_s=8.0)
SILENCES = STREAMING.endpointing


def streamed(words: str, rules: CallRules = STREAMING) -> TurnTaker:
    """The caller has said this from 1.0 to 2.0, and the words have come while they spoke."""
    caller = TurnTaker(rules)
    caller.speech_started(1.0)
    caller.words_so_far(words, now=1.9)
    caller.speech_stopped(2.0, now=2.2)
    return caller


@pytest.mark.parametrize(
    ("words", "silence_s"),
    [
        ("Is that open on Sunday?", SILENCES.short_s),
        ("On Sunday", SILENCES.normal_s),
        ("I am coming with my", SILENCES.long_s),
    ],
)
def test_words_so_far_say_how_long_the_silence_must_be(words: str, silence_s: float) -> None:
    caller = streamed(words)

    assert caller.words == words
    assert caller.deadline() == 2.0 + silence_s
    assert caller.poll(2.0 + silence_s) == ([Transcribe(1, 1)], None)
    assert not caller.is_transcribed


def test_words_that_come_after_the_pause_count_from_the_pause() -> None:
    caller = streamed("I am coming with my")
    caller.words_so_far(" I am coming with my brother ", now=2.4)

    assert caller.words == "I am coming with my brother"
    assert caller.deadline() == 2.0 + SILENCES.normal_s


def test_words_are_not_known_while_the_caller_talks_nor_those_of_before_a_pause_after_it() -> None:
    caller = TurnTaker(STREAMING)
    caller.speech_started(1.0)
    caller.words_so_far("I want", now=1.9)
    assert caller.words is None
    caller.speech_stopped(2.0, now=2.2)
    caller.speech_started(2.4)
    caller.speech_stopped(3.0, now=3.2)

    assert caller.words is None
    assert caller.deadline() == pytest.approx(3.0 + SILENCES.normal_s, abs=0.1)


def test_the_last_word_of_the_recogniser_takes_the_place_of_those_so_far() -> None:
    caller = streamed("When do you open")
    caller.poll(2.5)
    caller.transcript("When do you open?")
    caller.words_so_far("When", now=2.6)

    assert not caller.hears(1)
    assert caller.is_transcribed
    assert caller.poll(2.6)[1] == CallerTurn(1, "When do you open?", 1.0, 2.0, understood=True)


@pytest.mark.parametrize("answer", ["", " ", None])
def test_a_recogniser_that_ends_without_words_is_held_to_those_it_gave(answer: str | None) -> None:
    caller = streamed("On Sunday")
    caller.poll(2.5)
    caller.transcript(answer)

    assert caller.poll(2.6)[1] == CallerTurn(1, "On Sunday", 1.0, 2.0, understood=True)


def test_so_is_one_that_does_not_end() -> None:
    caller = streamed("On Sunday")
    caller.poll(2.5)

    assert caller.poll(10.4) == ([], None)
    assert caller.poll(10.5)[1] == CallerTurn(1, "On Sunday", 1.0, 2.0, understood=True)


def test_an_engines_opinion_stands_until_the_pause_is_noticed() -> None:
    caller = TurnTaker(STREAMING)
    caller.speech_started(1.0)
    caller.words_so_far("On Sunday", now=1.9)
    caller.engine_says_over()

    assert caller.poll(2.1) == ([], None)
    caller.speech_stopped(2.0, now=2.2)
    assert caller.deadline() == 2.0
    assert caller.poll(2.2) == ([Transcribe(1, 1)], None)
    caller.transcript("On Sunday, with my")
    assert caller.poll(2.3)[1] is not None


def test_an_engines_opinion_is_out_of_date_once_the_caller_says_more() -> None:
    for more in (
        lambda caller: caller.words_so_far("On Sunday or", now=2.3),
        lambda caller: (caller.speech_started(2.3), caller.speech_stopped(2.4, now=2.6)),
    ):
        caller = streamed("On Sunday")
        caller.engine_says_over()
        caller.words_so_far("On Sunday.", now=2.2)  # the same words, written another way
        assert caller.deadline() == 2.0
        more(caller)
        assert (caller.deadline() or 0.0) > 2.6


def test_where_no_voice_is_noticed_the_words_tell_how_long_the_caller_talks() -> None:
    caller = TurnTaker(STREAMING)
    assert caller.words_missed(1.0, now=1.0) == [Listen(1)]
    caller.words_so_far("Yes", now=1.0)
    caller.words_so_far("Yes", now=1.2)
    assert caller.deadline() == 1.0 + SILENCES.normal_s
    caller.words_so_far("Yes on Sunday", now=1.5)

    assert caller.speech_s == 0.5
    assert caller.deadline() == 1.5 + SILENCES.normal_s
    assert caller.words_missed(1.6, now=1.6) == []


def test_words_without_a_voice_do_not_keep_a_turn_open_for_ever() -> None:
    caller = TurnTaker(STREAMING)
    caller.words_missed(1.0, now=1.0)
    for second in range(2, 90):
        caller.words_so_far(f"word {second}", now=float(second))

    assert caller.deadline() == 1.0 + STREAMING.longest_turn_s + SILENCES.normal_s


def test_a_voice_that_is_noticed_late_belongs_to_the_words_that_were_there_before() -> None:
    caller = TurnTaker(STREAMING)
    caller.words_missed(1.0, now=1.0)
    caller.words_so_far("On Sunday", now=1.0)

    assert caller.speech_started(0.9) == []
    assert caller.talking_since == 1.0
    caller.speech_stopped(1.5, now=1.7)
    assert caller.words == "On Sunday"
    caller.words_so_far("On Sunday then", now=1.8)
    assert caller.deadline() == 1.5 + SILENCES.normal_s  # nor was there a pause to learn from


def test_words_that_will_do_end_the_turn_after_a_short_silence_and_without_a_last_word() -> None:
    caller = streamed("Okay")
    caller.settle()

    assert caller.deadline() == 2.0 + SILENCES.short_s
    assert caller.poll(2.3) == ([StopListening(1)], CallerTurn(1, "Okay", 1.0, 2.0, understood=True))


def test_that_short_silence_is_longer_for_a_caller_who_pauses_long() -> None:
    caller = streamed("Well")
    caller.speech_started(3.5)
    caller.words_so_far("Well okay", now=3.8)
    caller.speech_stopped(4.0, now=4.2)
    caller.settle()

    assert (caller.deadline() or 0.0) > 4.0 + SILENCES.short_s


def test_words_that_would_do_no_longer_do_when_the_caller_says_more() -> None:
    for more in (
        lambda caller: caller.words_so_far("Okay but", now=2.2),
        lambda caller: (caller.speech_started(2.2), caller.speech_stopped(2.25, now=2.3)),
    ):
        caller = streamed("Okay")
        caller.settle()
        more(caller)
        assert caller.poll(2.4) == ([], None)
        assert caller.poll(4.0) == ([Transcribe(1, 1)], None)


def test_only_what_is_said_of_the_open_turn_is_heard() -> None:
    caller = TurnTaker(STREAMING)
    assert not caller.hears(1)
    caller.speech_started(1.0)
    assert caller.hears(1)
    assert not caller.hears(2)
