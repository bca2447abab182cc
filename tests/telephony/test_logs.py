"""Log lines: the call they belong to, and what is kept out of them."""

import asyncio
import logging

import pytest

from telephony.logs import call_in_log, configure_logging

pytestmark = pytest.mark.usefixtures("logging_put_back")


async def test_a_line_names_its_call_in_tasks_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    logger = logging.getLogger("telephony.test")

    async def task() -> None:
        logger.warning("from a task")

    logger.info("before")
    with call_in_log("CA1"):
        logger.info("inside")
        await asyncio.create_task(task())
        with call_in_log("CA2"):
            logger.info("another")
    logger.info("after")
    assert [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()] == [
        "INFO    telephony.test call=- before",
        "INFO    telephony.test call=CA1 inside",
        "WARNING telephony.test call=CA1 from a task",
        "INFO    telephony.test call=CA2 another",
        "INFO    telephony.test call=- after",
    ]


def test_the_level_is_the_least_that_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING")
    logging.getLogger("telephony.test").info("not this")
    logging.getLogger("telephony.test").warning("this")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("call=- this")


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "websockets.client"])
def test_libraries_that_log_requests_are_kept_to_warnings(capsys: pytest.CaptureFixture[str], name: str) -> None:
    configure_logging("DEBUG")
    logging.getLogger(name).info("POST https://api.twilio.com/… To=+15005550006")
    assert not capsys.readouterr().err
    logging.getLogger(name).warning("something is wrong")
    assert "something is wrong" in capsys.readouterr().err


def test_the_frames_of_a_socket_are_not_logged_at_any_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")
    server = logging.getLogger("uvicorn.error")  # the name its WebSocket protocol logs frames under
    server.debug("< TEXT '%s'", '{"event":"dtmf","dtmf":{"digit":"7"}}')
    server.info("Application startup complete.")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("startup complete.")


def test_a_higher_level_holds_for_the_libraries_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ERROR")
    for name in ("uvicorn.error", "httpx", "telephony.test"):
        logging.getLogger(name).warning("not this")
    assert not capsys.readouterr().err
