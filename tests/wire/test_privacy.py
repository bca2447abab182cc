"""What a server writes to its log, at its most talkative, while it serves a whole call: nothing of what was said."""

import re

from tests.wire.conftest import WholeCall
from tests.wire.lines import ASK, INTERRUPT, PARTING, PRICE
from tests.wire.office import CALLED, CALLER, GOODBYE, GREETING, MANAGER, TOKEN

SECRETS = (
    re.escape(TOKEN),
    r"v1\.\d+\.AC",  # a stream token
    r"(?i)x-twilio-signature|authorization",
    r"\+?\d{10,}",  # a telephone number
    *(re.escape(number) for number in (CALLER, CALLED, MANAGER, "+1 555 010 0143")),
    r"(?i)\bdigit|dtmf|\bkeys?\b",
    r"payload|[A-Za-z0-9+/]{60,}",  # audio
)


def leaks(log: str, *said: str) -> list[str]:
    """The lines that hold a secret, or two words in a row of what was said. Times and SIDs are no secrets."""
    pairs = [pair for text in said for pair in zip(text.split(), text.split()[1:], strict=False)]
    patterns = [*SECRETS, *(re.escape(" ".join(pair)) for pair in pairs)]
    assert "call started" in log
    without_times = re.sub(r"^[\d-]+ [\d:,]+ ", "", log, flags=re.MULTILINE)
    lines = re.sub(r"\b(CA|MZ|AC)[0-9a-f]{32}\b", "", without_times).splitlines()
    return [line for line in lines if any(re.search(pattern, line) for pattern in patterns)]


def test_a_call_leaves_nothing_personal_in_the_log(whole_call: WholeCall) -> None:
    assert f"call={whole_call.report.call_sid} call ended: the bot said goodbye" in whole_call.log
    assert "bad message on the media stream" in whole_call.log
    said = (GREETING, ASK, "We are a small family restaurant.", INTERRUPT, PRICE, "42", PARTING, GOODBYE)
    assert leaks(whole_call.log, *said) == []
    assert not re.search("mushroom|restaurant|fourteen|goodbye[.,]", whole_call.log)


def test_leaks_are_found() -> None:
    start = "2026-11-22 11:20:38,946 DEBUG   x call=- "
    lines = ("call started", '< TEXT \'{"event":"dtmf"}\'', f"calls {CALLER}", "heard: Tell me about it")
    assert len(leaks("\n".join(start + line for line in lines), ASK)) == 3
