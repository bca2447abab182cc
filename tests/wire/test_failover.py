"""Whole calls over sockets with a first engine that has stalled: the call goes on, and the next does not ask it."""

import pytest

from telephony.call.rules import CallRules
from telephony.simulator.caller import Say
from tests.telephony.records.calls import until
from tests.wire.conftest import Open
from tests.wire.engines import Stalling
from tests.wire.lines import BRISK, PARTING
from tests.wire.office import GOODBYE, GREETING, assert_in_order, reported

PROBE = "Hello."


@pytest.mark.parametrize("variable", ["VOICE_STT_PROVIDER", "VOICE_TTS_PROVIDER"])
async def test_a_speech_engine_that_stalls(open_office: Open, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setattr(Stalling, "asked", [])
    engines = {"VOICE_PROVIDER": BRISK, variable: f"tests.wire.engines:Stalling,{BRISK}"}
    async with open_office(**engines, VOICE_ATTEMPT_S="0.3", SCRIPTED_TRANSCRIPTS=PARTING) as office:
        if variable == "VOICE_TTS_PROVIDER":
            await until(lambda: CallRules().defeat in Stalling.asked)  # the last of what is spoken beforehand
        monkeypatch.setattr(Stalling, "stalls", True)
        reports = [await office.call(Say(PARTING)) for _ in range(2)]

    for report in reports:
        assert reported(report, "caller_said") == [PARTING]
        assert reported(report, "bot_said") == [GREETING, GOODBYE]
        assert_in_order(report)
    in_calls = [text for text in Stalling.asked if text not in (PROBE, GREETING, CallRules().defeat)]
    if variable == "VOICE_TTS_PROVIDER":
        assert in_calls == [GOODBYE]
    else:
        assert in_calls[0] == ""  # the others are probes: they sound the same
