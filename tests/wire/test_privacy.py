"""What a server writes to its log, at its most talkative, while it serves a whole call: nothing of what was said."""

import re
from pathlib import Path

from telephony.simulator.caller import Press, Say
from telephony.simulator.options import DialPlan
from telephony.simulator.voice import Voice
from tests.wire.office import CALLED, CALLER, MANAGER, TOKEN, in_a_process, reported
from tests.wire.raw import sends_garbage
from tests.wire.test_calls import BRISK, INTERRUPT, MANAGER_PLEASE, PRICE, PUT_THROUGH

ROOT = Path(__file__).parent.parent.parent
KEYS = "86753"
SECRETS = {
    "the auth token": re.escape(TOKEN),
    "a stream token": r"v1\.\d+\.AC",
    "a signature": r"(?i)x-twilio-signature|authorization",
    "a telephone number": r"\+?\d{10,}",
    "the keys, together": KEYS,
    "a key": r"(?i)\bdigit|dtmf|keys?\b.*\d",
    "audio": r"payload|[A-Za-z0-9+/]{60,}",
}


async def test_a_call_leaves_nothing_personal_in_the_log(tmp_path: Path, caller_voice: Voice) -> None:
    settings = {"VOICE_PROVIDER": BRISK, "SCRIPTED_TRANSCRIPTS": f"{INTERRUPT}|{MANAGER_PLEASE}", "LOG_LEVEL": "DEBUG"}
    async with in_a_process(tmp_path, caller_voice, cwd=ROOT, **settings) as office:
        report = await office.call(
            Say(INTERRUPT), Press(KEYS + "#"), Say(MANAGER_PLEASE), dial=DialPlan("completed", duration_s=0.1)
        )
        await sends_garbage(office)
    assert reported(report, "caller_said") == [INTERRUPT, KEYS, MANAGER_PLEASE]
    assert report.dialled

    assert office.log is not None
    log = office.log.read_text()
    assert f"call={report.call_sid} call started" in log
    assert "call ended: transferred" in log
    assert "bad message on the media stream" in log
    words = [*SECRETS.values(), *(re.escape(number) for number in (CALLER, CALLED, MANAGER, "+1 555 010 0143"))]
    for said in (INTERRUPT, PRICE, MANAGER_PLEASE, PUT_THROUGH):
        words += [re.escape(" ".join(pair)) for pair in zip(said.split(), said.split()[1:], strict=False)]
    words += ["mushroom", "pizza", "fourteen", "manager"]
    without_times = re.sub(r"^[\d-]+ [\d:,]+ ", "", log, flags=re.MULTILINE)
    without_sids = re.sub(r"\b(CA|MZ|AC)[0-9a-f]{32}\b", "", without_times)
    leaks = [line for line in without_sids.splitlines() for word in words if re.search(word, line)]
    assert not leaks
