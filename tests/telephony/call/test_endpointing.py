"""How long a silence ends the turn: by what was said, by what was asked, by how this caller pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call.endpointing import Completeness, EndpointingRules, PauseModel, completeness, silence_s
from telephony.call.expectation import Expectation

ANYTHING, YES_NO, NUMBER, SPELLING = Expectation
COMPLETE, UNCLEAR, UNFINISHED = Completeness
RULES = EndpointingRules()

SAID: list[tuple[str, Expectation, Completeness]] = [
    # nothing to judge
    ("", ANYTHING, UNCLEAR),
    ("   ", YES_NO, UNCLEAR),
    ("...", NUMBER, UNCLEAR),
    ("[BLANK_AUDIO]", SPELLING, UNCLEAR),
    ("👍", ANYTHING, UNCLEAR),
    # whole sentences
    ("I'd like to book a table for two.", ANYTHING, COMPLETE),
    ("I want to cancel my reservation for tonight.", ANYTHING, COMPLETE),
    ("My internet isn't working.", ANYTHING, COMPLETE),
    ("We'd rather sit outside.", ANYTHING, COMPLETE),
    ("I don't have it with me.", NUMBER, COMPLETE),
    ("Hello. I need a taxi to the airport.", ANYTHING, COMPLETE),
    ("If I come on Sunday, I need parking.", ANYTHING, COMPLETE),
    ("You can call me back!", ANYTHING, COMPLETE),
    ("“I lost my card yesterday.”", ANYTHING, COMPLETE),
    ("I'd like to check in.", ANYTHING, COMPLETE),
    ("When do you open?", ANYTHING, COMPLETE),
    ("What time do you close on Sundays?", ANYTHING, COMPLETE),
    ("Who am I speaking to?", ANYTHING, COMPLETE),
    ("What is it like?", ANYTHING, COMPLETE),
    ("Can you tell me what the price is?", ANYTHING, COMPLETE),
    ("Hello?", ANYTHING, COMPLETE),
    ("Sunday?", ANYTHING, COMPLETE),
    ("“Really?”", ANYTHING, COMPLETE),
    # courtesies that close
    ("A large pizza, please.", ANYTHING, COMPLETE),
    ("two tickets please", ANYTHING, COMPLETE),
    ("Nothing else, thanks.", ANYTHING, COMPLETE),
    ("Thank you.", ANYTHING, COMPLETE),
    ("thank you very much", ANYTHING, COMPLETE),
    ("No, that's all.", ANYTHING, COMPLETE),
    ("Okay, bye.", ANYTHING, COMPLETE),
    # a full stop alone proves little
    ("A table.", ANYTHING, UNCLEAR),
    ("The large one.", ANYTHING, UNCLEAR),
    ("On Friday evening around seven.", ANYTHING, UNCLEAR),
    ("I lost it.", ANYTHING, UNCLEAR),
    ("Hello.", ANYTHING, UNCLEAR),
    ("Please.", ANYTHING, UNCLEAR),
    ("Anna Schmidt.", SPELLING, UNCLEAR),
    ("Tuesday, I think.", ANYTHING, UNCLEAR),
    ("I would like to book a table", ANYTHING, UNCLEAR),
    ("Yes. I do.", ANYTHING, UNCLEAR),
    ("Yes, I think so.", ANYTHING, COMPLETE),
    ("I think so.", ANYTHING, UNCLEAR),
    # the middle of a sentence
    ("I would like to book a table for.", ANYTHING, UNFINISHED),
    ("I would like", ANYTHING, UNFINISHED),
    ("Hi, I'd like.", ANYTHING, UNFINISHED),
    ("We would prefer.", ANYTHING, UNFINISHED),
    ("I want.", ANYTHING, UNFINISHED),
    ("That is what I want.", ANYTHING, COMPLETE),
    ("That is all I need.", ANYTHING, COMPLETE),
    ("My name is.", SPELLING, UNFINISHED),
    ("My name's", ANYTHING, UNFINISHED),
    ("This is.", ANYTHING, UNFINISHED),
    ("Hello, I'm.", ANYTHING, UNFINISHED),
    ("I need to change the date and.", ANYTHING, UNFINISHED),
    ("Yes, but.", YES_NO, UNFINISHED),
    ("I'm calling because", ANYTHING, UNFINISHED),
    ("It's about my.", ANYTHING, UNFINISHED),
    ("Can I speak to the?", ANYTHING, UNFINISHED),
    ("Can I have a table for?", ANYTHING, UNFINISHED),
    ("Thank you very.", ANYTHING, UNFINISHED),
    ("I'm here with Mr.", ANYTHING, UNFINISHED),
    ("So I was thinking, um.", ANYTHING, UNFINISHED),
    ("Uh", ANYTHING, UNFINISHED),
    ("Hmm.", YES_NO, UNFINISHED),
    ("On Friday,", ANYTHING, UNFINISHED),
    ("I need...", ANYTHING, UNFINISHED),
    ("Maybe tomorrow…", ANYTHING, UNFINISHED),
    ("I was just go-", ANYTHING, UNFINISHED),
    ("The thing is –", ANYTHING, UNFINISHED),
    ("“Two things:”", ANYTHING, UNFINISHED),
    ("Well.", ANYTHING, UNFINISHED),
    ("Yes. Actually.", ANYTHING, UNFINISHED),
    ("Oh hi, you know.", ANYTHING, UNFINISHED),
    ("Let me see.", NUMBER, UNFINISHED),
    ("Okay, let me find it.", NUMBER, UNFINISHED),
    ("One moment.", ANYTHING, UNFINISHED),
    ("Hold on.", ANYTHING, UNFINISHED),
    ("Could you please", ANYTHING, UNFINISHED),
    ("When I called yesterday.", ANYTHING, UNCLEAR),
    ("And when I called yesterday nobody answered.", ANYTHING, COMPLETE),
    ("The problem is", ANYTHING, UNFINISHED),
    ("Is.", ANYTHING, UNFINISHED),
    # yes and no
    ("Yes.", YES_NO, COMPLETE),
    ("yes", YES_NO, COMPLETE),
    ("Yeah, that's right.", YES_NO, COMPLETE),
    ("No.", YES_NO, COMPLETE),
    ("No, thank you.", YES_NO, COMPLETE),
    ("Mm-hmm.", YES_NO, COMPLETE),
    ("Um, yes, please.", YES_NO, COMPLETE),
    ("Yes, it is.", YES_NO, COMPLETE),
    ("Correct!", YES_NO, COMPLETE),
    ("It is.", YES_NO, COMPLETE),
    ("Yes.", ANYTHING, UNCLEAR),
    ("No, it's.", YES_NO, UNFINISHED),
    ("No, it is.", YES_NO, UNFINISHED),
    ("I know what it is.", ANYTHING, COMPLETE),
    ("Yes, on Friday.", YES_NO, UNCLEAR),
    # numbers
    ("555 201.", NUMBER, UNFINISHED),
    ("Five.", NUMBER, UNFINISHED),
    ("It's 555-20.", NUMBER, UNFINISHED),
    ("five five five, two oh one", NUMBER, UNFINISHED),
    ("555 201?", NUMBER, UNFINISHED),
    ("555-2013.", NUMBER, UNCLEAR),
    ("555 201 39 9.", NUMBER, UNCLEAR),
    ("555-201-3999.", NUMBER, COMPLETE),
    ("It's 555, 201, uh, 3999.", NUMBER, COMPLETE),
    ("five five five two oh one three nine double nine", NUMBER, COMPLETE),
    ("1 555 201 399", NUMBER, UNCLEAR),
    ("1-555-201-3999", NUMBER, COMPLETE),
    ("0207 946 001", NUMBER, UNCLEAR),
    ("0207 946 0018", NUMBER, COMPLETE),
    ("2207 946 0018", NUMBER, UNCLEAR),
    ("4111 1111 1111 1111", NUMBER, UNCLEAR),
    ("My phone number is 555 201.", ANYTHING, UNFINISHED),
    ("My phone number is 555 201 3999.", ANYTHING, COMPLETE),
    ("Sure.", NUMBER, UNFINISHED),
    ("Yes, of course.", NUMBER, UNFINISHED),
    ("Okay.", ANYTHING, UNCLEAR),
    ("Two.", ANYTHING, UNCLEAR),
    ("At seven thirty.", ANYTHING, UNCLEAR),
    ("Room 555.", ANYTHING, UNCLEAR),
    ("555 20", ANYTHING, UNCLEAR),
    ("555 201", ANYTHING, UNFINISHED),
    ("555201", ANYTHING, UNCLEAR),
    ("Five five five.", ANYTHING, UNFINISHED),
    ("five five", ANYTHING, UNCLEAR),
    ("555 201 3999", ANYTHING, COMPLETE),
    ("555 201, that was it", NUMBER, UNCLEAR),
    ("We are 2. It's 5 5 5", ANYTHING, UNFINISHED),
    ("We are 12. It's 55 201", ANYTHING, UNCLEAR),
    # spelled names
    ("S M I.", SPELLING, UNFINISHED),
    ("S.", SPELLING, UNFINISHED),
    ("S-M-I-T-H.", SPELLING, UNFINISHED),
    ("Smith, S-M-I-T-H.", SPELLING, COMPLETE),
    ("It's Smith. S. M. I. T. H.", SPELLING, COMPLETE),
    ("Smith, S-M-I-T.", SPELLING, UNFINISHED),
    ("B as in Bravo.", SPELLING, UNFINISHED),
    ("S for sugar.", ANYTHING, UNFINISHED),
    ("I for one.", ANYTHING, UNCLEAR),
    ("S M.", ANYTHING, UNCLEAR),
    ("S M I.", ANYTHING, UNFINISHED),
    ("That is spelled S.", ANYTHING, UNFINISHED),
    ("Plan B.", ANYTHING, UNCLEAR),
    ("At 7 a.m.", ANYTHING, UNCLEAR),
    ("Sure.", SPELLING, UNFINISHED),
    ("anna at gmail dot", SPELLING, UNFINISHED),
    ("anna at gmail dot com", SPELLING, UNCLEAR),
]


@pytest.mark.parametrize(("text", "expected", "verdict"), SAID)
def test_the_words_show_whether_more_is_to_come(text: str, expected: Expectation, verdict: Completeness) -> None:
    assert completeness(text, expected, RULES) is verdict


# --- the thresholds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "silence"), [("Yes.", 0.3), ("Friday.", 0.5), ("On.", 1.2), (None, 0.5), ("", 0.5)])
def test_each_verdict_has_its_silence(text: str | None, silence: float) -> None:
    assert silence_s(text, YES_NO, None, RULES) == silence
    assert silence_s(text, YES_NO, PauseModel(RULES), RULES) == pytest.approx(silence)


@pytest.mark.parametrize(
    ("rules", "text", "verdict"),
    [
        (EndpointingRules(sentence_words=3), "I lost it.", COMPLETE),
        (EndpointingRules(sentence_words=5), "I lost it there.", UNCLEAR),
        (EndpointingRules(number_digits=6), "My number is 555 201", UNCLEAR),
        (EndpointingRules(number_digits=11), "My number is 555 201 3999", UNFINISHED),
        (EndpointingRules(stray_groups=2), "5 5", UNFINISHED),
        (EndpointingRules(stray_groups=4), "5 5 5", UNCLEAR),
        (EndpointingRules(stray_digits=5), "555 20", UNFINISHED),
        (EndpointingRules(stray_letters=2), "S M", UNFINISHED),
        (EndpointingRules(stray_letters=4), "S M I", UNCLEAR),
    ],
)
def test_each_threshold_decides(rules: EndpointingRules, text: str, verdict: Completeness) -> None:
    assert completeness(text, ANYTHING, rules) is verdict


def test_the_operators_normal_silence_moves_the_others() -> None:
    assert EndpointingRules.around(0.5) == RULES
    rules = EndpointingRules.around(2.0)
    assert (rules.short_s, rules.normal_s, rules.long_s) == (1.2, 2.0, 2.7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"short_s": 0.0},
        {"short_s": 0.51},
        {"long_s": 0.49},
        {"quickest_pace": 0.0},
        {"quickest_pace": 1.01},
        {"slowest_pace": 0.99},
    ],
)
def test_thresholds_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        EndpointingRules(**wrong)  # type: ignore[arg-type]


def test_thresholds_may_be_equal() -> None:
    EndpointingRules(short_s=0.5, normal_s=0.5, long_s=0.5, quickest_pace=1, slowest_pace=1)


# --- the caller's own pauses ---------------------------------------------------------------------------------------


def test_a_caller_who_has_not_paused_yet_gets_the_normal_silence() -> None:
    pauses = PauseModel(RULES)
    assert pauses.pace == pytest.approx(1)
    assert pauses.usual_s * 1.3 == pytest.approx(0.5)


def test_each_pause_moves_the_usual_one_by_its_share() -> None:
    rules = EndpointingRules(normal_s=0.65, pause_margin=1.3, pause_weight=0.25)
    pauses = PauseModel(rules)
    pauses.went_on(0.9)
    assert pauses.usual_s == pytest.approx(0.6)
    assert silence_s("Friday.", ANYTHING, pauses, rules) == pytest.approx(0.6 * 1.3)
    assert silence_s("On.", ANYTHING, pauses, rules) == pytest.approx(1.2 * 0.6 / 0.5)


@pytest.mark.parametrize(("pause_s", "pace"), [(0.1, 0.8), (-3.0, 0.8), (1.5, 1.5), (1000.0, 1.5)])
def test_what_is_learnt_stays_inside_its_bounds(pause_s: float, pace: float) -> None:
    pauses = PauseModel(RULES)
    for _ in range(50):
        pauses.went_on(pause_s)
    assert pauses.pace == pace
    assert silence_s("Friday.", ANYTHING, pauses, RULES) == 0.5 * pace


@pytest.mark.parametrize(
    ("pause_s", "counts_s"), [(0.0, 0.0), (-1.0, 0.0), (0.05, 0.05), (1.95, 1.95), (2.0, 2.0), (60.0, 2.0)]
)
def test_one_odd_pause_counts_for_no_more_than_the_longest(pause_s: float, counts_s: float) -> None:
    pauses = PauseModel(RULES)
    pauses.went_on(pause_s)
    assert pauses.usual_s == pytest.approx(0.75 * 0.5 / 1.3 + 0.25 * counts_s)


# --- for any text --------------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([word for text, _, _ in SAID for word in text.split()]), max_size=12).map(" ".join),
)
PAUSES = st.lists(st.floats(min_value=-1, max_value=1e6), max_size=20)


def learnt(silences: list[float]) -> PauseModel:
    pauses = PauseModel(RULES)
    for silence in silences:
        pauses.went_on(silence)
    return pauses


@given(st.none() | TEXTS, st.sampled_from(Expectation), PAUSES)
def test_no_text_and_no_pauses_lead_outside_the_bounds(
    text: str | None, expected: Expectation, silences: list[float]
) -> None:
    silence = silence_s(text, expected, learnt(silences), RULES)
    assert RULES.short_s * RULES.quickest_pace <= silence <= RULES.long_s * RULES.slowest_pace
    assert silence_s(text, expected, None, RULES) in (RULES.short_s, RULES.normal_s, RULES.long_s)


@given(TEXTS, st.sampled_from(Expectation), PAUSES, st.floats(min_value=0, max_value=10), st.floats(0, 10))
def test_a_caller_who_pauses_longer_is_never_answered_sooner(
    text: str, expected: Expectation, silences: list[float], one: float, other: float
) -> None:
    short, long = learnt([*silences, min(one, other)]), learnt([*silences, max(one, other)])
    assert silence_s(text, expected, short, RULES) <= silence_s(text, expected, long, RULES)


@given(TEXTS, st.sampled_from(["and", "um", "the", "my", "I'm", "because", "...", ","]), st.sampled_from(Expectation))
def test_any_words_that_break_off_are_waited_for(text: str, more: str, expected: Expectation) -> None:
    text = "so " + text.translate(str.maketrans("[(*", "   ")) + " " + more
    assert silence_s(text, expected, None, RULES) == RULES.long_s


@given(st.text(alphabet="0123456789", min_size=1, max_size=6), st.integers(1, 3))
def test_a_number_is_waited_for_until_it_has_digits_enough(digits: str, group: int) -> None:
    groups = " ".join(digits[i : i + group] for i in range(0, len(digits), group))
    assert completeness(groups, NUMBER, RULES) is UNFINISHED


@given(TEXTS, st.sampled_from(Expectation))
def test_a_full_stop_alone_never_makes_a_turn_wait_longer(text: str, expected: Expectation) -> None:
    bare = text.rstrip(" \n.,;:?!…–—-\"'”’")
    assert silence_s(bare + ".", expected, None, RULES) <= silence_s(bare, expected, None, RULES)
