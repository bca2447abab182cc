"""The bot's words: said, heard, failed and cut."""

from hypothesis import given
from hypothesis import strategies as st

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
