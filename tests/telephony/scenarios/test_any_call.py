"""Whole calls with any caller, any engines and any faults: the real session never breaks, and believes no fiction.

Marks are not lost here: what was heard without them is known to within a frame, and a call may end in any.
"""

import re

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from telephony.scenarios.format import Scenario
from telephony.scenarios.invented import run_invented

LINES = st.sampled_from(
    ["Yes.", "Hello?", "A table for", "A table for two, please.", "Stop.", "Okay.", "W", "5 5 5 0 1"]
)
SECONDS = st.sampled_from([0.0, 0.1, 0.4, 1.0, 3.0])
STALLS = st.sampled_from([0.1, 0.4])
"""Shorter than the wait for a mark: for how long a line stalls that brings nothing back, nobody can tell."""
SENTENCES = st.sampled_from(["Yes.", "We do.", "We open at noon, and we shut at ten.", "It is $5. Is that fine?", "—"])
WHEN = st.one_of(
    st.sampled_from(["answered", "now"]),
    st.builds(lambda seconds: {"speaking": seconds}, SECONDS),
    st.builds(lambda seconds: {"silent": seconds}, SECONDS),
)
STEPS = st.one_of(
    st.builds(lambda text, when, quiet: {"say": text, "when": when, "quiet": quiet}, LINES, WHEN, st.booleans()),
    st.builds(lambda text, when: {"barge_in": text, "when": when}, LINES, WHEN),
    st.builds(lambda when: {"backchannel": "Mm-hm.", "when": when}, WHEN),
    st.builds(lambda seconds, when: {"noise": seconds, "when": when}, SECONDS, WHEN),
    st.builds(lambda keys, when: {"press": keys, "when": when}, st.sampled_from(["1", "42#", "*"]), WHEN),
    st.builds(lambda seconds: {"pause": seconds}, SECONDS),
    st.builds(lambda seconds, when: {"stall_socket": seconds, "when": when}, STALLS, WHEN),
    st.builds(lambda on: {"echo": on}, st.booleans()),
)
PIECES = st.one_of(
    SENTENCES,
    st.builds(lambda seconds: {"stall": seconds}, st.sampled_from([0.2, 3.0, 6.0])),
    st.builds(lambda times: {"fail": True, "times": times}, st.integers(1, 3)),
    st.just({"tool": "look_up", "args": {"what": "x"}}),
    st.just({"tool": "transfer_call", "args": {"destination": "manager"}}),
    st.just({"tool": "hang_up", "args": {"reason": "done"}}),
)
FAULT = {"stall": st.sampled_from([0.0, 1.0, 20.0]), "fail": st.booleans()}
BOTS = st.fixed_dictionaries(
    {
        "model": st.lists(
            st.builds(
                lambda pieces, to: {"reply": pieces, "to": to},
                st.lists(PIECES, min_size=1, max_size=4),
                st.sampled_from(["/table/", "/./"]),
            ),
            max_size=3,
        ),
        "voice": st.fixed_dictionaries(
            {
                "slow": SECONDS,
                "word_timings": st.just(True),
                "faults": st.lists(st.fixed_dictionaries({"sentence": st.integers(1, 5), "after": SECONDS, **FAULT})),
            }
        ),
        "recogniser": st.fixed_dictionaries(
            {
                "slow": SECONDS,
                "streaming": st.booleans(),
                "end_of_turn": st.sampled_from([None, 0.1, 0.6]),
                "faults": st.lists(
                    st.fixed_dictionaries({"attempt": st.integers(1, 5), "empty": st.booleans(), **FAULT})
                ),
            }
        ),
        "tools": st.lists(
            st.fixed_dictionaries(
                {"name": st.just("look_up"), "args": st.just(["what"]), "takes": SECONDS, "fail": st.booleans()}
            ),
            max_size=1,
        ),
        "carrier": st.sampled_from(["obeys", "refuses", "nobody_answers"]),
    }
)
NO_FAULT_OF_THE_CALL = re.compile(r"the call was over before|the caller gave up|the model's script has no reply")


@given(BOTS, st.lists(STEPS, min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink a call takes minutes
def test_no_call_breaks_hangs_or_remembers_what_nobody_heard(
    bot: dict[str, object], steps: list[dict[str, object]], notice: bool
) -> None:
    scenario = Scenario.model_validate(
        {
            "name": "any call",
            "bot": bot,
            "rules": {"notice": "We do tape all of it." if notice else "", "longest_call_s": 90.0},
            "caller": [*steps, {"hang_up": ""}],
            "expect": {},
            "longest": 200.0,
        }
    )
    problems = [what for what in run_invented(scenario).problems if not NO_FAULT_OF_THE_CALL.match(what)]
    assert problems == []
