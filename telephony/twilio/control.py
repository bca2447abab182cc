"""What the bot can do to a call beside its stream: end it, put the caller through, send them a text message."""

import logging
import re
from collections.abc import Awaitable, Callable

from telephony.twilio import twiml
from telephony.twilio.board import CallBoard
from telephony.twilio.rest import CarrierError, TwilioRest

logger = logging.getLogger(__name__)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class CallControl:
    """Orders by REST, and posts each on the board first, for the case that REST cannot be had.

    Then the stream has to be closed from our side, and Twilio, asking what comes next, is told the same thing.
    """

    def __init__(
        self, rest: TwilioRest | None, board: CallBoard, dial_action_url: str, now: Callable[[], float]
    ) -> None:
        self._rest = rest
        self._board = board
        self._dial_action_url = dial_action_url
        self._now = now

    async def hang_up(self, call_sid: str) -> bool:
        """End the call; False if the carrier did not take the order."""
        self._board.ended(call_sid, self._now())
        if self._rest is None:
            return False
        try:
            await self._rest.hang_up(call_sid)
        except CarrierError as error:
            logger.warning("cannot hang up by REST, closing the stream instead: %s", error)
            return False
        return True

    async def transfer(self, call_sid: str, number: str) -> bool:
        """Ring `number` for the caller; False if the carrier did not take the order."""
        self._board.transferring(call_sid, number, self._now())
        if self._rest is None:
            return False
        try:
            await self._rest.redirect(call_sid, twiml.dial(number, action_url=self._dial_action_url))
        except CarrierError as error:
            logger.warning("cannot transfer by REST, closing the stream instead: %s", error)
            return False
        return True

    def texting(self, caller: str | None, called: str | None) -> Callable[[str], Awaitable[None]] | None:
        """What sends text messages from the called number to the caller; None if nothing can.

        It raises `CarrierError` for a message that was not sent, or of which nobody knows.
        """
        rest = self._rest
        if rest is None or not caller or not called or not (_E164.fullmatch(caller) and _E164.fullmatch(called)):
            return None

        async def send(message: str) -> None:
            await rest.send_message(caller, called, message)

        return send
