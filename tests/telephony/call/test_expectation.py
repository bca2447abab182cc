"""What the bot's words ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call import english
from telephony.call.expectation import Expectation, expectation, is_answer

ANYTHING, YES_NO, NUMBER, SPELLING = Expectation

ASKED: list[tuple[str, Expectation]] = [
    # nothing in particular
    ("", ANYTHING),
    ("...", ANYTHING),
    ("Hello, how can I help you?", ANYTHING),
    ("We are open from nine to five.", ANYTHING),
    ("Your number is on file.", ANYTHING),
    ("What time would you like to come?", ANYTHING),
    ("How many people?", ANYTHING),
    ("When would suit you?", ANYTHING),
    ("Can you tell me what the problem is?", ANYTHING),
    ("Could you say it again?", ANYTHING),
    ("Please tell me more.", ANYTHING),
    ("Have a nice day!", ANYTHING),
    ("Is that for today or tomorrow?", ANYTHING),
    ("Would you like delivery or pickup?", ANYTHING),
    ("What is your zip code?", ANYTHING),
    ("What are the last four digits of your card?", ANYTHING),
    ("Do you know which day suits you?", ANYTHING),
    ("Is it Friday? What time would you like?", ANYTHING),
    ("Is that right? I have it here. I do.", ANYTHING),
    ("Right.", ANYTHING),
    ("Is that the case.", ANYTHING),
    # yes or no
    ("Is that right?", YES_NO),
    ("Your number is 555 201 3999. Is that right?", YES_NO),
    ("Friday at seven, is that correct?", YES_NO),
    ("So that's Friday at seven, right?", YES_NO),
    ("That's a table for two, correct?", YES_NO),
    ("A table for two, okay?", YES_NO),
    ("It is Friday, isn't it?", YES_NO),
    ("Are you still there?", YES_NO),
    ("Anything else?", YES_NO),
    ("Any allergies?", YES_NO),
    ("Is there anything else I can do for you?", YES_NO),
    ("Would you like to change your phone number?", YES_NO),
    ("Is 555 2013 still your phone number?", YES_NO),
    ("Did you say two or not?", YES_NO),
    ("Okay, so would Friday work?", YES_NO),
    ("Great. And do you want a receipt?", YES_NO),
    ("If that is too late, would six be better?", YES_NO),
    ("Can I help you with anything else?", YES_NO),
    ("Can I get you anything else?", YES_NO),
    ("Shall I put you through?", YES_NO),
    ("Should I repeat that? It is no trouble.", YES_NO),
    ("Is this your order number?", YES_NO),
    # a number
    ("What is your phone number?", NUMBER),
    ("What's the best number to reach you?", NUMBER),
    ("May I have your phone number, please?", NUMBER),
    ("Could you please give me your order number?", NUMBER),
    ("Can you repeat the account number?", NUMBER),
    ("Can I just take your mobile number?", NUMBER),
    ("Please tell me your phone number.", NUMBER),
    ("Tell me your card number.", NUMBER),
    ("I'll need your booking number.", NUMBER),
    ("I just need your phone number.", NUMBER),
    ("And what is your reference number?", NUMBER),
    ("Thanks, Anna. And what is your number?", NUMBER),
    ("Do you have your account number?", NUMBER),
    ("What is your phone number? I will send you a message.", NUMBER),
    ("Sorry, what was the confirmation number?", NUMBER),
    # letters, or a name
    ("Could you spell that?", SPELLING),
    ("Could you spell that for me, please?", SPELLING),
    ("How do you spell your last name?", SPELLING),
    ("Would you mind spelling it?", SPELLING),
    ("Please spell your phone number letter by letter.", SPELLING),
    ("What's your name?", SPELLING),
    ("May I have your full name?", SPELLING),
    ("What is the name on the booking?", SPELLING),
    ("And your first name is what? What is your email?", SPELLING),
    ("Can I take your e-mail address?", SPELLING),
    ("Who am I speaking with?", SPELLING),
    ("Your last name?", SPELLING),
    ("Great, and your name?", SPELLING),
    # whose answers look like one another's
    ("Your phone number?", NUMBER),
    ("Your order number is 55?", YES_NO),
    ("Your name is Anna?", YES_NO),
    ("Which address is correct?", ANYTHING),
    ("What time is it?", ANYTHING),
    ("For how many?", ANYTHING),
    ("Friday at seven?", YES_NO),
    ("Friday or Saturday?", ANYTHING),
    ("What I have is Friday, is that right?", YES_NO),
    ("Was that what you meant?", YES_NO),
    ("Ready?", YES_NO),
]


@pytest.mark.parametrize(("bot_text", "expected"), ASKED)
def test_the_last_question_or_request_says_what_is_expected(bot_text: str, expected: Expectation) -> None:
    assert expectation(bot_text) is expected


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("Yes.", True),
        ("No, thank you very much.", True),
        ("Um, yeah, that's right.", True),
        ("Uh-huh.", True),
        ("Please.", True),
        ("I don't think so.", True),
        ("Um.", False),
        ("", False),
        ("Thank you.", False),
        ("Oh, thanks.", False),
        ("Yes, on Friday.", False),
        ("No, it's Friday.", False),
        ("Nobody.", False),
    ],
)
def test_an_answer_is_a_yes_or_no_and_nothing_else(text: str, answers: bool) -> None:
    assert is_answer(english.words(text), YES_NO) is answers


@pytest.mark.parametrize("expected", [ANYTHING, NUMBER, SPELLING])
def test_yes_answers_only_a_yes_no_question(expected: Expectation) -> None:
    assert not is_answer(["yes"], expected)


@given(st.text())
def test_any_text_of_the_bot_asks_for_something(bot_text: str) -> None:
    assert expectation(bot_text) in Expectation


@given(st.text(alphabet=st.characters(exclude_characters="?"), max_size=60))
def test_only_a_question_expects_yes_or_no(statement: str) -> None:
    assert expectation(statement) is not YES_NO
