"""The WebSocket that Twilio opens for a call: who may open it, and whose call it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.websockets import WebSocket

from providers.errors import OffhookError
from telephony.logs import call_in_log
from telephony.twilio.line import LineBroken, MediaLine
from telephony.twilio.messages import Start
from telephony.twilio.refusals import refused
from telephony.twilio.signature import SignatureChecker
from telephony.twilio.stream import MediaStream
from telephony.twilio.tokens import Claim, StreamTokens, TokenRefused

logger = logging.getLogger(__name__)

START_LIMIT_S = 5.0
"""How long a fresh socket may take to say whose call it is."""
REDEEM_LIMIT_S = 1.0
"""How long a stream waits to hear whether another process has seen its token."""
MAX_WAITING = 100
"""Sockets that have not said so yet."""
POLICY_VIOLATION = 1008


class Redeemed(Protocol):
    """What all processes together know of used tokens; raises `OffhookError` if that cannot be asked."""

    async def redeem(self, seal: str, expires_at: float) -> bool:
        """Use a token up; False if any process has done so before."""


class StreamEndpoint:
    """Lets a socket in by its signature, its stream by the one-time token of the webhook, and hands it to `serve`.

    `redeemed` knows the tokens that other processes have let in; while it cannot be asked, only this one's count.
    `checker` is None only where signatures are switched off for development on loopback; the token is checked always.
    """

    def __init__(
        self,
        checker: SignatureChecker | None,
        tokens: StreamTokens,
        redeemed: Redeemed,
        serve: Callable[[MediaLine, Start], Awaitable[None]],
        epoch: Callable[[], float],
    ) -> None:
        self._checker = checker
        self._tokens = tokens
        self._redeemed = redeemed
        self._serve = serve
        self._epoch = epoch
        self._waiting = 0

    async def __call__(self, websocket: WebSocket) -> None:
        """One socket from its upgrade to its end. Never raises: a fault here is this call's alone."""
        if self._checker is not None and not self._is_signed(websocket):
            await websocket.close(POLICY_VIOLATION)  # before accepting: the peer sees 403
            return
        if self._waiting >= MAX_WAITING:
            refused("sockets", "refused a media stream: %d sockets have not said whose call they are", self._waiting)
            await websocket.close(POLICY_VIOLATION)
            return
        await websocket.accept()
        line = MediaLine(websocket, MediaStream())
        start = await self._admitted(line)
        if start is not None:
            with call_in_log(start.call_sid):
                await self._run(line, start)
        await line.close(1000 if start is not None else POLICY_VIOLATION)

    def _is_signed(self, websocket: WebSocket) -> bool:
        path: str = websocket.scope["path"]
        signature = websocket.headers.get("x-twilio-signature")
        if self._checker is None or self._checker.websocket(path, signature):
            return True
        refused(
            "unsigned" if signature is None else "signature",
            "refused a media stream: its signature does not fit; if it was Twilio's, TWILIO_AUTH_TOKEN is not the "
            "account's primary token or PUBLIC_BASE_URL is not the address Twilio uses",
        )
        return False

    async def _admitted(self, line: MediaLine) -> Start | None:
        """The stream's start, once its token has been redeemed; None if it is not to be served."""
        self._waiting += 1
        try:
            async with asyncio.timeout(START_LIMIT_S):
                start = await line.started()
        except TimeoutError:
            refused("start", "closed a media stream that did not start within %.0f s", START_LIMIT_S)
            return None
        finally:
            self._waiting -= 1
        if start is None:
            refused("start", "a media stream ended before it started")
            return None
        try:
            token = start.parameters.get("token", "")
            claim = self._tokens.redeem(token, start.call_sid, start.account_sid, self._epoch())
            await self._redeem_everywhere(claim)
        except TokenRefused as refusal:
            refused("token", "refused the media stream of call %s: %s", start.call_sid, refusal)
            return None
        return start

    async def _redeem_everywhere(self, claim: Claim) -> None:
        """See that no other process has let this token in. A database that is away costs no call anything."""
        try:
            async with asyncio.timeout(REDEEM_LIMIT_S):
                is_first = await self._redeemed.redeem(claim.seal, claim.expires_at)
        except (OffhookError, TimeoutError) as away:
            logger.warning("that a stream token is new is known to this process only: %s", str(away) or "too slow")
        else:
            if not is_first:
                raise TokenRefused("used already, in another process")

    async def _run(self, line: MediaLine, start: Start) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(line.write(), name="line writer")
                await self._serve(line, start)
                writer.cancel()
        except* LineBroken as broken:
            logger.warning("the line broke: %s", broken.exceptions[0])
        except* Exception:
            logger.exception("the call ended by a fault of ours")
