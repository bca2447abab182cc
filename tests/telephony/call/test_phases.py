"""The table of phases, and the diagram of it that the documentation shows."""

from pathlib import Path

from telephony.call.phases import TRANSITIONS, Cause, Phase, diagram


def test_every_phase_can_be_reached_and_left_but_the_last() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase) - {Phase.ENDED}
    assert set(TRANSITIONS.values()) == set(Phase)
    assert {cause for _, cause in TRANSITIONS} == set(Cause)


def test_every_phase_can_come_to_the_end() -> None:
    assert all(TRANSITIONS[phase, Cause.OVER] is Phase.ENDED for phase in Phase if phase is not Phase.ENDED)


def test_the_documentation_shows_this_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "conversation.md").read_text()

    assert f"```mermaid\n{diagram()}\n```" in page
