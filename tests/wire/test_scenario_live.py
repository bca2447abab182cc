"""A scenario run against the application as it is served, by a caller with a real voice."""

from providers.yaml_lines import parse_yaml
from telephony.scenarios.format import Scenario
from telephony.scenarios.live import run_live
from telephony.scenarios.timeline import timeline
from telephony.scenarios.verdict import Outcome, judge
from tests.wire.conftest import Open
from tests.wire.lines import ASK, INTERRUPT, PARTING

SCENARIO = f"""
name: a barge-in at a word
caller:
  - say: {ASK}
  - barge_in: {INTERRUPT}
    when: {{says: small family}}
  - say: {PARTING}
expect:
  in_order:
    - caller_said: {ASK}
    - {{caller_speaks: How much is}}
    - cleared
    - {{bot_said: We are a small, interrupted: true}}
    - caller_said: {INTERRUPT}
    - bot_hangs_up
  within:
    - {{from: {{caller_speaks: How much is}}, to: cleared, ms: 1000}}
  silence_under: 5
  carrier: [hang_up]
  caller_heard: anything
"""


async def test_a_scenario_is_run_live(open_office: Open) -> None:
    scenario = parse_yaml(Scenario, SCENARIO, "live.yaml")
    async with open_office(SCRIPTED_TRANSCRIPTS=f"{ASK}|{INTERRUPT}|{PARTING}") as office:
        run = await run_live(scenario, office.options, office.voice, office.api)

    checks = judge(scenario.expect, run)
    assert [check for check in checks if check.outcome is Outcome.FAILED] == [], "\n".join(timeline(run))
    assert [check.what for check in checks if check.outcome is Outcome.UNCHECKED] == ["the caller heard: anything"]
