"""The line's settings: which door they leave open, and what is derived from them."""

import os
import subprocess
import sys

import pytest

from providers.errors import ConfigurationError
from telephony.settings import TelephonySettings, environment_with, settings

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    return monkeypatch


def problems() -> str:
    settings.reload()
    with pytest.raises(ConfigurationError) as error:
        _ = settings.telephony
    return str(error.value)


def test_without_a_token_nobody_is_let_in() -> None:
    assert "TWILIO_AUTH_TOKEN: is required" in problems()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80", "http://127.9.9.9"])
def test_signatures_may_be_off_on_loopback(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TWILIO_VALIDATE_SIGNATURES", "false")
    monkeypatch.setenv("PUBLIC_BASE_URL", url)
    assert settings.telephony.public_base_url == url


@pytest.mark.parametrize(
    "url",
    ["https://bot.example.com", "https://localhost.example.com", "https://10.0.0.1", "https://127.0.0.1.nip.io"],
)
def test_signatures_may_be_off_nowhere_else(put: pytest.MonkeyPatch, url: str) -> None:
    put.setenv("TWILIO_VALIDATE_SIGNATURES", "false")
    put.setenv("PUBLIC_BASE_URL", url)
    assert problems().startswith("TWILIO_VALIDATE_SIGNATURES: can be off only while PUBLIC_BASE_URL is a loopback")


@pytest.mark.parametrize(
    "url",
    [
        "bot.example.com",
        "ftp://bot.example.com",
        "wss://bot.example.com",
        "http://bot.example.com",
        "http://127.0.0.1.nip.io",
        "https://",
        "https://bot.example.com?a=b",
        "https://user:secret@bot.example.com",
    ],
)
def test_the_public_url_is_one_that_twilio_can_ask(put: pytest.MonkeyPatch, url: str) -> None:
    put.setenv("PUBLIC_BASE_URL", url)
    assert problems().startswith("PUBLIC_BASE_URL: must ")


@pytest.mark.parametrize(
    ("base", "stream"),
    [
        ("https://bot.example.com", "wss://bot.example.com/twilio/stream"),
        ("https://bot.example.com/", "wss://bot.example.com/twilio/stream"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/twilio/stream"),
    ],
)
def test_the_stream_is_under_the_public_url(put: pytest.MonkeyPatch, base: str, stream: str) -> None:
    put.setenv("PUBLIC_BASE_URL", base)
    assert settings.telephony.stream_url == stream
    assert settings.telephony.public_base_url == base.rstrip("/")


def test_the_public_url_is_this_machine_where_none_is_given(put: pytest.MonkeyPatch) -> None:
    put.setenv("PORT", "8123")
    assert settings.telephony.public_base_url == "http://127.0.0.1:8123"


def test_the_level_of_the_log_is_one_there_is(put: pytest.MonkeyPatch) -> None:
    put.setenv("LOG_LEVEL", "loud")
    assert problems().startswith("LOG_LEVEL: ")
    put.setenv("LOG_LEVEL", "debug")
    settings.reload()
    assert settings.telephony.LOG_LEVEL == "DEBUG"


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "99999")
    monkeypatch.setenv("PUBLIC_BASE_URL", "nowhere")
    assert [line.split(":")[0] for line in problems().splitlines()] == ["PORT", "PUBLIC_BASE_URL", "TWILIO_AUTH_TOKEN"]


def test_a_problem_never_shows_the_token(put: pytest.MonkeyPatch) -> None:
    put.setenv("PORT", "many")
    put.setenv("PUBLIC_BASE_URL", "nowhere")
    assert TOKEN not in problems()
    put.delenv("PORT")
    put.delenv("PUBLIC_BASE_URL")
    assert TOKEN not in repr(TelephonySettings())


def test_an_override_holds_for_this_process_and_those_it_starts(put: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT", "WEB_CONCURRENCY"):
        put.setenv(name, "1")  # so that it is put back
    assert settings.telephony.PORT == 1
    settings.override(HOST="127.0.0.1", PORT=8765, WEB_CONCURRENCY=None)
    assert (settings.telephony.HOST, settings.telephony.PORT, settings.telephony.WEB_CONCURRENCY) == (
        "127.0.0.1",
        8765,
        1,
    )
    code = "import os; print(os.environ['PORT'])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "8765\n"  # noqa: S603


def test_an_environment_for_a_server_beside_us_leaves_ours_alone() -> None:
    environment = environment_with(PORT="1234")
    assert environment["PORT"] == "1234"
    assert environment["PATH"] == os.environ["PATH"]
    assert "PORT" not in os.environ


def test_our_own_twilio_has_an_account_of_its_own(put: pytest.MonkeyPatch) -> None:
    assert settings.caller.TWILIO_AUTH_TOKEN.get_secret_value() == TOKEN
    put.delenv("TWILIO_AUTH_TOKEN")
    settings.reload()
    assert settings.caller.TWILIO_AUTH_TOKEN.get_secret_value() == "unsigned"
    assert len(settings.caller.TWILIO_ACCOUNT_SID) == 34


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///offhook.db",
        "sqlite:////var/lib/offhook.db",
        "postgres://user:secret@db.example.com:5432/name?sslmode=require",
        "postgresql://user@/name?host=/run/postgresql",
    ],
)
def test_databases_we_know_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    settings.reload()
    assert url == settings.records.DATABASE_URL
    assert "secret" not in repr(settings.records)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:secret@host/name"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite://secret/offhook.db"),
        ("DATABASE_URL", "postgres://user:secret@host"),
        ("DATABASE_URL", "secret"),
        ("RECORDINGS_URL", "https://secret.example.com"),
        ("RECORDINGS_URL", "s3:///secret"),
    ],
)
def test_others_are_refused_by_the_name_of_their_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    settings.reload()
    with pytest.raises(ConfigurationError) as error:
        _ = settings.records
    assert [problem.variable for problem in error.value.problems] == [name]
    assert "secret" not in str(error.value)
