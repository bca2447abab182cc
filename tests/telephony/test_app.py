"""The application from outside: what is served where, from the first moment to the last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from providers.errors import ConfigurationError, ProviderException
from providers.settings import VoiceSettings
from providers.settings import settings as provider_settings
from providers.voice.factory import VoiceProviderFactory
from providers.voice.scripted import ScriptedVoiceProvider
from telephony.app import create_app
from telephony.settings import settings as line_settings
from telephony.twilio.signature import sign
from telephony.twilio.webhooks import BUSY
from tests.telephony.twilio.frames import ACCOUNT, CALL

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://bot.example.com"
FORM = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": "+15005550006", "To": "+15005550001"}

pytestmark = pytest.mark.usefixtures("logging_put_back")


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"TWILIO_AUTH_TOKEN": TOKEN, "PUBLIC_BASE_URL": BASE, "VOICE_PROVIDER": "scripted"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/offhook.db")
    monkeypatch.setenv("MAX_LAG_MS", "60000")  # a busy machine turns no call of a test away
    provider_settings.reload()
    line_settings.reload()


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def loaded(client: httpx.AsyncClient) -> httpx.Response:
    """What the server says of itself once it is no longer loading."""
    async with asyncio.timeout(30):
        while True:
            response = await client.get("/readyz")
            if response.text != "the engines are loading":
                return response
            await asyncio.sleep(0.01)


async def voice(client: httpx.AsyncClient) -> httpx.Response:
    signature = sign(f"{BASE}/twilio/voice", TOKEN, FORM)
    return await client.post("/twilio/voice", data=FORM, headers={"X-Twilio-Signature": signature})


async def test_it_lives_at_once_and_is_ready_when_its_engines_are() -> None:
    async with running(create_app()) as client:
        assert (await client.get("/healthz")).text == "ok"
        response = await client.get("/readyz")
        assert (response.status_code, response.text) == (503, "the engines are loading")
        assert BUSY in (await voice(client)).text
        assert (await loaded(client)).text == "ready"
        assert "wss://bot.example.com/twilio/stream" in (await voice(client)).text


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/stream-ended", "/twilio/dial-ended"])
async def test_the_webhooks_are_twilios_alone(path: str) -> None:
    async with running(create_app()) as client:
        assert (await client.post(path, data=FORM)).status_code == 403


async def test_the_feed_is_signed_too() -> None:
    async with running(create_app()) as client:
        path = f"/calls/{CALL}/events"
        assert (await client.get(path)).status_code == 403
        await loaded(client)
        assert (await client.get(path, headers={"X-Twilio-Signature": sign(BASE + path, TOKEN)})).status_code == 404


class Unloadable(ScriptedVoiceProvider):
    """Cannot be had."""

    error: Exception = ProviderException("no model")

    @classmethod
    async def prepare(cls, settings: VoiceSettings) -> None:
        raise cls.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderException("no model"), "the engines cannot be loaded: no model"),
        (
            ConfigurationError.of("LOCAL_TTS_VOICE", "no such voice"),
            "the engines cannot be loaded: LOCAL_TTS_VOICE: no",
        ),
        (RuntimeError("a bug of the engine's"), "the engines cannot be loaded, the log says why"),
    ],
)
async def test_a_server_whose_engines_do_not_load_says_why_and_turns_calls_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, reason: str
) -> None:
    monkeypatch.setattr(Unloadable, "error", error)
    monkeypatch.setitem(VoiceProviderFactory._registry, "scripted", Unloadable)
    async with running(create_app()) as client:
        response = await loaded(client)
        assert response.status_code == 503
        assert response.text.startswith(reason)
        assert BUSY in (await voice(client)).text
    assert str(error) in capsys.readouterr().err


async def test_a_server_that_stops_while_it_loads_stops() -> None:
    async with running(create_app()) as client:
        assert (await client.get("/readyz")).status_code == 503
    assert asyncio.all_tasks() == {asyncio.current_task()}
