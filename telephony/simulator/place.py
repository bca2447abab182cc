"""Placing calls: the one way in for the command line, the demo, the tests and the load runs."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from time import monotonic

from telephony.simulator.caller import Caller, Cue, ScriptedCaller
from telephony.simulator.events import CallEnded, Event
from telephony.simulator.identity import CallIdentity
from telephony.simulator.journal import Journal
from telephony.simulator.options import CallOptions
from telephony.simulator.phone import Phone, new_sid
from telephony.simulator.recording import NoRecording, WavRecording
from telephony.simulator.report import CallReport, build_report
from telephony.simulator.rest import RestApi
from telephony.simulator.voice import ProviderVoice, Voice, prepare
from telephony.simulator.webhooks import WebhookClient


async def place_call(
    options: CallOptions,
    *,
    voice: Voice | None = None,
    caller: Caller | None = None,
    rest: RestApi | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> CallReport:
    """Make one call and report on it; what goes wrong on the server's side is in the report, and raises nothing.

    `voice` speaks the script's lines, the embedded engine if none is given; a `caller`, such as a person with a
    microphone, takes the script's place. `rest` is the API through which the server may update the call. Raises
    what preparing the script raises. Cancelling drops the call.
    """
    cues = () if caller else await _cues(options, voice)
    return await _call(options, cues, caller, rest, on_event)


async def place_many(
    options: CallOptions,
    count: int,
    *,
    voice: Voice | None = None,
    rest: RestApi | None = None,
    spread_s: float = 0.0,
    on_report: Callable[[CallReport], None] | None = None,
) -> list[CallReport]:
    """Make `count` calls at once in this process, begun evenly over `spread_s`; the speech is prepared once.

    Recordings get the number of the call appended to their name. See `place_call`.
    """
    cues = await _cues(options, voice)

    async def one(number: int) -> CallReport:
        await asyncio.sleep(spread_s * number / count)
        path = options.wav_path
        wav_path = path.with_stem(f"{path.stem}-{number + 1}") if path else None
        report = await _call(replace(options, wav_path=wav_path), cues, None, rest, None)
        if on_report:
            on_report(report)
        return report

    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(one(number)) for number in range(count)]
    return [call.result() for call in calls]


async def _cues(options: CallOptions, voice: Voice | None) -> tuple[Cue, ...]:
    return await prepare(options.steps, voice or await ProviderVoice.named("local"))


async def _call(
    options: CallOptions,
    cues: Sequence[Cue],
    caller: Caller | None,
    rest: RestApi | None,
    on_event: Callable[[Event], None] | None,
) -> CallReport:
    journal = Journal(monotonic(), on_event)
    identity = CallIdentity(new_sid("CA"), options.account_sid, options.caller_number, options.called_number)
    scripted = ScriptedCaller(
        cues,
        began_at=journal.began_at,
        patience_s=options.patience_s,
        answer_timeout_s=options.answer_timeout_s,
    )
    recording = WavRecording(options.wav_path) if options.wav_path else nullcontext(NoRecording())
    async with WebhookClient.open(options.auth_token) as webhooks:
        with recording as recorder:
            phone = Phone(identity, options, caller or scripted, webhooks, journal, recorder)
            if rest:
                rest.add(phone)
            try:
                await phone.run()
            except TimeoutError:
                now_s = journal.at_s(monotonic())
                journal.note(CallEnded(now_s, "the call could not be ended in time", "failed"))
    return build_report(identity.call_sid, journal.events)
