"""Live calls: which scenarios can be had so, what the caller makes of the feed, and a call over a socket."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from telephony.scenarios.command import run_scenarios
from telephony.scenarios.live import FeedWords, run_live, why_not_live
from telephony.scenarios.run import Said
from telephony.scenarios.verdict import Outcome, judge
from telephony.simulator import events
from telephony.simulator.options import CallOptions
from telephony.simulator.voice import ProviderVoice
from tests.telephony.scenarios.calls import scenario
from tests.telephony.simulator.bot import ACCOUNT_SID, TOKEN, Bot, Socket

CONNECT = '<Response><Connect><Stream url="{ws}/media"/></Connect></Response>'
FEED = [
    '{"at_s": 0.0, "kind": "bot_says", "turn": 0, "sentence": 0, "text": "Good morning to you."}',
    '{"at_s": 0.1, "kind": "audio_heard", "turn": 0, "sentence": 0}',
    '{"at_s": 1.0, "kind": "bot_said", "turn": 0, "text": "Good", "interrupted": true}',
    '{"at_s": 1.2, "kind": "caller_said", "turn": 1, "text": "Wait."}',
    '{"at_s": 1.5, "kind": "call_ended", "reason": "caller hung up"}',
]
VOICE = ProviderVoice(lambda: ScriptedVoiceProvider(ScriptedConfig()))


@pytest.mark.parametrize(
    ("caller", "others", "reason"),
    [
        ("[say: a, cough, noise, backchannel, echo, press: 1, {barge_in: b, when: {says: x}}, hang_up]", {}, ""),
        ("[hang_up]", {"bot": "{business: mine.yaml}"}, ""),
        ("[hang_up]", {"bot": "{model: [a]}"}, "it scripts the bot's engines or tools"),
        ("[hang_up]", {"bot": "{voice: {slow: 1}}"}, "it scripts the bot's engines or tools"),
        ("[hang_up]", {"rules": "{reprompts: 1}"}, "it sets the bot's rules"),
        ("[hang_up]", {"at": "2026-11-24T12:00"}, "it sets the bot's clock"),
        ("[lose_marks]", {}, "it breaks the line"),
        ("[stall_socket: 1]", {}, "it breaks the line"),
        ("[{say: a, quiet: true}]", {}, "it says what the recogniser makes of a line"),
        ("[{barge_in: a, heard: b}]", {}, "it says what the recogniser makes of a line"),
    ],
)
def test_what_a_server_cannot_be_made_to_do_is_not_run_live(caller: str, others: dict[str, str], reason: str) -> None:
    assert why_not_live(scenario(caller, **others)) == reason


def test_words_are_made_out_as_fast_as_they_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.scenarios.live.monotonic", lambda: 100.0)
    words = FeedWords()
    words.told(events.StreamOpened(0.5, "MZ"))
    words.told(events.BotReported(1.0, "bot_says", 0, {"sentence": 0, "text": "Good morning."}))
    words.told(events.BotReported(1.1, "audio_heard", 0, {"sentence": 0}))
    for now, heard in ((100.0, ""), (100.6 + 4.5 * 0.065, "Good"), (105.0, "Good morning.")):
        words.hear(b"", now)
        assert list(words.sentences) == [heard]


async def test_a_call_is_made_over_a_socket_and_judged_by_what_can_be_known() -> None:
    async def speaks_until_interrupted(socket: Socket) -> None:
        await socket.say(3.0)
        await socket.until_caller_speaks()
        await socket.clear()
        await socket.until_stop()

    wanted = scenario(
        "[{barge_in: Wait., when: {speaking: 0.3}}, {hang_up: '', when: {silent: 0.3}}]",
        """
  in_order: [bot_speaks, caller_speaks: wait, cleared, bot_quiet]
  within: [{from: caller_speaks, to: cleared, ms: 300}]
  also: [caller_said: Wait]
  history: [{bot: Good—}, {caller: Wait}]
  caller_heard: [Good]
  tools: []
  ended: caller hung up""",
    )
    async with Bot({"/voice": CONNECT}, [speaks_until_interrupted], FEED).serve() as bot:
        options = CallOptions(url=f"{bot.base_url}/voice", auth_token=TOKEN, account_sid=ACCOUNT_SID)
        run = await run_live(wanted, options, VOICE)

    assert run.problems == ()
    assert run.history == (Said("bot", "Good—"), Said("caller", "Wait."))
    outcomes = [check.outcome for check in judge(wanted.expect, run)]
    passed, unknown = Outcome.PASSED, Outcome.UNCHECKED
    assert outcomes == [passed, passed, passed, unknown, passed, unknown, passed]


async def test_a_server_without_a_feed_is_judged_by_what_is_heard() -> None:
    async def says_goodbye(socket: Socket) -> None:
        await socket.say(0.5, mark="over")
        await socket.until_mark("over")

    wanted = scenario("[wait: 1]", "{also: [bot_speaks, bot_says: x], history: [], ended: x}")
    async with Bot({"/voice": CONNECT}, [says_goodbye]).serve() as bot:
        options = CallOptions(url=f"{bot.base_url}/voice", auth_token=TOKEN, account_sid=ACCOUNT_SID)
        run = await run_live(wanted, options, VOICE)

    outcomes = [check.outcome for check in judge(wanted.expect, run)]
    assert outcomes == [Outcome.PASSED, Outcome.UNCHECKED, Outcome.UNCHECKED, Outcome.UNCHECKED]


def test_a_run_in_which_nothing_could_be_checked_has_not_passed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nrules: {reprompts: 1}\ncaller: [hang_up]\nexpect: {}")
    out = io.StringIO()
    status = run_scenarios([tmp_path], "http://127.0.0.1:1/voice", tmp_path / "out.xml", Console(file=out, width=200))
    assert status == 1
    assert "not run: it sets the bot's rules" in out.getvalue()
    assert "1 not checked" in out.getvalue()
    assert '<skipped message="it sets the bot\'s rules"' in (tmp_path / "out.xml").read_text()
