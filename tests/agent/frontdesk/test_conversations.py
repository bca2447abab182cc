"""Whole calls with the embedded model, through its stream, with tools bound."""

from datetime import date, timedelta

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from agent.business import Business, load_business, parse_business
from agent.prompt import CallFacts, system_prompt
from tests.agent.frontdesk.desk import NOW, Caller, hang_up, take_booking, transfer_call

MORE = "Is there anything else I can help you with?"
OFFER = "Would you like to leave a message, or speak to the manager?"


async def test_a_booking_in_one_breath() -> None:
    caller = Caller()
    assert await caller.says("I'd like to book a table for four at seven pm on Friday.") == (
        "Certainly. What name should I put it under?"
    )
    assert await caller.says("My name is Jennifer Thompson.") == (
        "A table for four on Friday, November twenty-seventh at seven pm, under Jennifer Thompson. Is that right?"
    )
    assert await caller.says("yes that's right thank you") == "One moment, please."
    booking = {"what": "table", "name": "Jennifer Thompson", "party_size": 4, "date": "2026-11-27", "time": "19:00"}
    assert caller.calls == [("take_booking", booking)]
    assert await caller.tool_answers() == (
        "Your booking is made: a table for four on Friday, November twenty-seventh at seven pm, "
        f"under Jennifer Thompson. {MORE}"
    )
    assert await caller.says("no thanks") == "Thank you for calling Bella Roma. Goodbye!"
    assert caller.calls[-1][0] == "hang_up"


async def test_a_booking_word_by_word_with_a_question_and_a_correction_on_the_way() -> None:
    caller = Caller()
    assert await caller.says("can I book a table") == "Certainly. For how many people?"
    assert await caller.says("for to") == "For which day?"
    assert await caller.says("tomorrow") == "What time would you like?"
    assert await caller.says("when do you close") == (
        "Today we are open from noon to ten pm. What time would you like?"
    )
    assert await caller.says("half past six") == "What name should I put it under?"
    assert await caller.says("wait how much is the lasagna") == (
        "The lasagna is fifteen dollars. What name should I put it under?"
    )
    assert (await caller.says("smith")).startswith("A table for two on Thursday, November twenty-sixth")
    assert (await caller.says("no make it five")).startswith("A table for five on Thursday")
    assert await caller.says("no that's wrong") == "What should I change?"
    assert await caller.says("the time") == "What time would you like?"
    assert "at eight pm, under Smith" in await caller.says("ate")
    await caller.says("yes")
    assert caller.calls[0][1]["party_size"] == 5
    assert caller.calls[0][1]["time"] == "20:00"


async def test_what_cannot_be_booked_is_refused_with_the_reason() -> None:
    caller = Caller()
    assert await caller.says("book me a table on monday at eight for twelve people") == (
        "I can book a table for up to ten people. For how many people?"
    )
    assert await caller.says("six") == "I'm sorry, we are closed on Monday. For which day?"
    assert await caller.says("friday at four pm") == (
        "I'm sorry, on Friday we are open from noon to three pm and from five pm to eleven pm. "
        "What time would you like?"
    )
    assert await caller.says("today at one") == "I'm sorry, that time has passed. What time would you like?"
    assert await caller.says("never mind") == f"All right. {MORE}"
    assert caller.calls == []


async def test_a_tool_that_fails_is_not_called_a_success() -> None:
    caller = Caller()
    await caller.says("my name is Ann and I want a table for two tomorrow at seven")
    await caller.says("yes")
    said = await caller.tool_answers("It failed", failed=True)
    assert said == f"I'm sorry, something went wrong, so please don't count on that booking. {OFFER}"
    assert await caller.says("a message please") == "Certainly. What is the message?"


async def test_a_message() -> None:
    caller = Caller()
    assert await caller.says("is the cook allergic to cats") == f"I'm sorry, I don't know that. {OFFER}"
    assert await caller.says("yes please") == "Which would you like: a message or the manager?"
    assert await caller.says("leave a message") == "Certainly. What is the message?"
    assert await caller.says("what time is it on the moon I wonder") == "What is your name, please?"
    assert await caller.says("Anna Lee") == "What number can we call you back on?"
    assert await caller.says("this one") == "Sorry, I didn't get that. What number can we call you back on?"
    assert await caller.says("five five five oh one double two") == (
        "A message from Anna Lee, to call back on five five five zero one two two. Is that right?"
    )
    await caller.says("correct")
    message = {"name": "Anna Lee", "message": "what time is it on the moon I wonder", "callback_number": "5550122"}
    assert caller.calls == [("take_message", message)]
    assert await caller.tool_answers() == f"Thank you, I have taken your message. {MORE}"


async def test_the_number_that_calls_can_be_the_one_to_call_back() -> None:
    caller = Caller(system=system_prompt(load_business(), CallFacts("+15550100", None, NOW)))
    await caller.says("tell the manager I am running late my name is Bo")
    await caller.says("on this number")
    await caller.says("yes")
    assert caller.calls[0][1]["callback_number"] == "+15550100"
    assert caller.calls[0][1]["message"] == "tell the manager I am running late my name is Bo"


async def test_a_message_without_a_number() -> None:
    caller = Caller()
    await caller.says("tell the manager the oven is still on")
    await caller.says("it's Bo")
    assert await caller.says("no") == "A message from Bo, with no call back. Is that right?"
    assert await caller.says("no, the name") == "What is your name, please?"


async def test_a_transfer() -> None:
    caller = Caller()
    assert await caller.says("can I talk to the chef") == "I can put you through to the manager. Shall I?"
    assert await caller.says("yes") == "One moment, I'll put you through to the manager."
    assert caller.calls == [("transfer_call", {"destination": "manager"})]
    assert await caller.tool_answers("nobody answers", failed=True) == (
        f"I'm sorry, I could not put you through. {OFFER}"
    )
    assert await caller.says("the manager") == "One moment, I'll put you through to the manager."
    assert await caller.tool_answers() == ""


async def test_a_transfer_that_failed_is_told_by_a_note_of_the_line() -> None:
    caller = Caller()
    await caller.says("the manager please")
    caller.history[-1] = AIMessage("One moment, I'll put you through to the manager.")
    assert (
        await caller.says("[The transfer failed: nobody answered.]")
        == f"I'm sorry, I could not put you through. {OFFER}"
    )


async def test_a_long_answer_that_is_interrupted_is_dropped_for_the_new_question() -> None:
    caller = Caller()
    await caller.cuts_off("What are your opening hours?", after=30)
    assert await caller.says("How much is the large mushroom pizza?") == (
        "The large mushroom pizza is fourteen dollars."
    )
    assert await caller.says("and the small one") == "The small mushroom pizza is ten dollars."


async def test_a_reply_that_was_cut_can_be_asked_for_again() -> None:
    caller = Caller()
    whole = await caller.cuts_off("What are your opening hours?", after=20)
    assert await caller.says("sorry go on") == whole
    assert await caller.says("hello") == "Hello, how can I help you?"


async def test_yes_confirms_only_what_was_heard() -> None:
    caller = Caller()
    await caller.says("a table for four at seven pm on friday")
    whole = await caller.cuts_off("Smith", after=12)
    assert await caller.says("yes") == whole
    assert caller.calls == []
    await caller.says("yes")
    assert [name for name, _ in caller.calls] == ["take_booking"]


async def test_a_confirmation_cut_before_its_tool_call_is_asked_again() -> None:
    caller = Caller()
    await caller.says("a table for four at seven pm on friday")
    whole = await caller.says("Smith")
    await caller.cuts_off("yes", after=3)
    assert await caller.says("hello are you there") == f"Yes, I'm here. {whole}"


async def test_no_after_an_unheard_question_does_not_hang_up() -> None:
    caller = Caller()
    await caller.cuts_off("thanks", after=0)
    await caller.says("no")
    assert caller.calls == []


async def test_another_model_may_have_spoken_before() -> None:
    caller = Caller()
    caller.history += [HumanMessage("do you have rooms"), AIMessage("We are a restaurant, madam.")]
    assert await caller.says("sorry what did you say") == "We are a restaurant, madam."


async def test_a_call_is_taken_up_again_where_it_stood() -> None:
    caller = Caller()
    await caller.says("can I book a table")
    assert await caller.hears() == "For how many people?"
    caller.history = [SystemMessage("You answer the telephone.")]
    assert await caller.hears() == "Thank you for calling Bella Roma. How can I help you?"
    caller.history = [HumanMessage("[The caller is on the line.]"), AIMessage("Thank you for calling—")]
    assert await caller.hears() == "Thank you for calling Bella Roma. How can I help you?"
    assert await caller.hears() == MORE


async def test_the_day_of_the_call_comes_from_the_system_message() -> None:
    began = NOW - timedelta(days=1)
    caller = Caller(system=system_prompt(load_business(), CallFacts(None, None, began)))
    await caller.says("my name is Ann and I want a table for two today at nine pm")
    await caller.says("yes")
    assert caller.calls[0][1]["date"] == date(2026, 11, 24).isoformat()


async def test_a_system_message_with_an_impossible_date_is_no_clock() -> None:
    caller = Caller(system="It is 10:00 on Monday, February 31, 2026.")
    assert await caller.says("are you open now") == "Yes, we are open until ten pm."


async def test_only_bound_tools_are_called() -> None:
    caller = Caller(tools=[])
    assert await caller.says("can I book a table") == f"I'm sorry, I can't take bookings. {MORE}"
    assert await caller.says("can I leave a message") == f"I'm sorry, I can't take a message. {MORE}"
    assert await caller.says("the manager please") == f"I'm sorry, I can't put you through to anybody. {MORE}"
    assert await caller.says("bye") == "Thank you for calling Bella Roma. Goodbye!"
    assert caller.calls == []


async def test_what_is_offered_depends_on_the_tools() -> None:
    unknown = "do you have wifi"
    assert await Caller(tools=[hang_up, transfer_call]).says(unknown) == (
        "I'm sorry, I don't know that. Would you like to speak to the manager?"
    )
    caller = Caller(tools=[transfer_call, take_booking])
    assert await caller.says("what can you do") == (
        "I can tell you about opening hours and prices, take a booking or put you through to the manager."
    )
    await caller.says(unknown)
    assert await caller.says("yes") == "One moment, I'll put you through to the manager."


def salon() -> Business:
    return parse_business(
        """
        name: Snip
        timezone: Europe/London
        currency: GBP
        greeting: Hello.
        goodbye: Bye.
        hours: {monday: 10:00-18:00, tuesday: 10:00-18:00, wednesday: 10:00-18:00, thursday: 10:00-18:00,
                friday: 10:00-18:00, saturday: closed, sunday: closed}
        bookings: [{what: haircut, max_party_size: 1}, {what: appointment for a couple, max_party_size: 2}]
        transfer: {Maria: +44 20 7946 0000, owner: +44 20 7946 0001}
        """
    )


async def test_a_business_with_less_and_with_more() -> None:
    caller = Caller(salon())
    assert await caller.says("where are you") == (
        "I'm sorry, I don't know that. Would you like to leave a message, or speak to Maria or the owner?"
    )
    assert await caller.says("no") == f"All right. {MORE}"
    assert (await caller.says("what's on the menu")).startswith("I'm sorry, I don't know that.")
    assert (await caller.says("what's your phone number")).startswith("I'm sorry, I don't know that.")
    assert await caller.says("can I speak to someone") == (
        "I can put you through to Maria or the owner. Who would you like to speak to?"
    )
    assert await caller.says("Maria") == "One moment, I'll put you through to Maria."
    assert await caller.says("I'd like to make a booking") == (
        "Certainly. What would you like to book, a haircut or an appointment for a couple?"
    )
    assert await caller.says("a haircut") == "For which day?"
    assert await caller.says("friday at ten") == "What name should I put it under?"
    assert (
        await caller.says("Lee") == "A haircut on Friday, November twenty-seventh at ten am, under Lee. Is that right?"
    )


async def test_courtesies() -> None:
    caller = Caller()
    assert await caller.says("thank you") == f"You're welcome. {MORE}"
    assert await caller.says("yes") == "How can I help you?"
    assert await caller.says("okay") == "How can I help you?"
    assert await caller.says("um") == "Sorry, I didn't catch that. Could you say it again?"
    assert await caller.says("hi this is nothing, my name is Ann") == "Thank you, Ann. How can I help you?"
    assert await caller.says("book a table") == "Certainly. For how many people?"
    assert await caller.says("thanks") == "You're welcome. For how many people?"
    assert await caller.says("hello?") == "Yes, I'm here. For how many people?"
    assert await caller.says("do you have wifi") == "I'm sorry, I don't know that. For how many people?"
    assert await caller.says("a table please") == "Sorry, I didn't get that. For how many people?"
    assert await caller.says("two tomorrow at seven") == (
        "A table for two on Thursday, November twenty-sixth at seven pm, under Ann. Is that right?"
    )
    assert await caller.says("no I will leave a message") == "Certainly. What is the message?"
    assert await caller.says("can I leave a message") == "What number can we call you back on?"
    assert await caller.says("message the number") == "Sorry, I didn't get that. What number can we call you back on?"


async def test_a_caller_who_confirms_and_leaves_is_told_and_let_go() -> None:
    caller = Caller()
    await caller.cuts_off("What are your opening hours?", after=60)
    assert await caller.says("I would like to book a table for four on Friday at seven.") == (
        "Certainly. What name should I put it under?"
    )
    await caller.says("My name is Jennifer Thompson.")
    assert await caller.says("Yes, that is right. Thank you, goodbye.") == "One moment, please."
    assert (await caller.tool_answers()).endswith("under Jennifer Thompson. Thank you for calling Bella Roma. Goodbye!")
    assert [name for name, _ in caller.calls] == ["take_booking", "hang_up"]


async def test_the_week_is_told_when_it_is_asked_for() -> None:
    caller = Caller()
    week = await caller.says("what are your hours")
    for text in ("what days are you open", "when are you closed", "are you open all week"):
        assert await caller.says(text) == week
    assert await caller.says("what time do you open") == "Today we are open from noon to ten pm."
    assert await caller.says("can we come on saturday at four") == (
        "No, on Saturday we are open from noon to three pm and from five pm to eleven pm."
    )
    assert await caller.says("is this Bella Roma") == "I am the automatic assistant of Bella Roma."
    assert await caller.says("tell me about the restaurant") == load_business().questions[-1].answer


async def test_a_name_that_means_something_else_is_still_a_name() -> None:
    for name in ("Park", "Margherita", "Lasagna", "Mr Manager"):
        caller = Caller()
        await caller.says("a table for two tomorrow at seven")
        assert await caller.says(name) == (
            f"A table for two on Thursday, November twenty-sixth at seven pm, under {name}. Is that right?"
        )
    caller = Caller()
    await caller.says("a table for two tomorrow at seven")
    assert (await caller.says("is there parking")).startswith("Yes, there is a free car park")
