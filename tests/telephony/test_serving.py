"""Serving: where it listens, that it does before anything heavy is loaded, and what it says when it cannot."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from providers.errors import ConfigurationError
from telephony import engines, serving
from telephony.settings import settings
from tests.telephony.simulator.bot import ACCOUNT_SID, TOKEN


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT_SID)
    monkeypatch.setenv("VOICE_PROVIDER", "scripted")
    monkeypatch.setattr(serving, "configure_logging", lambda level: None)  # it would take pytest's handlers away
    settings.reload()
    yield monkeypatch
    settings.reload()


class Served:
    """What uvicorn was asked to serve."""

    def __init__(self) -> None:
        self.config: Any = None
        self.address: tuple[str, int] | None = None
        self.starts = True

    def server(self, server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        self.config, self.address = server.config, sockets[0].getsockname()
        server.started = self.starts

    def processes(self, config: uvicorn.Config, sockets: list[socket.socket]) -> "Served":
        self.config, self.address = config, sockets[0].getsockname()
        return self

    def run(self) -> None:
        """The processes'."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    served = Served()
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets: served.server(server, sockets))
    monkeypatch.setattr(uvicorn.Config, "load_app", lambda config: config)
    monkeypatch.setattr(serving, "Multiprocess", served.processes)
    return served


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("workers", [1, 2])
def test_it_listens_where_the_settings_say(environment: pytest.MonkeyPatch, served: Served, workers: int) -> None:
    port = free_port()
    environment.setenv("PORT", str(port))
    environment.setenv("WEB_CONCURRENCY", str(workers))
    serving.serve_calls()
    assert served.address == ("127.0.0.1", port)
    assert served.config.app == "telephony.app:create_app"
    assert served.config.workers == workers
    assert served.config.ws_max_size == 65536
    assert served.config.timeout_keep_alive > 90  # Heroku's router


def test_it_listens_on_the_other_kind_of_address(environment: pytest.MonkeyPatch, served: Served) -> None:
    environment.setenv("HOST", "::1")
    serving.serve_calls()
    assert served.address is not None
    assert served.address[0] == "::1"


def test_who_comes_while_it_loads_waits(environment: pytest.MonkeyPatch, served: Served) -> None:
    port = free_port()
    environment.setenv("PORT", str(port))
    callers: list[socket.socket] = []

    def load() -> None:
        callers.append(socket.create_connection(("127.0.0.1", port), timeout=5))

    environment.setattr(engines, "check_configuration", load)
    serving.serve_calls()
    assert served.address == ("127.0.0.1", port)
    callers[0].close()


def test_nothing_heavy_is_loaded_before_it_listens() -> None:
    heavy = {"langchain_core", "numpy", "onnxruntime", "sqlalchemy", "starlette", "twilio"}
    code = f"import sys, telephony.cli, telephony.serving; print(*sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603
    assert loaded == "\n"


def test_it_listens_no_more_when_it_has_served(environment: pytest.MonkeyPatch, served: Served) -> None:
    serving.serve_calls()
    assert served.address is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(served.address, timeout=5)


def test_a_port_that_is_taken_is_named(environment: pytest.MonkeyPatch, served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        environment.setenv("PORT", str(other.getsockname()[1]))
        with pytest.raises(ConfigurationError, match=r"PORT.*Address already in use"):
            serving.serve_calls()
    assert served.config is None


def test_an_address_that_is_not_ours_is_named(environment: pytest.MonkeyPatch, served: Served) -> None:
    environment.setenv("HOST", "192.0.2.1")
    with pytest.raises(ConfigurationError, match=r"HOST.*192\.0\.2\.1"):
        serving.serve_calls()
    assert served.config is None


def test_whatever_else_is_wrong_is_told_with_the_port(environment: pytest.MonkeyPatch, served: Served) -> None:
    environment.setenv("PORT", "http")
    environment.setenv("VOICE_PROVIDER", "nobody")
    with pytest.raises(ConfigurationError) as told:
        serving.serve_calls()
    assert {problem.variable for problem in told.value.problems} == {"PORT", "VOICE_PROVIDER"}


def test_a_server_that_does_not_start_is_a_failure(served: Served) -> None:
    served.starts = False
    with pytest.raises(SystemExit) as end:
        serving.serve_calls()
    assert end.value.code == serving.FAILED_TO_START
