"""The signature vectors of the protocol reference, each with what must not pass for it."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import ConfigurationError
from telephony.twilio.signature import SignatureChecker, sign

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://bot.example.com"
PATH = "/voice/incoming"

INBOUND_BODY = (
    "AccountSid=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&ApiVersion=2010-04-01&CallSid=CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "&CallStatus=ringing&Called=%2B18005550101&CalledCity=&CalledCountry=US&CalledState=&CalledZip="
    "&Caller=%2B14155550100&CallerCity=SAN+FRANCISCO&CallerCountry=US&CallerState=CA&CallerZip=94105"
    "&Direction=inbound&From=%2B14155550100&FromCity=SAN+FRANCISCO&FromCountry=US&FromState=CA&FromZip=94105"
    "&To=%2B18005550101&ToCity=&ToCountry=US&ToState=&ToZip="
)
INBOUND = parse_qsl(INBOUND_BODY, keep_blank_values=True)
SMALL = [("CallSid", "CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), ("From", "+14155550100"), ("To", "+18005550101")]
QUERY = "/voice/incoming?CallSid=CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb&From=%2B14155550100&To=%2B18005550101"
JSON_BODY = b'{"CallSid":"CAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","event":"x"}'
JSON_PATH = "/hook?bodySHA256=a4ffc97500564a367afaeedb2435e4b79a6e7fd05e11fae4f775bb24ce78fdcb"
JSON_SIGNATURE = "62nMGrlsJbtJVBZXaFmuqT5vIwY="
PUBLISHED = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]

type Vector = tuple[str, list[tuple[str, str]], str]

VECTORS: dict[str, Vector] = {
    "A inbound form": (PATH, INBOUND, "XLh6kMW6fZtRYBC+Mh9REym5A3I="),
    "B small form": (PATH, SMALL, "wJgOGTJQvK286NuL1RIYAS4DxAA="),
    "B no parameters": (PATH, [], "sVmnymVHYbn4Ix0sTNfnaG/RZE4="),
    "B with a query": (PATH + "?tenant=acme&note=a%20b", SMALL, "IhGykRdlo/VAbfZ2/3iK1+QMEn0="),
    "C get": (QUERY, [], "ZIA3V25pfaXyHgDl1e4FDao/1so="),
}

checker = SignatureChecker(TOKEN, BASE)
vectors = pytest.mark.parametrize(("path", "form", "signature"), VECTORS.values(), ids=VECTORS)


@vectors
def test_form_vectors(path: str, form: list[tuple[str, str]], signature: str) -> None:
    assert checker.webhook(path, form, signature)
    assert checker.webhook(path, form[::-1], signature)
    assert checker.webhook(path, dict(form), signature)
    assert SignatureChecker(TOKEN, BASE + "/").webhook(path, form, signature)
    assert sign(BASE + path, TOKEN, form) == signature


@vectors
def test_form_vectors_refused(path: str, form: list[tuple[str, str]], signature: str) -> None:
    assert not checker.webhook(path, form, None)
    assert not checker.webhook(path, form, "")
    assert not checker.webhook(path, form, signature[:-1])
    assert not checker.webhook(path, form, signature + " ")
    assert not checker.webhook(path, form, signature.swapcase())
    assert not checker.webhook(path, form, "\N{SNOWMAN}" * len(signature))
    assert not checker.webhook(path + "x", form, signature)
    assert not checker.webhook(path + " ", form, signature)
    assert not checker.webhook(path[1:], form, signature)
    assert not checker.webhook(path, [*form, ("Extra", "1")], signature)
    assert not checker.webhook(path, form, signature, b"a body that nobody signed")
    assert not SignatureChecker(TOKEN[:-1] + "0", BASE).webhook(path, form, signature)
    assert not SignatureChecker(TOKEN, "http://bot.example.com").webhook(path, form, signature)
    assert not SignatureChecker(TOKEN, "https://evil.example.com").webhook(path, form, signature)


@vectors
def test_every_parameter_is_signed(path: str, form: list[tuple[str, str]], signature: str) -> None:
    for index, (name, value) in enumerate(form):
        rest = form[:index] + form[index + 1 :]
        assert not checker.webhook(path, rest, signature)
        assert not checker.webhook(path, [*rest, (name, value + " ")], signature)
        assert not checker.webhook(path, [*rest, (name.swapcase(), value)], signature)


def test_a_query_is_signed_as_it_was_written() -> None:
    path, form, signature = VECTORS["B with a query"]
    assert not checker.webhook(path.replace("%20", "+"), form, signature)
    assert not checker.webhook(path.replace("%20", " "), form, signature)
    assert not checker.webhook(path.partition("?")[0], form, signature)


def test_a_repeated_parameter_counts_with_each_of_its_values() -> None:
    form = [("Digits", "2"), ("Digits", "1")]
    signature = sign(BASE + PATH, TOKEN, form)
    assert signature == sign(BASE + PATH + "Digits1Digits2", TOKEN)
    assert checker.webhook(PATH, form, signature)
    assert not checker.webhook(PATH, form[:1], signature)


def test_json_body() -> None:
    assert sign(BASE + JSON_PATH, TOKEN) == JSON_SIGNATURE
    assert checker.webhook(JSON_PATH, (), JSON_SIGNATURE, JSON_BODY)


@pytest.mark.parametrize(
    ("path", "signature", "body"),
    [
        (JSON_PATH, JSON_SIGNATURE, JSON_BODY + b" "),
        (JSON_PATH, JSON_SIGNATURE, b" " + JSON_BODY),
        (JSON_PATH, JSON_SIGNATURE, b""),
        (JSON_PATH, JSON_SIGNATURE, b"\xff\xfe"),
        (JSON_PATH, JSON_SIGNATURE, JSON_BODY.replace(b'"x"', b'"y"')),
        (JSON_PATH, None, JSON_BODY),
        (JSON_PATH, JSON_SIGNATURE[::-1], JSON_BODY),
        (JSON_PATH[:-1] + "0", JSON_SIGNATURE, JSON_BODY),
        (JSON_PATH.replace("bodySHA256", "xbodySHA256"), sign(BASE + "/hook?xbodySHA256=1", TOKEN), JSON_BODY),
        ("/hook", sign(BASE + "/hook", TOKEN), JSON_BODY),
    ],
)
def test_json_body_refused(path: str, signature: str | None, body: bytes) -> None:
    assert not checker.webhook(path, (), signature, body)


def test_websocket_vectors() -> None:
    for path in ("/media", "/media/"):
        assert checker.websocket(path, "N8NBTxScIsvr8ONZpYvtOS2P6fw=")
        assert checker.websocket(path, "aVFmw59krsHfzO2r8LgsWxSBUWY=")
    assert checker.websocket("/", "hkvXhTmbWAo2SKnYGYonJ3ShzPM=")
    assert checker.websocket("/", "P7z+QiaOhEe6bUDQLatZg6RYjaw=")
    assert sign("wss://bot.example.com/media", TOKEN) == "N8NBTxScIsvr8ONZpYvtOS2P6fw="
    assert sign("wss://bot.example.com", TOKEN) == "hkvXhTmbWAo2SKnYGYonJ3ShzPM="


@pytest.mark.parametrize(
    ("path", "signature"),
    [
        ("/media", "8IwqM3PQAImGFlOY6lIEODzOXe0="),  # signed with https for a scheme
        ("/media", sign("ws://bot.example.com/media", TOKEN)),
        ("/media", sign("wss://bot.example.com/media?token=1", TOKEN)),
        ("/media", sign("wss://bot.example.com/media", TOKEN[::-1])),
        ("/media", sign("wss://bot.example.com/media//", TOKEN)),
        ("/media", sign("wss://bot.example.com/media ", TOKEN)),
        ("/media", sign("wss://evil.example.com/media", TOKEN)),
        ("/media", "hkvXhTmbWAo2SKnYGYonJ3ShzPM="),  # of the bare host
        ("/other", "N8NBTxScIsvr8ONZpYvtOS2P6fw="),
        ("media", "N8NBTxScIsvr8ONZpYvtOS2P6fw="),
        ("@evil.example.com/media", sign("wss://bot.example.com@evil.example.com/media", TOKEN)),
        ("/media", ""),
        ("/media", None),
    ],
)
def test_websocket_refused(path: str, signature: str | None) -> None:
    assert not checker.websocket(path, signature)


def test_a_server_on_loopback_is_asked_over_ws_and_with_its_port() -> None:
    local = SignatureChecker(TOKEN, "http://127.0.0.1:8000")
    assert local.websocket("/media", sign("ws://127.0.0.1:8000/media", TOKEN))
    assert not local.websocket("/media", sign("wss://127.0.0.1:8000/media", TOKEN))
    assert local.webhook(PATH, SMALL, sign("http://127.0.0.1:8000" + PATH, TOKEN, SMALL))
    assert not local.webhook(PATH, SMALL, sign("http://127.0.0.1:8001" + PATH, TOKEN, SMALL))


def test_twilios_published_example() -> None:
    published = SignatureChecker("12345", "https://example.com")
    assert published.webhook("/myapp.php?foo=1&bar=2", PUBLISHED, "L/OH5YylLD5NRKLltdqwSvS0BnU=")
    assert not published.webhook("/myapp.php?bar=2&foo=1", PUBLISHED, "L/OH5YylLD5NRKLltdqwSvS0BnU=")
    assert not checker.webhook("/myapp.php?foo=1&bar=2", PUBLISHED, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


def test_a_shared_key_signature_is_refused() -> None:
    assert not checker.webhook(PATH, SMALL, "KHEWXJy9hwUAW9GDTC4ITPZyLsSxBZtyOF7iu9a+H94=")


def test_an_empty_token_is_an_operators_mistake() -> None:
    with pytest.raises(ConfigurationError, match="TWILIO_AUTH_TOKEN"):
        SignatureChecker("", BASE)


anything = st.text() | st.text(alphabet=st.characters(categories=["Cs", "P", "L"]))


@given(anything, st.lists(st.tuples(anything, anything), max_size=4), st.none() | anything, st.binary())
def test_nothing_received_raises_or_passes(
    path: str, form: list[tuple[str, str]], signature: str | None, body: bytes
) -> None:
    assert not checker.webhook("/" + path, form, signature, body)
    assert not checker.webhook(path, form, signature)
    assert not checker.websocket("/" + path, signature)


URLS = st.from_regex(r"/[a-z0-9/%~]*(\?[a-z0-9=&%]+)?", fullmatch=True)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=6), URLS)
def test_what_is_signed_is_accepted(form: list[tuple[str, str]], path: str) -> None:
    assert checker.webhook(path, form, sign(BASE + path, TOKEN, form))
