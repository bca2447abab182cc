"""The command line: what it starts, what it shows, and how it tells of trouble."""

import asyncio
import sqlite3
import sys
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from providers.errors import OffhookError
from providers.voice.scripted import ScriptedVoiceProvider
from telephony import cli, demo, serving
from telephony.settings import TelephonySettings, settings
from telephony.simulator.caller import PlayWav, Press, Say
from telephony.simulator.options import CallOptions
from telephony.twilio.messages import Dtmf
from tests.telephony.simulator.bot import ACCOUNT_SID, TOKEN, Bot, Socket

CONNECT = '<Response><Connect><Stream url="{ws}/media"/></Connect></Response>'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What `serve` overrides is set here first, so that it is put back."""
    for name in ("HOST", "PORT", "WEB_CONCURRENCY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT_SID)
    monkeypatch.setenv("VOICE_PROVIDER", "scripted")
    settings.reload()
    return monkeypatch


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run `offhook` with these arguments; returns its exit status."""
    monkeypatch.setattr(sys, "argv", ["offhook", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_serve_serves_as_its_options_say(environment: pytest.MonkeyPatch) -> None:
    served: list[TelephonySettings] = []
    environment.setattr(serving, "serve_calls", lambda: served.append(settings.telephony))
    assert run(environment, "serve", "--host", "127.0.0.1", "--port", "9000", "--workers", "2") == 0
    (line,) = served
    assert (line.HOST, line.PORT, line.WEB_CONCURRENCY) == ("127.0.0.1", 9000, 2)
    assert line.public_base_url == "http://127.0.0.1:9000"


def test_serve_tells_everything_that_is_wrong_and_does_not_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(cli, "console", Console(stderr=True, width=200))
    environment.delenv("TWILIO_AUTH_TOKEN")
    environment.setenv("VOICE_PROVIDER", "[nobody]")
    assert run(environment, "serve", "--host", "127.0.0.1", "--port", "0") == 2
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "The configuration does not work:"
    assert [line.split()[0] for line in shown[1:]] == ["TWILIO_AUTH_TOKEN", "VOICE_PROVIDER"]
    assert "[nobody]" in shown[2]


def test_empty_variables_are_as_good_as_none(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def show_call(options: CallOptions, microphone: bool) -> bool:
        return True

    environment.setenv("WEB_CONCURRENCY", "")
    environment.setattr(cli, "_show_call", show_call)
    assert run(environment, "call", "http://x/voice", "--digits", "1", "--record", str(tmp_path / "call.wav")) == 0


def test_a_call_needs_something_to_do(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environment, "call", "http://127.0.0.1:9/twilio/voice") == 2
    assert "give the caller something to do" in capsys.readouterr().err


def test_a_call_does_what_it_is_told_in_order(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    placed: list[tuple[CallOptions, bool]] = []

    async def show_call(options: CallOptions, microphone: bool) -> bool:
        placed.append((options, microphone))
        return False

    environment.setattr(cli, "_show_call", show_call)
    arguments = ["call", "http://x/voice", "--digits", "1#", "--wav", "a.wav", "--say", "One", "--say", "Two"]
    assert run(environment, *arguments, "--record", str(tmp_path / "new/call.wav")) == 1
    ((options, microphone),) = placed
    assert options.steps == (Say("One"), Say("Two"), PlayWav(Path("a.wav")), Press("1#"))
    assert (options.url, options.account_sid, options.auth_token) == ("http://x/voice", ACCOUNT_SID, TOKEN)
    assert not microphone
    assert (tmp_path / "new").is_dir()


def test_providers_are_shown_and_tried(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environment, "providers") == 0
    assert "scripted" in capsys.readouterr().out
    assert run(environment, "providers", "check", "scripted") == 0
    assert "heard" in capsys.readouterr().out
    assert run(environment, "providers", "check", "nobody") == 2
    assert "Unknown voice provider" in capsys.readouterr().err
    environment.setattr(ScriptedVoiceProvider, "text_to_speech", ScriptedVoiceProvider.speech_to_text)
    assert run(environment, "providers", "check", "scripted") == 1


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A bot on loopback in an event loop of its own, since the command runs one too."""

    async def behaves(socket: Socket) -> None:
        await socket.say(0.3)
        await socket.until(lambda message: isinstance(message, Dtmf))
        await socket.say(0.3)
        await socket.until_stop()

    bot = Bot(twiml={"/voice": CONNECT}, behaviours=[behaves])
    started, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with bot.serve():
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    yield bot
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()


def test_a_call_is_shown_and_recorded(
    environment: pytest.MonkeyPatch, bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "call.wav"
    assert run(environment, "call", f"{bot.base_url}/voice", "--digits", "7", "--record", str(record)) == 0
    shown = capsys.readouterr().out
    assert "(presses 7)" in shown
    assert "the caller hung up" in shown
    with wave.open(str(record)) as file:
        assert file.getnchannels() == 2
    assert bot.sockets[0].digits == "7"


def test_a_call_that_hears_no_bot_has_failed(
    environment: pytest.MonkeyPatch, bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "call.wav"
    assert run(environment, "call", f"{bot.base_url}/nowhere", "--digits", "7", "--record", str(record)) == 1
    assert "application error" in capsys.readouterr().out


@pytest.mark.parametrize("error", [ImportError("no module"), OSError("PortAudio library not found")])
def test_a_microphone_that_cannot_be_had_is_told_in_words(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail() -> None:
        raise error

    environment.setattr("telephony.simulator.microphone.MicrophoneCaller", fail)
    record = str(tmp_path / "call.wav")
    assert run(environment, "call", "http://127.0.0.1:9/voice", "--microphone", "--record", record) == 1
    assert "offhook[microphone]" in capsys.readouterr().err


@pytest.mark.parametrize(("succeeds", "status"), [(True, 0), (False, 1)])
def test_the_demo_succeeds_or_fails_as_its_call_does(
    environment: pytest.MonkeyPatch, tmp_path: Path, succeeds: bool, status: int
) -> None:
    async def run_demo(console: object, record: Path, *, play: bool) -> bool:
        assert record.parent.is_dir()
        assert not play  # nobody is watching
        return succeeds

    environment.setattr(demo, "run_demo", run_demo)
    assert run(environment, "demo", "--record", str(tmp_path / "new/demo.wav")) == status


def test_other_trouble_of_ours_is_told_in_words_too(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run_demo(*_: object, **__: object) -> bool:
        raise OffhookError("the server did not start")

    environment.setattr(demo, "run_demo", run_demo)
    assert run(environment, "demo", "--record", str(tmp_path / "demo.wav")) == 1
    assert "the server did not start" in capsys.readouterr().err


@pytest.fixture
def database(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the records go; a release has no token of Twilio's and needs none."""
    environment.delenv("TWILIO_AUTH_TOKEN")
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/offhook.db")
    environment.setattr(cli, "console", Console(stderr=True, width=200))
    settings.reload()
    return tmp_path / "offhook.db"


def test_the_database_is_brought_up_to_date(
    environment: pytest.MonkeyPatch, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environment, "db", "upgrade") == 0
    assert "the schema is at version 0001" in capsys.readouterr().err
    assert database.exists()


def test_a_caller_is_forgotten(
    environment: pytest.MonkeyPatch, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environment, "db", "upgrade") == 0
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO calls VALUES ('CA1', 'AC1', '+15005550006', '', 1, 1, 'p', NULL, NULL)")
    connection.close()
    assert run(environment, "records", "forget", "+15005550006") == 0
    shown = capsys.readouterr().err
    assert "calls deleted: 1" in shown
    assert "1 of them had no end" in shown
    assert run(environment, "records", "forget", "+15005550006") == 0
    assert "calls deleted: 0" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("db", "upgrade"), ("records", "forget", "+15005550006")])
def test_a_database_that_cannot_be_used_is_told_by_its_setting(
    environment: pytest.MonkeyPatch, database: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    environment.setenv("DATABASE_URL", "sqlite:////nowhere/offhook.db")
    settings.reload()
    assert run(environment, *command) == 2
    assert "DATABASE_URL  there is no folder /nowhere" in capsys.readouterr().err
