"""The TwiML of this server's calls: whose addresses, whose token, and where it ends."""

import re

import pytest
from pydantic import SecretStr

from telephony.settings import TelephonySettings
from telephony.twilio import twiml
from telephony.twilio.after import AskAgain, GiveUp, Over, PutThrough, TakeUp
from telephony.twilio.documents import LOST, MOST_STEPS, UNREACHABLE, CallDocuments, Party
from telephony.twilio.tokens import StreamTokens
from tests.telephony.twilio.frames import ACCOUNT, CALL

URL = "https://bot.example.com/twilio"
NOW = 1_790_000_000.0
PARTY = Party(CALL, ACCOUNT, "+14155550100", "+18005550101")
TOKENS = StreamTokens("secret")


def documents(fallback_number: str = "") -> CallDocuments:
    settings = TelephonySettings(PUBLIC_BASE_URL="https://bot.example.com/", TWILIO_AUTH_TOKEN=SecretStr("t" * 32))
    return CallDocuments(settings, TOKENS, fallback_number, epoch=lambda: NOW, nonce=lambda: bytes(16))


def stream(step: int, **parameters: str) -> str:
    token = TOKENS.mint(CALL, ACCOUNT, NOW, bytes(16))
    usual = {"token": token, "from": "+14155550100", "to": "+18005550101", "step": str(step)}
    return twiml.connect_stream(
        "wss://bot.example.com/twilio/stream",
        action_url=f"{URL}/stream-ended?step={step}",
        status_callback_url=f"{URL}/stream-status",
        parameters=usual | parameters,
    )


def test_a_stream_tells_whose_it_is_and_where_to_ask_next() -> None:
    assert documents().stream(PARTY) == stream(1)
    assert documents().stream(PARTY, back="nobody answered") == stream(1, back="nobody answered")


def test_what_comes_after_a_stream() -> None:
    some = documents()
    assert some.after(Over(), PARTY, 3) == twiml.hang_up()
    assert some.after(PutThrough("+15550100143"), PARTY, 3) == twiml.dial("+15550100143", f"{URL}/dial-ended")
    assert some.after(TakeUp(), PARTY, 3) == stream(4)
    assert some.after(AskAgain(), PARTY, 3) == twiml.redirect(f"{URL}/stream-ended?step=4")
    assert some.after(AskAgain(), PARTY, 4) == twiml.pause_and_redirect(1, f"{URL}/stream-ended?step=5")
    assert some.after(GiveUp(), PARTY, 3) == twiml.say_and_hang_up(LOST)


def test_whoever_the_bot_loses_is_put_through_to_people_if_there_are_any() -> None:
    document = documents("+15550100143").after(GiveUp(), PARTY)
    assert document == twiml.say_and_dial(LOST, "+15550100143", f"{URL}/dial-ended")


@pytest.mark.parametrize("after", [TakeUp(), AskAgain()], ids=repr)
def test_it_does_not_go_round_in_circles(after: TakeUp | AskAgain) -> None:
    some, step, rounds = documents(), 1, 0
    while (document := some.after(after, PARTY, step)) != twiml.say_and_hang_up(UNREACHABLE):
        following = re.search(r"stream-ended\?step=(\d+)", document)
        assert following is not None
        step = int(following[1])
        rounds += 1
    assert rounds == MOST_STEPS


def test_a_question() -> None:
    assert documents().question() == twiml.redirect(f"{URL}/stream-ended")


def test_tokens_differ() -> None:
    settings = TelephonySettings(TWILIO_AUTH_TOKEN=SecretStr("t" * 32))
    some = CallDocuments(settings, TOKENS)
    assert some.stream(PARTY) != some.stream(PARTY)


def test_numbers_stay_out_of_reprs() -> None:
    assert "5550" not in repr(PARTY) + repr(PutThrough("+15550100143"))
