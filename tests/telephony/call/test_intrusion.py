"""What a sound over the bot's voice was, by its words, its length, and what the bot was saying."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call import english
from telephony.call.expectation import Expectation, expectation
from telephony.call.intrusion import Intrusion, IntrusionRules, asks_for_presence, judge

ANYTHING, YES_NO, NUMBER, SPELLING = Expectation
NOISE, BACKCHANNEL, ECHO, TURN = Intrusion
RULES = IntrusionRules()

HOURS = "We are open every day from nine in the morning until ten in the evening."
BOOKED = "Your table for two is booked for Sunday at seven thirty."
PIZZA = "We have pizza with ham, with tuna and with four cheeses."
LARGE = "That is one large pizza with ham and extra cheese."
RIGHT = "A table for two on Sunday. Is that right?"
CHOICE = "Would you like delivery, or will you pick it up in our store?"
MENU = "You can say sales, support or billing."
DAY = "What day would you like to come?"
LEGAL = "This call may be recorded. Please hold on while I look at your reservation."
FREE = "There is no charge for that, so don't worry."
SILENT = ""

HEARD: list[tuple[str | None, str, Intrusion]] = [
    # no words
    (None, HOURS, NOISE),
    ("", HOURS, NOISE),
    ("   ", HOURS, NOISE),
    ("...", HOURS, NOISE),
    ("[cough]", HOURS, NOISE),
    ("(coughing) *sighs*", RIGHT, NOISE),
    ("you", HOURS, NOISE),
    ("You.", RIGHT, NOISE),
    ("The.", HOURS, NOISE),
    ("Thanks for watching!", HOURS, NOISE),
    ("Thank you so much for watching everyone.", HOURS, NOISE),
    ("Please subscribe.", HOURS, NOISE),
    ("👍", HOURS, NOISE),
    # a listener
    ("Mm-hmm.", HOURS, BACKCHANNEL),
    ("mhm", HOURS, BACKCHANNEL),
    ("Uh-huh.", HOURS, BACKCHANNEL),
    ("Okay.", HOURS, BACKCHANNEL),
    ("Okay, okay.", HOURS, BACKCHANNEL),
    ("Right.", HOURS, BACKCHANNEL),
    ("Right, right, right.", HOURS, BACKCHANNEL),
    ("Yeah.", HOURS, BACKCHANNEL),
    ("Yes.", HOURS, BACKCHANNEL),
    ("Oh, I see.", HOURS, BACKCHANNEL),
    ("Got it.", HOURS, BACKCHANNEL),
    ("All right, thank you.", HOURS, BACKCHANNEL),
    ("Great.", HOURS, BACKCHANNEL),
    ("That's fine.", HOURS, BACKCHANNEL),
    ("Oh wow, really?", HOURS, BACKCHANNEL),
    ("Um.", HOURS, BACKCHANNEL),
    ("Hmm.", RIGHT, BACKCHANNEL),
    ("Oh.", RIGHT, BACKCHANNEL),
    ("I see.", RIGHT, BACKCHANNEL),
    ("Hello?", HOURS, BACKCHANNEL),
    ("Hi, good morning.", HOURS, BACKCHANNEL),
    ("Okay.", DAY, BACKCHANNEL),
    ("Okay.", SILENT, BACKCHANNEL),
    ("Yeah, yeah, okay, okay, right.", HOURS, BACKCHANNEL),
    ("Yeah, yeah, okay, okay, right, right.", HOURS, TURN),
    # the same words, where a yes or a no was asked for
    ("Yes.", RIGHT, TURN),
    ("Yeah.", RIGHT, TURN),
    ("Okay.", RIGHT, TURN),
    ("Mm-hmm.", RIGHT, TURN),
    ("That's right.", RIGHT, TURN),
    ("Right.", RIGHT, TURN),
    ("Um, yes.", RIGHT, TURN),
    ("Sure, thank you.", RIGHT, TURN),
    ("Thank you.", RIGHT, BACKCHANNEL),
    ("Right?", RIGHT, ECHO),
    # a demand for the floor
    ("Stop.", HOURS, TURN),
    ("Stop, stop, stop!", HOURS, TURN),
    ("Okay, stop.", HOURS, TURN),
    ("Wait.", HOURS, TURN),
    ("Oh, wait a minute.", HOURS, TURN),
    ("No.", HOURS, TURN),
    ("No, no.", HOURS, TURN),
    ("no no no", HOURS, TURN),
    ("Hold on.", HOURS, TURN),
    ("Hold on.", LEGAL, TURN),
    ("Please hold on.", LEGAL, TURN),
    ("Excuse me.", HOURS, TURN),
    ("Sorry?", HOURS, TURN),
    ("No.", FREE, TURN),
    ("One moment.", HOURS, TURN),
    # words of the caller's own
    ("I have a question.", HOURS, TURN),
    ("Are you open on Mondays?", HOURS, TURN),
    ("Yes, but I need it earlier.", HOURS, TURN),
    ("Okay, and how much is it?", HOURS, TURN),
    ("Monday.", DAY, TURN),
    ("Actually, make that three.", BOOKED, TURN),
    ("And.", HOURS, TURN),
    ("Can I speak to a human?", SILENT, TURN),
    ("I would like to book a table for two on Sunday.", HOURS, TURN),
    ("No, not Sunday.", BOOKED, TURN),
    # the bot's own voice
    ("We are open every day from nine in the morning.", HOURS, ECHO),
    ("open every day from 9 in the morning", HOURS, ECHO),
    ("until ten in the evening", HOURS, ECHO),
    ("Until 10 in the evening.", HOURS, ECHO),
    ("We are often every day from nine in the morning.", HOURS, ECHO),
    ("are open every bay from line in the morning", HOURS, ECHO),
    ("are open every day in the morning until ten", HOURS, ECHO),
    ("table for two is booked for Sunday at 7:30", BOOKED, ECHO),
    ("Your tables for two is booked.", BOOKED, ECHO),
    ("Your table for two is boo", BOOKED, TURN),
    ("Your table for two is booke", BOOKED, ECHO),
    ("ning until ten in the evening", HOURS, ECHO),
    ("ing until ten", HOURS, TURN),
    ("orning until ten", HOURS, ECHO),
    ("until ten in the eveni", HOURS, ECHO),
    ("there is no charge for that", FREE, ECHO),
    ("This call may be recorded.", LEGAL, ECHO),
    ("hold on while I look at your reservation", LEGAL, ECHO),
    ("is that right?", RIGHT, ECHO),
    ("Is that right", RIGHT, ECHO),
    ("on Sunday. Is that right?", RIGHT, ECHO),
    ("Monday. Is that right?", RIGHT, TURN),
    ("would you like delivery", CHOICE, ECHO),
    ("a table for two on Sunday is that right", RIGHT, ECHO),
    ("The evening.", HOURS, ECHO),
    ("Morning.", HOURS, ECHO),
    # the bot's words in the caller's mouth
    ("Sunday?", BOOKED, TURN),
    ("At seven thirty?", BOOKED, TURN),
    ("Booked for Sunday at seven thirty?", BOOKED, ECHO),
    ("For Sunday at seven thirty?", BOOKED, TURN),
    ("Pizza with mushrooms?", PIZZA, TURN),
    ("Pizza with mushrooms.", PIZZA, TURN),
    ("Pizza with ham, please.", PIZZA, TURN),
    ("I want pizza with tuna and with four cheeses.", PIZZA, TURN),
    ("one large pizza with mushrooms", LARGE, TURN),
    ("One large pizza with ham and mushrooms.", LARGE, TURN),
    ("No, one large pizza with ham and extra cheese.", LARGE, TURN),
    ("Thursday at seven.", "Your table is booked for Tuesday at seven.", TURN),
    ("for Thursday at seven", "Your table is booked for Tuesday at seven.", TURN),
    ("is booked for eight thirty", BOOKED, TURN),
    ("table for three is booked for Sunday at seven", BOOKED, TURN),
    ("Delivery.", CHOICE, TURN),
    ("Pick it up in store.", CHOICE, TURN),
    ("Support.", MENU, TURN),
    ("Sales.", MENU, TURN),
    ("Sunday.", "Is it Sunday?", TURN),
    ("Sunday?", "Is it Sunday?", ECHO),
    ("Two on Sunday.", RIGHT, TURN),
    ("seven every ten evening", HOURS, TURN),
]


@pytest.mark.parametrize(("text", "bot_words", "verdict"), HEARD)
def test_a_sound_is_judged_by_its_words(text: str | None, bot_words: str, verdict: Intrusion) -> None:
    assert judge(text, 1.0, bot_words, expectation(bot_words), RULES) is verdict


# --- the thresholds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speech_s", "verdict"), [(0.0, NOISE), (1.49, NOISE), (1.5, TURN), (60.0, TURN)])
def test_a_voice_whose_words_are_not_known_takes_the_turn_in_the_end(speech_s: float, verdict: Intrusion) -> None:
    assert judge(None, speech_s, HOURS, ANYTHING, RULES) is verdict


def test_a_long_sound_without_words_is_still_noise() -> None:
    assert judge("", 60.0, HOURS, ANYTHING, RULES) is NOISE


@pytest.mark.parametrize(("speech_s", "verdict"), [(2.0, BACKCHANNEL), (2.01, TURN)])
def test_a_long_voice_said_more_than_okay(speech_s: float, verdict: Intrusion) -> None:
    assert judge("Okay.", speech_s, HOURS, ANYTHING, RULES) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("alpha beta gamma", ECHO),
        ("alpha betas gamma", ECHO),  # 0.89 alike
        ("xx beta gamma", TURN),  # one new word of three is too many
        ("xx beta gamma delta", ECHO),  # one of four is not
        ("xx yy gamma delta epsilon", TURN),
        ("xx beta gamma yy epsilon zeta eta theta", ECHO),  # two of eight
        ("xx beta gamma yy epsilon zeta eta", TURN),  # two of seven
        ("alpha beta gamma delta xx", TURN),  # the new one comes last
        ("delta gamma beta alpha", TURN),
        ("alpha beta epsilon zeta", ECHO),  # two of the bot's words missing
        ("alpha beta zeta eta", TURN),  # three
        ("alpha alpha beta gamma", ECHO),
    ],
)
def test_an_echo_has_most_words_in_the_bots_order(text: str, verdict: Intrusion) -> None:
    assert judge(text, 1.0, "alpha beta gamma delta epsilon zeta eta theta", ANYTHING, RULES) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("reservations", ECHO),  # 0.96 alike
        ("preservation", ECHO),  # 0.96
        ("rezarvatin", TURN),  # 0.73
        ("vation", ECHO),
        ("rese", ECHO),
        ("res", TURN),
        ("ion", TURN),
        ("serva", TURN),  # neither its beginning nor its end
    ],
)
def test_a_word_may_be_misheard_or_clipped(text: str, verdict: Intrusion) -> None:
    assert judge(text, 1.0, "Your reservation", ANYTHING, RULES) is verdict


def test_words_are_clipped_only_at_the_ends() -> None:
    bot = "Your reservation tomorrow"
    assert judge("vation tomo", 1.0, bot, ANYTHING, RULES) is ECHO
    assert judge("rese tomorrow", 1.0, bot, ANYTHING, RULES) is TURN
    assert judge("tion tomorrow", 1.0, bot, ANYTHING, RULES) is ECHO
    assert judge("your vation", 1.0, bot, ANYTHING, RULES) is TURN
    assert judge("table is", 1.0, "The timetable is long, the table is free, isotope", ANYTHING, RULES) is ECHO


def test_words_that_are_mostly_strange_are_not_made_to_fit() -> None:
    assert judge("resarvation", 1.0, "Your reservation tomorrow", ANYTHING, RULES) is ECHO
    assert judge("resarvation tomorow", 1.0, "Your reservation tomorrow", ANYTHING, RULES) is TURN


def test_two_words_that_differ_as_tuesday_from_thursday_are_two() -> None:
    assert judge("tuesday", 1.0, "thursday", ANYTHING, RULES) is TURN
    assert judge("tuesday", 1.0, "thursday", ANYTHING, IntrusionRules(echo_similarity=0.8)) is ECHO
    assert judge("15", 1.0, "150", ANYTHING, IntrusionRules(echo_similarity=0.1)) is TURN


@pytest.mark.parametrize(("text", "verdict"), [("a b c d e?", TURN), ("a b c d e f?", ECHO)])
def test_a_caller_asks_back_in_a_few_words(text: str, verdict: Intrusion) -> None:
    assert judge(text, 1.0, "a b c d e f g", ANYTHING, RULES) is verdict


@pytest.mark.parametrize(("text", "verdict"), [("b c d e f", TURN), ("a b c d e f", ECHO)])
def test_a_caller_chooses_in_a_few_words(text: str, verdict: Intrusion) -> None:
    assert judge(text, 1.0, "a b c d e f or g", ANYTHING, RULES) is verdict


def test_a_question_is_only_its_own_echo() -> None:
    assert judge("this one?", 1.0, "Is it this one? It is this one.", YES_NO, RULES) is ECHO
    assert judge("that one?", 1.0, "Is it this one? It is that one.", YES_NO, RULES) is TURN


@pytest.mark.parametrize(("own", "verdict"), [(20, TURN), (22, TURN), (23, ECHO), (26, ECHO)])
def test_only_the_last_words_of_a_long_text_are_compared(own: int, verdict: Intrusion) -> None:
    bot = " ".join(f"word{chr(97 + n)}" for n in range(own))
    assert judge(f"{'other ' * 40}{bot}", 9.0, bot, ANYTHING, RULES) is verdict
    assert judge(f"{'other ' * 40}{bot}", 9.0, bot, ANYTHING, IntrusionRules(longest_text_words=own)) is ECHO


@pytest.mark.parametrize(("since", "verdict"), [(40, ECHO), (60, TURN)])
def test_only_the_last_words_of_the_bot_are_compared(since: int, verdict: Intrusion) -> None:
    bot = " ".join(f"word{chr(97 + n)}" for n in range(20))
    assert judge(bot, 9.0, f"{bot}{' other' * since}", ANYTHING, RULES) is verdict


# --- for any text --------------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([word for text, bot, _ in HEARD for word in f"{text} {bot}".split()])).map(" ".join),
)
DURATIONS = st.floats(min_value=0, max_value=100)
EXPECTATIONS = st.sampled_from(Expectation)


@given(st.none() | TEXTS, DURATIONS, DURATIONS, TEXTS, EXPECTATIONS)
def test_a_longer_voice_never_makes_less_of_a_turn(
    text: str | None, one: float, other: float, bot_words: str, expected: Expectation
) -> None:
    short, long = (judge(text, s, bot_words, expected, RULES) for s in sorted((one, other)))
    assert short is long or long is TURN


@given(TEXTS, DURATIONS, EXPECTATIONS)
def test_nothing_is_an_echo_of_silence(text: str, speech_s: float, expected: Expectation) -> None:
    assert judge(text, speech_s, "", expected, RULES) is not ECHO


@given(
    st.sampled_from(["stop", "Wait!", "No, no.", "Hold on.", "Excuse me?", "Okay, stop it."]),
    DURATIONS,
    TEXTS,
    EXPECTATIONS,
)
def test_a_demand_for_the_floor_is_always_granted(
    text: str, speech_s: float, bot_words: str, expected: Expectation
) -> None:
    assert judge(text, speech_s, bot_words, expected, RULES) is TURN


@given(st.sampled_from([HOURS, BOOKED, PIZZA, LARGE, RIGHT, CHOICE, LEGAL]), DURATIONS, st.data())
def test_the_bot_never_interrupts_itself_with_six_words_of_its_own(
    bot_words: str, speech_s: float, data: st.DataObject
) -> None:
    words = english.words(bot_words)
    first = data.draw(st.integers(0, len(words) - 6))
    last = data.draw(st.integers(first + 6, len(words)))
    text = " ".join(words[first:last]).capitalize() + data.draw(st.sampled_from(["", ".", "?"]))
    assert judge(text, speech_s, bot_words, expectation(bot_words), RULES) is ECHO


@given(st.sampled_from(["Yes.", "No, thanks.", "Yeah, sure.", "Mm-hm."]), DURATIONS)
def test_an_answer_to_a_yes_no_question_is_always_a_turn(text: str, speech_s: float) -> None:
    assert judge(text, speech_s, "Shall I book it?", YES_NO, RULES) is TURN


@pytest.mark.parametrize("text", ["Hello?", "Hello? Hello?", "Um, are you still there?", "Hi! Can you hear me?"])
def test_a_caller_who_waits_may_only_want_to_know_that_they_are_heard(text: str) -> None:
    assert asks_for_presence(text)


@pytest.mark.parametrize("text", ["", "Um.", "Yes.", "Hello, for four people.", "Are you open?", "Okay."])
def test_or_may_want_something(text: str) -> None:
    assert not asks_for_presence(text)
