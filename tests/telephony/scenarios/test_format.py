"""The file: what it takes, and what it says of what it does not take."""

from pathlib import Path

import pytest

from providers.yaml_lines import InvalidFile, parse_yaml
from telephony.scenarios.bot import CallTool, Stall, Words
from telephony.scenarios.format import Scenario, find_scenarios, load_scenario
from telephony.scenarios.steps import Answered, BargeIn, Cough, HangUp, InSentence, Noise, Now, Says, Silent, Speaking

WHOLE = """\
name: everything
bot:
  model:
    - Hello there.
    - - One moment.
      - stall: 3
      - tool: take
        args: {size: 4, price: 1.5, code: "042", sure: true, list: [1, a]}
    - to: opening
      reply: At noon.
rules:
  barge_in_s: 0.3
  endpointing: {short_s: 0.2}
caller:
  - say: hi
  - cough
  - noise: long
  - barge_in: stop
    when: {says: noon}
  - press: 42#
    when: {speaking: 1.5}
  - hang_up
expect:
  in_order:
    - bot_speaks
    - bot_says: /hel+o/
  within:
    - {from: caller_stops, to: bot_speaks, ms: 800}
"""


def test_everything_is_read_as_it_is_meant() -> None:
    scenario = parse_yaml(Scenario, WHOLE, "x.yaml")
    hello, taking, opening = scenario.bot.model or ()
    assert hello.reply == (Words(say="Hello there."),)
    assert taking.reply[1:] == (
        Stall(stall=3),
        CallTool(tool="take", args={"size": 4, "price": 1.5, "code": "042", "sure": True, "list": [1, "a"]}),
    )
    assert str(opening.to) == "opening"
    assert scenario.rules == {"barge_in_s": "0.3", "endpointing": {"short_s": "0.2"}}
    say, cough, noise, stop, press, hang_up = scenario.caller
    assert say.when == Answered()  # type: ignore[union-attr]
    assert isinstance(cough, Cough)
    assert isinstance(noise, Noise)
    assert noise.noise == 2.0
    assert isinstance(stop, BargeIn)
    assert isinstance(stop.when, Says)
    assert press.when == Speaking(1.5)  # type: ignore[union-attr]
    assert isinstance(hang_up, HangUp)
    first, hello_said = scenario.expect.in_order
    assert (str(first), str(hello_said)) == ("bot_speaks", "bot_says: /hel+o/")
    assert scenario.bot.is_scripted


@pytest.mark.parametrize(
    ("written", "when"),
    [
        ("now", Now()),
        ("answered", Answered()),
        ("{sentence: 2}", InSentence(2)),
        ("{silent: 1}", Silent(1.0)),
        ("{speaking: 0}", Speaking(0.0)),
    ],
)
def test_a_step_waits_for_what_it_says(written: str, when: object) -> None:
    text = f"name: x\ncaller: [{{say: a, when: {written}}}]\nexpect: {{}}"
    (step,) = parse_yaml(Scenario, text, "x.yaml").caller
    assert step.when == when  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name:", "nam:", "x.yaml, line 1: name: Field required"),
        ("  barge_in_s", "  bargein", "x.yaml, line 11: rules: there is no rule bargein, only: apology, barge_in_s"),
        ("short_s: 0.2", "shirt_s: 1", "x.yaml, line 11: rules: there is no rule shirt_s, only:"),
        ("barge_in_s: 0.3", "barge_in_s: x", "x.yaml, line 11: rules: barge_in_s: Input should be a valid number"),
        ("- cough", "- caugh", "x.yaml, line 16: caller[1]: must have one of these keys: say, barge_in,"),
        ("- say: hi", "- {say: hi, press: 1}", "x.yaml, line 15: caller[0]: must have one of these keys: say,"),
        ("says: noon", "saying: noon", "x.yaml, line 19: caller[3].when: write now, answered, or one of these"),
        ("speaking: 1.5", "speaking: x", "x.yaml, line 21: caller[4].when: write now, answered, or one of these"),
        ("speaking: 1.5", "speaking: -1", "x.yaml, line 21: caller[4].when: seconds run from 0 to 3600"),
        ("press: 42#", "press: 42e", "x.yaml, line 20: caller[4].press: String should match pattern"),
        ("stall: 3", "stall: x", "x.yaml, line 6: bot.model[1][1].stall: Input should be a valid number"),
        ("/hel+o/", "/hel(o/", "x.yaml, line 26: expect.in_order[1].bot_says: no regular expression: missing )"),
        ("ms: 800", "mss: 800", "x.yaml, line 28: expect.within[0].ms: Field required"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, problem: str) -> None:
    assert old in WHOLE
    with pytest.raises(InvalidFile) as caught:
        parse_yaml(Scenario, WHOLE.replace(old, new, 1), "x.yaml")
    assert caught.value.problems[0].startswith(problem)


@pytest.mark.parametrize("text", ["", "- a", "a: [", "name: 5"])
def test_what_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(InvalidFile, match=r"x\.yaml"):
        parse_yaml(Scenario, text, "x.yaml")


def test_the_business_is_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: x\nbot: {business: mine.yaml}\ncaller: [hang_up]\nexpect: {}")
    scenario = load_scenario(file)
    assert scenario.bot.business == tmp_path / "mine.yaml"
    assert not scenario.bot.is_scripted


def test_folders_are_searched_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    names = ["b.yaml", "a.yml", "deep/c.yaml", "no.txt"]
    for name in names:
        (tmp_path / name).write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in find_scenarios([tmp_path, tmp_path / "a.yml"])]
    assert found == ["a.yml", "b.yaml", "deep/c.yaml"]


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no such file"):
        find_scenarios([tmp_path / "missing"])
    with pytest.raises(InvalidFile, match="no scenario"):
        find_scenarios([tmp_path])
    with pytest.raises(InvalidFile, match="cannot read"):
        load_scenario(tmp_path)
