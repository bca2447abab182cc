"""Keys put together: by number, by terminator, by a pause."""

from telephony.call.keypad import Keypad
from telephony.call.rules import CallRules

RULES = CallRules(key_pause_s=2.0, key_terminator="#")


def test_the_terminator_ends_an_entry_and_is_no_part_of_it() -> None:
    keypad = Keypad(RULES)

    assert not keypad.is_open
    assert keypad.press("4", now=10.0) is None
    assert keypad.press("2", now=11.0) is None
    assert keypad.is_open
    assert keypad.press("#", now=12.0) == "42"
    assert not keypad.is_open


def test_a_terminator_alone_is_an_empty_entry() -> None:
    assert Keypad(RULES).press("#", now=10.0) == ""


def test_every_key_puts_off_the_end_of_the_pause() -> None:
    keypad = Keypad(RULES)

    assert keypad.deadline() is None
    keypad.press("4", now=10.0)
    assert keypad.deadline() == 12.0
    keypad.press("2", now=11.5)
    assert keypad.deadline() == 13.5
    assert keypad.take() == "42"
    assert keypad.deadline() is None
    assert keypad.take() == ""


def test_the_wanted_number_of_keys_is_an_entry() -> None:
    keypad = Keypad(CallRules(key_length=2))

    assert keypad.press("4", now=10.0) is None
    assert keypad.press("2", now=10.5) == "42"
    assert keypad.press("7", now=11.0) is None
    assert keypad.press("8", now=11.5) == "78"


def test_what_was_wanted_of_one_entry_is_not_wanted_of_the_next() -> None:
    keypad = Keypad(RULES)
    assert not keypad.is_wanted
    keypad.want(3, "*")
    assert keypad.is_wanted

    assert keypad.press("1", now=10.0) is None
    assert keypad.press("#", now=10.5) is None
    assert keypad.press("2", now=11.0) == "1#2"
    assert not keypad.is_wanted
    assert [keypad.press(key, now=12.0) for key in "123*#"] == [None, None, None, None, "123*"]


def test_an_entry_wanted_up_to_a_terminator_has_any_length() -> None:
    keypad = Keypad(CallRules(key_length=2))
    keypad.want(None, "*")

    assert [keypad.press(key, now=10.0) for key in "123*"] == [None, None, None, "123"]
