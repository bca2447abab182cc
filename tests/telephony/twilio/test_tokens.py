import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.twilio.tokens import StreamTokens, TokenRefused
from telephony.twilio.twiml import MAX_PARAMETER
from tests.telephony.twilio.frames import ACCOUNT, CALL

NOW = 1_790_000_000.7
NONCE = bytes(16)


def mint(tokens: StreamTokens, nonce: bytes = NONCE, now: float = NOW) -> str:
    return tokens.mint(CALL, ACCOUNT, now, nonce)


def test_a_token_opens_its_stream_once() -> None:
    tokens = StreamTokens("secret")
    token = mint(tokens)
    tokens.redeem(token, CALL, ACCOUNT, NOW + 1)
    with pytest.raises(TokenRefused, match="used already"):
        tokens.redeem(token, CALL, ACCOUNT, NOW + 2)


def test_another_process_with_the_same_secret_redeems_it() -> None:
    StreamTokens(b"secret").redeem(mint(StreamTokens("secret")), CALL, ACCOUNT, NOW)


def test_a_token_fits_a_parameter_and_a_url() -> None:
    token = mint(StreamTokens("secret"), bytes(range(240, 256)))
    assert len("token" + token) <= MAX_PARAMETER
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_two_tokens_for_one_call_are_both_good() -> None:
    tokens = StreamTokens("secret")
    for nonce in (b"a" * 16, b"b" * 16):
        tokens.redeem(mint(tokens, nonce), CALL, ACCOUNT, NOW)


@pytest.mark.parametrize(
    ("call_sid", "account_sid", "later_s", "reason"),
    [
        (CALL, ACCOUNT, 60, "expired"),
        (CALL, ACCOUNT, 86_400, "expired"),
        (CALL[:-1] + "c", ACCOUNT, 0, "another call"),
        (CALL, ACCOUNT[:-1] + "c", 0, "another account"),
        (ACCOUNT, CALL, 0, "another account"),
        ("", "", 0, "another account"),
    ],
)
def test_refused(call_sid: str, account_sid: str, later_s: float, reason: str) -> None:
    tokens = StreamTokens("secret", lifetime_s=60)
    token = mint(tokens)
    with pytest.raises(TokenRefused, match=reason):
        tokens.redeem(token, call_sid, account_sid, NOW + later_s)


def test_its_last_moment_is_too_late() -> None:
    tokens = StreamTokens("secret", lifetime_s=60)
    token = mint(tokens, now=1000)
    with pytest.raises(TokenRefused, match="expired"):
        tokens.redeem(token, CALL, ACCOUNT, 1060)
    tokens.redeem(token, CALL, ACCOUNT, 1059.9)


def test_a_refusal_does_not_use_it_up() -> None:
    tokens = StreamTokens("secret")
    token = mint(tokens)
    with pytest.raises(TokenRefused):
        tokens.redeem(token, "CA1", ACCOUNT, NOW)
    tokens.redeem(token, CALL, ACCOUNT, NOW)


@pytest.mark.parametrize("token", ["", ".", "....", "v1.9999999999.a.b.c.d", "\N{SNOWMAN}", "a." + "x" * 70_000])
def test_refused_as_forged(token: str) -> None:
    with pytest.raises(TokenRefused, match="forged"):
        StreamTokens("secret").redeem(token, CALL, ACCOUNT, NOW)


def test_refused_with_another_secret() -> None:
    with pytest.raises(TokenRefused, match="forged"):
        StreamTokens("secret").redeem(mint(StreamTokens("other")), CALL, ACCOUNT, NOW)


@given(st.integers(0, 200), st.characters())
def test_no_character_can_be_changed(place: int, character: str) -> None:
    tokens = StreamTokens("secret")
    token = mint(tokens)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenRefused, match="forged"):
            tokens.redeem(changed, CALL, ACCOUNT, NOW)


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs", "L"])))
def test_any_text_is_refused_and_nothing_else_raised(text: str) -> None:
    with pytest.raises(TokenRefused):
        StreamTokens("secret").redeem(text, CALL, ACCOUNT, NOW)


def test_what_is_remembered_is_bounded_and_forgotten_when_it_expires() -> None:
    tokens = StreamTokens("secret", lifetime_s=60, max_remembered=2)
    used = [mint(tokens, bytes([n]) * 16, 1000 + n) for n in range(2)]
    for token in used:
        tokens.redeem(token, CALL, ACCOUNT, 1002)
    fresh = mint(tokens, b"fresh", 1030)
    with pytest.raises(TokenRefused, match="too many"):
        tokens.redeem(fresh, CALL, ACCOUNT, 1059)
    tokens.redeem(fresh, CALL, ACCOUNT, 1060)
    with pytest.raises(TokenRefused, match="used already"):
        tokens.redeem(used[1], CALL, ACCOUNT, 1060)
    with pytest.raises(TokenRefused, match="expired"):
        tokens.redeem(used[0], CALL, ACCOUNT, 1060)


def test_no_token_without_a_secret_or_for_a_sid_that_is_none() -> None:
    with pytest.raises(ValueError, match="secret"):
        StreamTokens("")
    for call_sid, account_sid in (("CA.1", ACCOUNT), (CALL, "")):
        with pytest.raises(ValueError, match="SID"):
            StreamTokens("secret").mint(call_sid, account_sid, NOW, NONCE)


def test_a_refusal_quotes_nothing() -> None:
    with pytest.raises(TokenRefused) as refusal:
        StreamTokens("secret").redeem("v1.guess", CALL, ACCOUNT, NOW)
    assert "guess" not in str(refusal.value)
    assert refusal.value.reason in str(refusal.value)
