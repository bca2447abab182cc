"""What the bot can do to a call beside its stream: end it, put the caller through, send them a text message."""

import logging
import re
from collections.abc import Awaitable, Callable

from telephony.twilio.rest import CarrierError, TwilioRest

logger = logging.getLogger(__name__)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class CallControl:
    """Orders by REST. Where that cannot be had the stream has to be closed from our side, and Twilio asks what is next.

    `dial` writes the TwiML that puts a caller through to a number.
    """

    def __init__(self, rest: TwilioRest | None, dial: Callable[[str], str]) -> None:
        self._rest = rest
        self._dial = dial

    async def hang_up(self, call_sid: str) -> bool:
        """End the call; False if the carrier did not take the order."""
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
        if self._rest is None:
            return False
        try:
            await self._rest.redirect(call_sid, self._dial(number))
        except CarrierError as error:
            logger.warning("cannot transfer by REST, closing the stream instead: %s", error)
            return False
        return True

    async def redirect(self, call_sid: str, document: str) -> bool:
        """Replace what a call is doing; False if the carrier did not take the order, or the call is over."""
        if self._rest is None:
            return False
        try:
            await self._rest.redirect(call_sid, document)
        except CarrierError as error:
            logger.warning("a call cannot be brought back by REST: %s", error)
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
