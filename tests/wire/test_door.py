"""The door: a list of all that is refused, each with an answer that tells nothing and a line that tells what to fix.

Two processes share a database, so that what one has let in the other knows.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from telephony.simulator.phone import new_sid
from telephony.twilio.messages import Connected, Start, encode_from_twilio
from telephony.twilio.signature import sign
from telephony.twilio.tokens import StreamTokens
from tests.wire.fleet import Fleet, fleet_of
from tests.wire.office import ACCOUNT, TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGER = TOKEN[::-1]
METRICS = "a-long-random-word"
FORM = {"CallSid": "CA" + "b" * 32, "AccountSid": ACCOUNT, "From": "+15005550006", "To": "+15005550001"}
HOOKS = [f"/twilio/{name}" for name in ("voice", "stream-ended", "dial-ended", "call-status", "stream-status")]
STREAM = "/twilio/stream"
FEED = f"/calls/{FORM['CallSid']}/events"
ADVICE = ("TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL")
LIMIT_S = 10.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with fleet_of(2, tmp_path_factory.mktemp("door"), METRICS_TOKEN=METRICS) as fleet:
        yield fleet


class Log:
    """What a process writes from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._from = path.stat().st_size

    async def says(self, *words: str) -> str:
        """All of it, as soon as these words are in one line of it."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                written = self._path.read_bytes()[self._from :].decode()
                if any(all(word in line for word in words) for line in written.splitlines()):
                    return written
                await asyncio.sleep(0.01)


# --- requests --------------------------------------------------------------------------------------------------

type Forge = Callable[[str, str], str | None]
"""From the public base URL and a path to a signature."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as it should not be; `path` is its target, and `signature` of that."""

    name: str
    path: str
    signature: Forge = field(repr=False)
    says: tuple[str, ...] = ADVICE
    status: int = 403
    form: dict[str, str] = field(default_factory=lambda: dict(FORM), repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    method: str = "POST"


def good(base: str, path: str) -> str:
    return sign(base + path, TOKEN, FORM)


FORGERIES: dict[str, Forge] = {
    "unsigned": lambda base, path: None,
    "an empty signature": lambda base, path: "",
    "a signature that is nonsense": lambda base, path: "bm9uc2Vuc2U=",
    "signed with another token": lambda base, path: sign(base + path, STRANGER, FORM),
    "signed for another path": lambda base, path: sign(base + path + "/", TOKEN, FORM),
    "signed for another webhook": lambda base, path: sign(base + "/twilio/other", TOKEN, FORM),
    "signed for another host": lambda base, path: sign("https://evil.example.com" + path, TOKEN, FORM),
    "signed for another scheme": lambda base, path: sign(base.replace("http:", "https:") + path, TOKEN, FORM),
    "signed for another query": lambda base, path: sign(base + path + "?a=1", TOKEN, FORM),
    "signed for another call": lambda base, path: sign(base + path, TOKEN, FORM | {"CallSid": "CA" + "c" * 32}),
    "signed for another caller": lambda base, path: sign(base + path, TOKEN, FORM | {"From": "+15005550009"}),
    "signed for fewer parameters": lambda base, path: sign(base + path, TOKEN, {"CallSid": FORM["CallSid"]}),
    "signed for more parameters": lambda base, path: sign(base + path, TOKEN, FORM | {"Extra": "1"}),
    "signed for no parameters": lambda base, path: sign(base + path, TOKEN),
    "a socket's signature": lambda base, path: sign("ws" + base.removeprefix("http") + STREAM, TOKEN),
}


def said_of(forgery: str) -> tuple[str, ...]:
    return ("no X-Twilio-Signature",) if forgery == "unsigned" else ADVICE


def elsewhere(header: str) -> Knock:
    """Signed for a host that a header names: nobody's header is believed."""
    return Knock(
        f"signed for the host of {header}",
        "/twilio/voice",
        lambda base, path: sign("https://evil.example.com" + path, TOKEN, FORM),
        headers={header: "evil.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"},
    )


OTHER_ACCOUNT = FORM | {"AccountSid": "AC" + "f" * 32}

KNOCKS = [
    *(Knock(f"{name}: {path}", path, forge, said_of(name)) for path in HOOKS for name, forge in FORGERIES.items()),
    *(elsewhere(header) for header in ("Host", "X-Forwarded-Host", "X-Original-Host", "Forwarded")),
    *(
        Knock(
            f"another account, well signed: {path}",
            path,
            lambda base, path: sign(base + path, TOKEN, OTHER_ACCOUNT),
            ("TWILIO_ACCOUNT_SID",),
            form=OTHER_ACCOUNT,
        )
        for path in HOOKS
    ),
    Knock("a query that was added", "/twilio/voice?held=5", lambda base, path: good(base, "/twilio/voice")),
    Knock("a query that was changed", "/twilio/voice?held=5", lambda base, path: good(base, "/twilio/voice?held=0")),
    Knock("another spelling of the path", "/twilio/%76oice", lambda base, path: good(base, "/twilio/voice")),
    Knock("a line break in the path", "/twilio/voice%0A", lambda base, path: good(base, "/twilio/voice")),
    Knock(
        "JSON, signed by its hash",
        "/twilio/voice?bodySHA256=" + "0" * 64,
        lambda base, path: sign(base + path, TOKEN),
        ("Expected a form",),
        400,
        headers={"Content-Type": "application/json"},
        body=b"{}",
    ),
    Knock(
        "a call that is none, well signed",
        "/twilio/voice",
        lambda base, path: sign(base + path, TOKEN, FORM | {"CallSid": "CA1"}),
        ("CallSid is missing or malformed",),
        400,
        form=FORM | {"CallSid": "CA1"},
    ),
    Knock("a form without end", "/twilio/voice", good, ("too large",), 413, body=b"a=" + b"x" * 70_000),
    *(
        Knock(f"the feed, {name}", FEED, forge, ("TWILIO_AUTH_TOKEN",), method="GET")
        for name, forge in FORGERIES.items()
        if name not in ("signed for no parameters", "signed for another scheme")
    ),
    *(
        Knock(
            f"the metrics, {name}",
            "/metrics",
            lambda base, path: None,
            ("METRICS_TOKEN",),
            401,
            headers=headers,
            method="GET",
        )
        for name, headers in {
            "without a token": {},
            "with another token": {"Authorization": "Bearer " + METRICS[::-1]},
            "with the token as a password": {"Authorization": "Basic " + METRICS},
        }.items()
    ),
]
TELLS_NOTHING = {401: ("Unauthorized",), 403: ("Forbidden",), 413: ("The form is too large",)}


async def request(fleet: Fleet, knock: Knock) -> tuple[httpx.Response, str | None]:
    signature = knock.signature(fleet.base_url, knock.path)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | knock.headers
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    body = urlencode(knock.form).encode() if knock.body is None else knock.body
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{fleet.processes[0].port}{knock.path}"
        content = body if knock.method == "POST" else None
        return await client.request(knock.method, url, content=content, headers=headers), signature


@pytest.mark.parametrize("knock", KNOCKS, ids=lambda knock: knock.name)
async def test_refused_request(fleet: Fleet, knock: Knock) -> None:
    log = Log(fleet.processes[0].log)
    response, signature = await request(fleet, knock)
    assert response.status_code == knock.status
    assert response.text in TELLS_NOTHING.get(knock.status, (response.text,))
    assert len(response.text) < 80
    written = await log.says("WARNING", *knock.says)
    assert_keeps_secrets(written, signature)


def assert_keeps_secrets(written: str, *sent: str | None) -> None:
    for secret in (TOKEN, STRANGER, METRICS, METRICS[::-1], FORM["From"], "evil.example.com", *sent):
        assert not secret or secret not in written


@pytest.mark.parametrize("path", HOOKS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_refused_method(fleet: Fleet, path: str, method: str) -> None:
    headers = {"X-Twilio-Signature": sign(fleet.base_url + path, TOKEN)}
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{fleet.processes[0].port}") as client:
        assert (await client.request(method, path, headers=headers)).status_code == 405


async def test_what_is_signed_as_it_should_be_is_let_in(fleet: Fleet) -> None:
    for path in ("/twilio/call-status", "/twilio/call-status?tenant=a%20b"):
        response, _ = await request(fleet, Knock("", path, good, headers={"Host": "evil.example.com"}))
        assert response.status_code == 200


# --- sockets ---------------------------------------------------------------------------------------------------


def stream_url(fleet: Fleet) -> str:
    return "ws" + fleet.base_url.removeprefix("http") + STREAM


SOCKETS: dict[str, Callable[[Fleet], str | None]] = {
    "unsigned": lambda fleet: None,
    "an empty signature": lambda fleet: "",
    "a signature that is nonsense": lambda fleet: "bm9uc2Vuc2U=",
    "signed with another token": lambda fleet: sign(stream_url(fleet), STRANGER),
    "signed for another path": lambda fleet: sign(stream_url(fleet) + "s", TOKEN),
    "signed for two slashes": lambda fleet: sign(stream_url(fleet) + "//", TOKEN),
    "signed for a query": lambda fleet: sign(stream_url(fleet) + "?a=1", TOKEN),
    "signed for another host": lambda fleet: sign("wss://evil.example.com" + STREAM, TOKEN),
    "signed for another scheme": lambda fleet: sign(stream_url(fleet).replace("ws:", "wss:"), TOKEN),
    "signed as a request": lambda fleet: sign(fleet.base_url + STREAM, TOKEN),
    "signed with parameters": lambda fleet: sign(stream_url(fleet), TOKEN, FORM),
}


@pytest.mark.parametrize("name", SOCKETS)
async def test_refused_socket(fleet: Fleet, name: str) -> None:
    log = Log(fleet.processes[0].log)
    signature = SOCKETS[name](fleet)
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(fleet, signature)
    assert refused.value.response.status_code == 403
    assert not refused.value.response.body
    assert_keeps_secrets(await log.says("WARNING", *ADVICE), signature)


async def open_socket(fleet: Fleet, signature: str | None, process: int = 0) -> ClientConnection:
    headers = {"Host": "evil.example.com"} | ({} if signature is None else {"X-Twilio-Signature": signature})
    url = f"ws://127.0.0.1:{fleet.processes[process].port}{STREAM}"
    return await connect(url, additional_headers=headers, compression=None, proxy=None)


@dataclass(frozen=True, slots=True)
class Opening:
    """A start as it should be, but for what is said here."""

    secret: str = field(default=TOKEN, repr=False)
    account_sid: str = ACCOUNT
    token_account_sid: str = ACCOUNT
    token_call_sid: str = ""
    token: str | None = field(default=None, repr=False)
    age_s: float = 0.0

    def message(self) -> str:
        call_sid, nonce = new_sid("CA"), new_sid("").encode()
        tokens, minted_at = StreamTokens(self.secret), time.time() - self.age_s
        token = tokens.mint(self.token_call_sid or call_sid, self.token_account_sid, minted_at, nonce)
        parameters = {"token": token if self.token is None else self.token}
        return encode_from_twilio(Start(new_sid("MZ"), call_sid, self.account_sid, parameters=parameters))


STARTS: dict[str, tuple[Opening, str]] = {
    "no token": (Opening(token=""), "forged"),
    "a token that is nonsense": (Opening(token="v1.1.2.3.4.5"), "forged"),
    "a token of another secret": (Opening(secret=STRANGER), "forged"),
    "a signature as a token": (Opening(token=sign("wss://bot.example.com" + STREAM, TOKEN)), "forged"),
    "an expired token": (Opening(age_s=61.0), "expired"),
    "the token of another call": (Opening(token_call_sid="CA" + "c" * 32), "minted for another call"),
    "the token of another account": (Opening(token_account_sid="AC" + "f" * 32), "minted for another account"),
    "another account's start": (Opening(account_sid="AC" + "f" * 32), "minted for another account"),
}


async def closed_with(socket: ClientConnection, *messages: str | bytes) -> int | None:
    for message in messages:
        await socket.send(message)
    async with asyncio.timeout(LIMIT_S):
        await socket.wait_closed()
    return socket.close_code


@pytest.mark.parametrize("name", STARTS)
async def test_refused_start(fleet: Fleet, name: str) -> None:
    opening, reason = STARTS[name]
    log, start = Log(fleet.processes[0].log), opening.message()
    socket = await open_socket(fleet, sign(stream_url(fleet), TOKEN))
    assert await closed_with(socket, encode_from_twilio(Connected()), start) == 1008
    assert not socket.close_reason
    written = await log.says("WARNING", "refused the media stream of call", reason)
    assert "call started" not in written
    assert_keeps_secrets(written, "v1.")


@pytest.mark.parametrize(("process", "reason"), [(0, "used already"), (1, "used already, in another process")])
async def test_refused_replay(fleet: Fleet, process: int, reason: str) -> None:
    start, signature = Opening().message(), sign(stream_url(fleet) + "/", TOKEN)
    log = Log(fleet.processes[process].log)
    async with await open_socket(fleet, signature) as served:
        await served.send(encode_from_twilio(Connected()))
        await served.send(start)
        async with asyncio.timeout(LIMIT_S):
            assert '"media"' in str(await served.recv())
        replay = await open_socket(fleet, signature, process)
        assert await closed_with(replay, encode_from_twilio(Connected()), start) == 1008
        await log.says("WARNING", reason)
        async with asyncio.timeout(LIMIT_S):
            assert await served.recv()  # which goes on as if nothing had happened


LETTERS: dict[str, tuple[tuple[str | bytes, ...], int, str]] = {
    "a start before connected": (
        (encode_from_twilio(Start("MZ" + "d" * 32, "CA" + "b" * 32, ACCOUNT)),) * 101,
        1008,
        "wrong_order",
    ),
    "nothing but garbage": (("garbage",) * 101, 1008, "malformed"),
    "nothing but bytes": ((b"\x00",) * 101, 1008, "binary_frame"),
}


@pytest.mark.parametrize("name", LETTERS)
async def test_refused_messages(fleet: Fleet, name: str) -> None:
    messages, code, reason = LETTERS[name]
    log = Log(fleet.processes[0].log)
    socket = await open_socket(fleet, sign(stream_url(fleet), TOKEN))
    assert await closed_with(socket, *messages) == code
    await log.says("WARNING", reason)


async def test_refused_size(fleet: Fleet) -> None:
    log = Log(fleet.processes[0].log)
    socket = await open_socket(fleet, sign(stream_url(fleet), TOKEN))
    assert await closed_with(socket, "x" * (64 * 1024 + 1)) == 1009
    await log.says("WARNING", "a media stream ended before it started")


async def test_refused_paths(fleet: Fleet) -> None:
    for path in ("/twilio/streams", "/", "/twilio/voice", "/metrics"):
        url = f"ws://127.0.0.1:{fleet.processes[0].port}{path}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, proxy=None)
        assert refused.value.response.status_code == 403


async def counted(fleet: Fleet) -> Counter[str]:
    """How much was refused, by reason, as Prometheus is told."""
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{fleet.processes[0].port}") as client:
        response = await client.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})
    assert response.status_code == 200
    assert_keeps_secrets(response.text)
    lines = re.findall(r'^offhook_requests_refused_total{.*reason="(\w+)"} ([\d.]+)$', response.text, re.MULTILINE)
    return Counter({reason: int(float(value)) for reason, value in lines})


async def test_what_was_refused_is_counted_by_reason(fleet: Fleet) -> None:
    before = await counted(fleet)
    for name in ("unsigned: /twilio/voice", "signed with another token: /twilio/voice", "the metrics, without a token"):
        await request(fleet, next(knock for knock in KNOCKS if knock.name == name))
    assert await counted(fleet) - before == Counter(unsigned=1, signature=1, metrics=1)
