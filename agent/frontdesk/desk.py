"""What a conversation is held with: the business, its words, the time, and the tools at hand."""

from dataclasses import dataclass
from datetime import datetime

from agent.business import Business
from agent.frontdesk.lexicon import Lexicon
from agent.frontdesk.spoken import listed
from agent.frontdesk.state import Ask


@dataclass(frozen=True, slots=True)
class Desk:
    """`now` is in the business's own zone; `tools` are the names of the tools that can be called.

    `caller` is the number that calls, empty if it is withheld.
    """

    business: Business
    lexicon: Lexicon
    now: datetime
    tools: frozenset[str]
    caller: str = ""

    @property
    def takes_messages(self) -> bool:
        return "take_message" in self.tools

    @property
    def people(self) -> tuple[str, ...]:
        """Those a caller can be put through to."""
        return tuple(self.business.transfer) if "transfer_call" in self.tools else ()

    def offer(self) -> tuple[str, Ask | None]:
        """What we can do for a caller whom we cannot help, as a question, and how an answer is to be read."""
        ways = ["leave a message"] if self.takes_messages else []
        ways += [f"speak to {listed([called(name) for name in self.people], 'or')}"] if self.people else []
        if ways:
            return f"Would you like to {', or '.join(ways)}?", Ask.OFFER
        return "Is there anything else I can help you with?", Ask.ANYTHING_ELSE


def called(name: str) -> str:
    """`the manager`, but plain `Maria`."""
    return name if name[:1].isupper() else f"the {name}"
