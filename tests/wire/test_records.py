"""A call's records, from the process that took it to the one that is asked for them later."""

import struct
from pathlib import Path

import httpx
import orjson

from telephony.simulator.caller import Say
from telephony.twilio.signature import sign
from tests.wire.conftest import Open
from tests.wire.lines import BRISK, PARTING
from tests.wire.office import GOODBYE, GREETING, TOKEN, Office, reported


async def feed(office: Office, call_sid: str) -> list[dict[str, object]]:
    """The events of a call, as the bot's feed tells them."""
    path = f"/calls/{call_sid}/events"
    headers = {"X-Twilio-Signature": sign(office.base_url + path, TOKEN)}
    async with httpx.AsyncClient(base_url=office.base_url, trust_env=False) as client:
        response = await client.get(path, headers=headers)
    assert response.status_code == 200
    return [orjson.loads(line) for line in response.text.splitlines()]


def voiced(path: Path) -> tuple[int, int]:
    """How many bytes of each side of a recording are not silence."""
    content = path.read_bytes()
    (size,) = struct.unpack_from("<I", content, 54)
    assert size == len(content) - 58
    left, right = (len(track) - track.count(0xFF) - track.count(0x7F) for track in (content[58::2], content[59::2]))
    return left, right


async def test_a_call_is_in_the_records_of_a_process_that_never_had_it(open_office: Open, tmp_path: Path) -> None:
    changes = {
        "VOICE_PROVIDER": BRISK,
        "SCRIPTED_TRANSCRIPTS": PARTING,
        "RECORD_CALLS": "true",
        "RECORD_WITHOUT_NOTICE": "true",
        "RECORDINGS_FOLDER": f"{tmp_path}/recordings",
    }
    async with open_office(**changes) as office:
        report = await office.call(Say(PARTING))
        live = await feed(office, report.call_sid)
    async with open_office(**changes) as office:
        again = await feed(office, report.call_sid)

    assert reported(report, "bot_said") == [GREETING, GOODBYE]
    assert again == live
    assert [event["text"] for event in again if event["kind"] == "bot_said"] == [GREETING, GOODBYE]
    caller, bot = voiced(tmp_path / "recordings" / f"{report.call_sid}-1.wav")
    assert caller > 1000
    assert bot > 1000
