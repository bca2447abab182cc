"""Twilio's REST API as far as a live call needs it: hang up, do this instead, send a text message."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import httpx
import orjson

from providers.errors import OffhookError

TIMEOUT_S = 5.0
"""How long an order may take, with all its attempts and the waits between them."""

ATTEMPTS = 3
FIRST_WAIT_S = 0.25
MAX_WAIT_S = 2.0

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_GONE = {(404, 20404), (400, 21220)}  # no such resource; the call is not in progress


class CarrierError(OffhookError):
    """Twilio did not do it. `status` is None if there was no answer, `code` if the answer had none of Twilio's own."""

    def __init__(self, message: str, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class TwilioRest:
    """Orders about live calls. An order that is safe to repeat is tried again when it fails on the way.

    A `client` that is passed in belongs to whoever passed it. Cancelling an order leaves open whether Twilio got it.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str = "https://api.twilio.com",
        client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_S)
        self._owns_client = client is None
        self._auth = httpx.BasicAuth(account_sid, auth_token)
        self._account_url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{quote(account_sid, safe='')}"
        self._sleep = sleep

    async def hang_up(self, call_sid: str) -> None:
        """End a call; one that is over already counts as ended. Raises `CarrierError`."""
        try:
            await self._update(call_sid, {"Status": "completed"})
        except CarrierError as error:
            if (error.status, error.code) not in _GONE:
                raise

    async def redirect(self, call_sid: str, twiml: str) -> None:
        """Replace what a live call is doing, which ends its stream and cuts buffered audio. Raises `CarrierError`."""
        await self._update(call_sid, {"Twiml": twiml})

    async def send_message(self, to: str, from_: str, body: str) -> None:
        """Send a text message, both numbers in E.164. Raises `CarrierError`: it may have been sent all the same.

        Tried again only where it is certain that Twilio took nothing, for a second message cannot be called back.
        """
        await self._order("Messages", {"To": to, "From": from_, "Body": body}, repeatable=False)

    async def aclose(self) -> None:
        """Let go of the connections, if they are ours."""
        if self._owns_client:
            await self._client.aclose()

    async def _update(self, call_sid: str, fields: Mapping[str, str]) -> None:
        await self._order(f"Calls/{quote(call_sid, safe='')}", fields, repeatable=True)

    async def _order(self, resource: str, fields: Mapping[str, str], repeatable: bool) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._post(f"{self._account_url}/{resource}.json", fields, repeatable)
        except TimeoutError:
            raise CarrierError(f"no answer from Twilio within {TIMEOUT_S:g} s") from None

    async def _post(self, url: str, fields: Mapping[str, str], repeatable: bool) -> None:
        """Post until it is done, refused for good, tried often enough, or not to be tried again."""
        for attempt in range(ATTEMPTS):
            wait_s = FIRST_WAIT_S * 2**attempt
            try:
                response = await self._client.post(url, data=fields, auth=self._auth)
            except httpx.RequestError as error:
                failure = CarrierError(f"Twilio cannot be reached: {type(error).__name__}")
                passing = repeatable or isinstance(error, _NEVER_SENT)
            else:
                if response.is_success:
                    return
                failure = _refusal(response)
                passing = response.status_code == 429 or (repeatable and response.status_code >= 500)
                wait_s = _retry_after_s(response) or wait_s
            if not passing or attempt + 1 == ATTEMPTS:
                raise failure
            await self._sleep(min(wait_s, MAX_WAIT_S))


def _refusal(response: httpx.Response) -> CarrierError:
    """The error in Twilio's words, without the telephone numbers it likes to quote."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    code, message = (body.get("code"), body.get("message")) if isinstance(body, dict) else (None, None)
    words = re.sub(r"\d{7,}", "…", message)[:200] if isinstance(message, str) else "no explanation"
    known = code if isinstance(code, int) else None
    return CarrierError(f"Twilio answered {response.status_code}: {words}", response.status_code, known)


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds Twilio asks us to wait; 0 if it does not say, or says it as a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0
