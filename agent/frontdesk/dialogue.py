"""One turn of the conversation: a state and what the caller said give the next state, with the reply that is due."""

from collections.abc import Callable
from dataclasses import replace

from agent.frontdesk import answers
from agent.frontdesk.desk import Desk, called
from agent.frontdesk.forms import check, cleared, fill, question, ready, start_booking
from agent.frontdesk.intents import Intent
from agent.frontdesk.spoken import listed
from agent.frontdesk.state import Ask, BookingForm, Form, MessageForm, Reply, State, ToolCall
from agent.frontdesk.understanding import Context, Heard, understand

_MORE = "Is there anything else I can help you with?"
_IGNORANT = "I'm sorry, I don't know that."
_UNCLEAR = "Sorry, I didn't catch that. Could you say it again?"


def begin(desk: Desk) -> State:
    """Before anybody has spoken: the greeting is due."""
    return State(Reply(desk.business.greeting))


def turn(state: State, text: str, desk: Desk) -> State:
    """The state after the caller said `text`; whether the reply was heard, the history will tell."""
    heard = understand(
        text, desk.lexicon, desk.now.date(), Context(state.ask, state.form is not None, state.topic, state.items)
    )
    after = _turn(replace(state, name=heard.name or state.name, leaving=False), heard, desk)
    topic = heard.intent if after.form is None else None
    return replace(after, topic=topic, items=heard.items, heard=False, calling=None)


def _turn(state: State, heard: Heard, desk: Desk) -> State:
    if state.form is not None and state.ask is Ask.TEXT and heard.intent not in _NOT_DICTATED:
        return _go_on(state, state.form, heard, desk)
    if _is_answer(state, heard):
        return _answered(state, heard, desk)
    if heard.intent in _TURNS:
        return _TURNS[heard.intent](state, heard, desk)
    if (fact := _fact(heard, desk)) is not None:
        return _then(state, fact, desk)
    if state.form is not None:
        return _go_on(state, state.form, heard, desk)
    if heard.intent in (Intent.YES, Intent.NO, Intent.UNCLEAR):
        return _say(state, "How can I help you?") if heard.yes is not None else _say(state, _UNCLEAR, state.ask)
    if heard.name and not heard.asking:
        return _say(state, f"Thank you, {heard.name}. How can I help you?")
    return _helpless(state, _IGNORANT, desk)


def _is_answer(state: State, heard: Heard) -> bool:
    """Whether the turn says yes or no to a question that was heard, perhaps with thanks."""
    if heard.yes is None or state.ask is None or not state.heard:
        return False
    courtesy = heard.intent is Intent.THANKS or (heard.intent is Intent.BYE and state.ask is Ask.CONFIRM and heard.yes)
    return heard.intent in (Intent.YES, Intent.NO) or courtesy


def _answered(state: State, heard: Heard, desk: Desk) -> State:
    if state.form is not None:
        return _go_on(state, state.form, heard, desk)
    match state.ask, heard.yes:
        case Ask.ANYTHING_ELSE, False:
            return _goodbye(state, desk)
        case Ask.OFFER_PERSON, True:
            return _put_through(state, desk.people[0])
        case Ask.OFFER, True if desk.takes_messages and desk.people:
            ways = listed(["a message", *map(called, desk.people)], "or")
            return _say(state, f"Which would you like: {ways}?", Ask.OFFER)
        case Ask.OFFER, True:
            return _message(state, heard, desk) if desk.takes_messages else _transfer(state, heard, desk)
        case _, False:
            return _say(state, f"All right. {_MORE}", Ask.ANYTHING_ELSE)
    return _say(state, "How can I help you?")


def _say(state: State, text: str, ask: Ask | None = None, call: ToolCall | None = None) -> State:
    return replace(state, reply=Reply(text, call), ask=ask)


def _helpless(state: State, why: str, desk: Desk) -> State:
    """Say so, and offer what we can; an open form is kept and asked on instead."""
    if state.form is not None:
        return _then(state, why, desk)
    offer, ask = desk.offer()
    return _say(state, f"{why} {offer}", ask)


def _then(state: State, text: str, desk: Desk) -> State:
    """Say something, then come back to the open form, if there is one."""
    if state.form is None:
        return _say(state, text)
    again, ask = question(state.form, desk)
    return _say(state, f"{text} {again}".lstrip(), ask)


def _fact(heard: Heard, desk: Desk) -> str | None:
    """The answer to a question of fact; None when the turn is none, or the file has no answer."""
    business, today = desk.business, desk.now.date()
    match heard.intent:
        case Intent.HOURS if not heard.days and heard.clock is None and _of_the_week(heard):
            return answers.hours_of_the_week(business)
        case Intent.HOURS:
            return answers.hours_on(business, heard.days or (today,), heard.clock, today)
        case Intent.OPEN_NOW:
            return answers.open_now(business, desk.now)
        case Intent.PRICE if heard.items:
            return answers.prices(business, heard.items)
        case Intent.QUESTION if heard.question:
            return heard.question.answer
        case Intent.ADDRESS:
            return answers.address(business)
        case Intent.PHONE:
            return answers.phone(business)
        case Intent.MENU:
            return answers.menu(business)
        case Intent.WHO:
            return f"I am the automatic assistant of {business.name}."
    return None


def _of_the_week(heard: Heard) -> bool:
    said = set(heard.words)
    return bool(said & {"hours", "days", "week", "times"}) or {"when", "are"} <= said


def _go_on(state: State, form: Form, heard: Heard, desk: Desk) -> State:
    """Fill the open form from the turn and ask the next question, or carry the form out."""
    filled = fill(form, heard, state.ask, desk)
    full = ready(filled, desk)
    if state.ask is Ask.CONFIRM and heard.yes and state.heard and full and full == ready(form, desk):
        leaving = heard.intent is Intent.BYE
        return _say(replace(state, leaving=leaving), "One moment, please.", Ask.CONFIRM, full.call)
    if filled != form:
        return _next(state, filled, desk)
    if state.ask in (Ask.CONFIRM, Ask.CHANGE):
        without, named = cleared(form, heard)
        if named:
            return _next(state, without, desk)
        if heard.yes is False:
            return _say(state, "What should I change?", Ask.CHANGE)
    if heard.intent is Intent.YES and not state.heard:
        return _then(state, "", desk)
    return _then(state, _IGNORANT if heard.asking else "Sorry, I didn't get that.", desk)


def _next(state: State, form: Form, desk: Desk, opening: str = "") -> State:
    form, wrong = check(form, desk)
    return _then(replace(state, form=form), wrong or opening, desk)


def _book(state: State, heard: Heard, desk: Desk) -> State:
    if isinstance(state.form, BookingForm):
        return _go_on(state, state.form, heard, desk)
    if "take_booking" not in desk.tools or not desk.business.bookings:
        return _helpless(state, "I'm sorry, I can't take bookings.", desk)
    return _next(state, fill(start_booking(desk, state.name), heard, None, desk), desk, "Certainly.")


def _message(state: State, heard: Heard, desk: Desk) -> State:
    if isinstance(state.form, MessageForm):
        return _go_on(state, state.form, heard, desk)
    if not desk.takes_messages:
        return _helpless(state, "I'm sorry, I can't take a message.", desk)
    dictated = heard.text if "tell" in heard.words and heard.strange else None
    return _next(state, MessageForm(text=dictated, name=state.name), desk, "Certainly.")


def _transfer(state: State, heard: Heard, desk: Desk) -> State:
    if not desk.people:
        return _helpless(state, "I'm sorry, I can't put you through to anybody.", desk)
    if heard.person is not None:
        return _put_through(state, heard.person)
    if len(desk.people) > 1:
        choice = listed([called(name) for name in desk.people], "or")
        return _say(state, f"I can put you through to {choice}. Who would you like to speak to?")
    if heard.strange:
        return _say(state, f"I can put you through to {called(desk.people[0])}. Shall I?", Ask.OFFER_PERSON)
    return _put_through(state, desk.people[0])


def _put_through(state: State, person: str) -> State:
    call = ToolCall("transfer_call", {"destination": person})
    return _say(replace(state, form=None), f"One moment, I'll put you through to {called(person)}.", None, call)


def _hello(state: State, heard: Heard, desk: Desk) -> State:
    if state.form is not None:
        return _then(state, "Yes, I'm here.", desk)
    if state.heard or state.reply.text == desk.business.greeting:
        return _say(state, "Hello, how can I help you?", state.ask)
    return _say(state, f"Yes, I'm here. {state.reply.text}", state.ask)


def _help(state: State, heard: Heard, desk: Desk) -> State:
    can = ["tell you about opening hours and prices"]
    can += ["take a booking"] if desk.business.bookings and "take_booking" in desk.tools else []
    can += ["take a message"] if desk.takes_messages else []
    can += [f"put you through to {listed([called(name) for name in desk.people], 'or')}"] if desk.people else []
    return _then(state, f"I can {listed(can, 'or')}.", desk)


def _thanks(state: State, heard: Heard, desk: Desk) -> State:
    if state.form is not None:
        return _then(state, "You're welcome.", desk)
    return _say(state, f"You're welcome. {_MORE}", Ask.ANYTHING_ELSE)


def _bye(state: State, heard: Heard, desk: Desk) -> State:
    return _goodbye(state, desk)


def _goodbye(state: State, desk: Desk, first: str = "") -> State:
    call = ToolCall("hang_up", {"reason": "the caller said goodbye"}) if "hang_up" in desk.tools else None
    return _say(replace(state, form=None), f"{first} {desk.business.goodbye}".lstrip(), None, call)


def _repeat(state: State, heard: Heard, desk: Desk) -> State:
    return _say(state, state.reply.text or "How can I help you?", state.ask)


def _never_mind(state: State, heard: Heard, desk: Desk) -> State:
    return _say(replace(state, form=None), f"All right. {_MORE}", Ask.ANYTHING_ELSE)


_TURNS: dict[Intent, Callable[[State, Heard, Desk], State]] = {
    Intent.BOOK: _book,
    Intent.MESSAGE: _message,
    Intent.TRANSFER: _transfer,
    Intent.HELLO: _hello,
    Intent.HELP: _help,
    Intent.THANKS: _thanks,
    Intent.BYE: _bye,
    Intent.REPEAT: _repeat,
    Intent.NEVER_MIND: _never_mind,
}
_NOT_DICTATED = frozenset({Intent.REPEAT, Intent.NEVER_MIND, Intent.BYE})
"""What a caller who was asked for the message may say instead of it."""


def after_tool(state: State, succeeded: bool, desk: Desk) -> State:
    """The state after the awaited tool gave its result: what it did is said as done only if it was."""
    tool = state.calling.name if state.calling else ""
    done = replace(state, form=None, heard=False, calling=None)
    if not succeeded:
        return _helpless(done, _FAILED.get(tool, "I'm sorry, that did not work."), desk)
    if tool in ("hang_up", "transfer_call"):
        return _say(done, "")
    full = ready(state.form, desk) if state.form else None
    said = (
        f"Your booking is made: {full.said}." if tool == "take_booking" and full else _DONE.get(tool, "That is done.")
    )
    if state.leaving:
        return _goodbye(done, desk, said)
    return _say(done, f"{said} {_MORE}", Ask.ANYTHING_ELSE)


_DONE = {"take_booking": "Your booking is made.", "take_message": "Thank you, I have taken your message."}
_FAILED = {
    "take_booking": "I'm sorry, something went wrong, so please don't count on that booking.",
    "take_message": "I'm sorry, something went wrong, so please don't count on your message.",
    "transfer_call": "I'm sorry, I could not put you through.",
}


def resume(state: State, note: str, desk: Desk) -> State:
    """Take the talk up again when it is our turn and the caller said nothing; `note` is the line's own word on why."""
    if state.calling is None and "transfer" in note.casefold():
        return _helpless(replace(state, form=None), _FAILED["transfer_call"], desk)
    if state.form is not None:
        return _then(state, "", desk)
    return _say(state, state.reply.text, state.ask) if not state.heard else _say(state, _MORE, Ask.ANYTHING_ELSE)
