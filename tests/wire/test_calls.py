"""Whole calls over sockets: our own Twilio, a caller who speaks, and the application as it is served."""

import asyncio

import pytest

from telephony.call.rules import CallRules
from telephony.simulator.caller import Say
from telephony.simulator.events import CarrierSpoke, Dialled, StreamClosed
from telephony.simulator.options import DialPlan
from telephony.twilio import documents
from tests.wire.conftest import Open, WholeCall
from tests.wire.lines import (
    ASK,
    BRISK,
    INTERRUPT,
    MANAGER_PLEASE,
    PARTING,
    PUT_THROUGH,
)
from tests.wire.office import GOODBYE, GREETING, MANAGER, TOKEN, assert_in_order, of_kind, reported
from tests.wire.test_privacy import leaks
from tests.wire.test_records import feed


def test_a_call_with_a_barge_in_and_keys_until_the_bot_hangs_up(whole_call: WholeCall) -> None:
    report = whole_call.report
    assert report.turns[0].answer == GREETING
    asked, interrupted, parting = (turn for turn in report.turns if turn.said)
    assert asked.heard == ASK
    assert "We are a small family restaurant".startswith(asked.answer[:20])
    assert len(asked.answer) < len("We are a small family restaurant. We make pizza in a wood oven")
    assert interrupted.heard == INTERRUPT
    assert interrupted.silenced_ms is not None
    assert "".join(turn.keys for turn in report.turns) == "42#"
    assert reported(report, "caller_said") == [ASK, INTERRUPT, "42", PARTING]
    assert parting.answer == GOODBYE
    assert report.reason == "the bot hung up over REST"
    assert report.stats.cleared_bytes > 0
    assert_in_order(report)


async def test_a_transfer_is_answered_or_the_caller_comes_back_to_the_bot(
    open_office: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_office(VOICE_PROVIDER=BRISK, SCRIPTED_TRANSCRIPTS=MANAGER_PLEASE, LOG_LEVEL="DEBUG") as office:
        answered, unanswered = await asyncio.gather(
            office.call(Say(MANAGER_PLEASE), dial=DialPlan("completed", duration_s=0.1)),
            office.call(Say(MANAGER_PLEASE), dial=DialPlan("no-answer", duration_s=0.1)),
        )
        last_stream = await feed(office, unanswered.call_sid)

    assert reported(answered, "bot_said") == [GREETING, PUT_THROUGH]
    assert reported(unanswered, "bot_said")[:2] == [GREETING, PUT_THROUGH]
    assert next(event["text"] for event in last_stream if event["kind"] == "bot_said") == CallRules().returned
    assert (answered.streams, unanswered.streams) == (1, 2)
    for report in (answered, unanswered):
        assert of_kind(report, StreamClosed)[0].by == "carrier"
        assert_in_order(report)
    assert [(dial.numbers, dial.outcome) for dial in answered.dialled] == [((MANAGER,), "completed")]
    assert [(dial.numbers, dial.outcome) for dial in unanswered.dialled] == [((MANAGER,), "no-answer")]
    assert not of_kind(answered, CarrierSpoke)
    assert not of_kind(unanswered, CarrierSpoke)
    assert answered.reason == "the bot hung up"
    assert unanswered.reason == "the caller hung up"
    assert leaks(capsys.readouterr().err, MANAGER_PLEASE, PUT_THROUGH) == []


STRANGERS = ("AC" + "a" * 32, TOKEN[::-1])
"""An account whose token is another than the bot's, so that REST refuses it."""


async def test_a_goodbye_that_rest_refuses_ends_the_call_by_its_stream(open_office: Open) -> None:
    async with open_office(STRANGERS, VOICE_PROVIDER=BRISK, SCRIPTED_TRANSCRIPTS=PARTING) as office:
        report = await office.call(Say(PARTING))

    (stream,) = of_kind(report, StreamClosed)
    assert (stream.by, stream.close_code) == ("server", 1000)
    assert report.turns[-1].answer == GOODBYE
    assert report.reason == "the bot hung up"
    assert_in_order(report)


async def test_a_transfer_that_rest_refuses_is_made_when_its_stream_has_ended(open_office: Open) -> None:
    async with open_office(STRANGERS, VOICE_PROVIDER=BRISK, SCRIPTED_TRANSCRIPTS=MANAGER_PLEASE) as office:
        report = await office.call(Say(MANAGER_PLEASE), dial=DialPlan("completed", duration_s=0.1))

    (stream,) = of_kind(report, StreamClosed)
    assert (stream.by, stream.close_code) == ("server", 1000)
    assert [dial.numbers for dial in of_kind(report, Dialled)] == [(MANAGER,)]
    assert report.reason == "the bot hung up"
    assert_in_order(report)


async def test_where_the_voice_is_gone_the_carrier_apologises(open_office: Open) -> None:
    async with open_office(VOICE_PROVIDER="tests.wire.engines:Mute") as office:
        report = await office.call(max_call_s=3.0)  # the apology is long

    assert report.stats.audio_received_bytes == 0
    assert [spoken.text for spoken in of_kind(report, CarrierSpoke)] == [documents.LOST]
    assert_in_order(report)


async def test_a_stranger_gets_no_bot(open_office: Open) -> None:
    async with open_office() as office:
        report = await office.call(auth_token=TOKEN[::-1])

    assert report.streams == 0
    assert report.reason.startswith("application error")
