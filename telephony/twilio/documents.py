"""The TwiML of this server's calls: with its addresses, and a token for each stream."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.settings import TelephonySettings
from telephony.twilio import twiml
from telephony.twilio.after import After, AskAgain, GiveUp, Over, PutThrough, TakeUp
from telephony.twilio.tokens import StreamTokens

LOST = "We are sorry, something went wrong on our side and the conversation was lost."
UNREACHABLE = "We are sorry, we cannot take your call at the moment. Please call again later."
ASK_AGAIN_S = 1
AT_ONCE = 3
"""Steps after which the carrier is to ask again without a pause: mostly there is another process, and it is asked."""
MOST_STEPS = 40
"""Streams and questions one call may lead to in a row: past that it goes round in circles. A process that is ending,
and is the only one yet, has the carrier ask again for half a minute."""


@dataclass(frozen=True, slots=True)
class Party:
    """A call and whose it is. Numbers may be words, or blank."""

    call_sid: str
    account_sid: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)


class CallDocuments:
    """Writes them. `step` counts the documents that have led to this one without the caller doing anything.

    `fallback_number` is where callers are put through to whom the bot cannot serve any more, if there is one.
    """

    def __init__(
        self,
        settings: TelephonySettings,
        tokens: StreamTokens,
        fallback_number: str = "",
        epoch: Callable[[], float] = time.time,
        nonce: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self._stream_url = settings.stream_url
        self._url = settings.public_base_url + "/twilio"
        self._tokens = tokens
        self._fallback_number = fallback_number
        self._epoch = epoch
        self._nonce = nonce

    def stream(self, party: Party, step: int = 1, back: str = "") -> str:
        """Open a stream; `back` says why a caller who was put through comes back to the bot.

        A stream tells its step: one that is not the first of its call must know even while the database is away.
        """
        token = self._tokens.mint(party.call_sid, party.account_sid, self._epoch(), self._nonce())
        parameters = {"token": token, "from": party.from_number, "to": party.to_number, "step": str(step)}
        return twiml.connect_stream(
            self._stream_url,
            action_url=f"{self._url}/stream-ended?step={step}",
            status_callback_url=f"{self._url}/stream-status",
            parameters=parameters | ({"back": back} if back else {}),
        )

    def after(self, after: After, party: Party, step: int = 1) -> str:
        """What comes after a stream. With too many steps behind it, the caller is told that it cannot go on."""
        if step > MOST_STEPS:
            return twiml.say_and_hang_up(UNREACHABLE)
        match after:
            case Over():
                return twiml.hang_up()
            case PutThrough(number):
                return self.dial(number)
            case TakeUp():
                return self.stream(party, step + 1)
            case AskAgain() if step <= AT_ONCE:
                return twiml.redirect(f"{self._url}/stream-ended?step={step + 1}")
            case AskAgain():
                return twiml.pause_and_redirect(ASK_AGAIN_S, f"{self._url}/stream-ended?step={step + 1}")
            case GiveUp() if self._fallback_number:
                return twiml.say_and_dial(LOST, self._fallback_number, f"{self._url}/dial-ended")
            case GiveUp():
                return twiml.say_and_hang_up(LOST)

    def question(self) -> str:
        """Have the carrier ask what comes after the stream, as it should have by itself."""
        return twiml.redirect(f"{self._url}/stream-ended")

    def dial(self, number: str) -> str:
        """Put the caller through."""
        return twiml.dial(number, action_url=f"{self._url}/dial-ended")
