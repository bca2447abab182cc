"""The bot's words: said, heard, failed and cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.spoken import speakable
from telephony.call.speech import BotSpeech


def said(*sentences: str) -> BotSpeech:
    speech = BotSpeech(turn=1)
    for sentence in sentences:
        speech.say(sentence)
    return speech


def test_hearing_a_sentence_proves_that_those_before_it_were_heard() -> None:
    speech = said("One.", "Two.", "Three.")
    speech.was_heard(1)

    assert speech.text == "One. Two."
    assert list(speech.pending) == [2]


def test_a_failed_sentence_is_not_heard() -> None:
    speech = said("One.", "Two.")
    speech.failed(0)
    speech.was_heard(1)

    assert speech.text == "Two."


def test_a_cut_keeps_the_words_that_were_reached() -> None:
    speech = said("One.", "Two three four five.")
    speech.was_heard(0)
    speech.cut(1, 0.5)

    assert speech.text == "One. Two three"
    assert not speech.pending


def test_numbers_go_on_in_the_next_run() -> None:
    following = said("One.", "Two.").following()

    assert following.say("Three.") == 2
    assert following.text == ""


@given(st.text(alphabet="ab ", max_size=40), st.floats(0, 1))
def test_a_cut_never_credits_more_words_than_the_fraction(sentence: str, fraction: float) -> None:
    speech = said(sentence)
    speech.cut(0, fraction)

    assert len(speech.text.split()) <= len(sentence.split()) * fraction
    assert sentence.split()[: len(speech.text.split())] == speech.text.split()


def test_only_words_that_must_be_heard_are_protected_until_they_were() -> None:
    speech = said("One.")
    assert not speech.is_protected

    speech.say("Two.", protected=True)
    assert speech.is_protected
    speech.was_heard(1)
    assert not speech.is_protected


def test_what_is_being_said_counts_as_said_so_far_and_what_follows_does_not() -> None:
    speech = said("One.", "Two.", "Three.")
    speech.was_heard(0)

    assert speech.text == "One."
    assert speech.text_so_far == "One. Two."


def test_a_cut_proves_that_the_sentences_before_it_were_heard() -> None:
    speech = said("One.", "Two.", "Three four.")
    speech.cut(2, 0.5)

    assert speech.text == "One. Two. Three"


ALL = "It costs $5 today."
"""To a voice: It costs 5 dollars today."""


@pytest.mark.parametrize(
    ("spoken", "heard"),
    [(0, ""), (1, "It"), (2, "It costs"), (3, "It costs"), (4, "It costs $5"), (5, ALL), (9, ALL)],
)
def test_a_voice_that_counts_its_words_has_said_those_of_the_sentence_that_they_make(spoken: int, heard: str) -> None:
    speech = said(ALL)
    speech.cut(0, 0.1, spoken)

    assert speech.text == heard


@given(st.lists(st.sampled_from(["one", "$5", "3:30", "e.g.", "12", "pm", "🍕", "&"]), max_size=12), st.integers(0, 30))
def test_a_count_of_spoken_words_never_credits_more_than_were_spoken(words: list[str], spoken: int) -> None:
    speech = said(" ".join(words))
    speech.cut(0, 1.0, spoken)

    heard = speech.text.split()
    assert heard == words[: len(heard)]
    assert len(speakable(speech.text).split()) <= spoken
