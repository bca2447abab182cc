"""The way in for Twilio's webhooks: a signed form of bounded size, or a refusal that tells a stranger nothing."""

import asyncio
import re
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from telephony.twilio.refusals import refused
from telephony.twilio.signature import SignatureChecker

MAX_BODY = 64 * 1024
"""Bytes; Twilio's longest form is about two thousand."""

READ_LIMIT_S = 5.0

_FORM = "application/x-www-form-urlencoded"
_SIDS = {"CallSid": re.compile("CA[0-9A-Za-z]{32}"), "AccountSid": re.compile("AC[0-9A-Za-z]{32}")}


class SignedForms:
    """Reads the forms that Twilio posts to `public_base_url`; `checker` is None only where anybody may post."""

    def __init__(self, checker: SignatureChecker | None, public_base_url: str, account_sid: str | None = None) -> None:
        self._checker = checker
        self._public_base_url = public_base_url
        self._account_sid = account_sid

    async def read(self, request: Request) -> dict[str, str]:
        """The form's fields, `CallSid` and `AccountSid` among them.

        Raises `HTTPException` 400, 403, 408 or 413, and nothing else, whatever is posted. Of a repeated
        field the last value counts. Why a request was refused goes to the log, and a signature's flaw nowhere else.
        """
        try:
            form = _parsed(request.headers.get("content-type", ""), await _body(request))
            self._check_signature(request, form)
            fields = dict(form)
            for name, shape in _SIDS.items():
                if not shape.fullmatch(fields.get(name, "")):
                    raise HTTPException(400, f"{name} is missing or malformed")
            self._check_account(fields["AccountSid"])
        except HTTPException as refusal:
            if refusal.status_code != 403:
                refused("form", "refused %s: %s; Twilio sends no such thing", _path(request), refusal.detail)
            raise
        return fields

    def _check_signature(self, request: Request, form: list[tuple[str, str]]) -> None:
        if self._checker is None:
            return
        path = _path(request)
        query = request.scope["query_string"].decode("latin-1")
        signature = request.headers.get("x-twilio-signature")
        if self._checker.webhook(f"{path}?{query}" if query else path, form, signature):
            return
        if signature is None:
            refused("unsigned", "refused %s: no X-Twilio-Signature, so it was not Twilio that asked", path)
        else:
            refused(
                "signature",
                "refused %s: the signature does not match. If it was Twilio that asked, then either TWILIO_AUTH_TOKEN "
                "is not the account's primary auth token, or PUBLIC_BASE_URL is not how Twilio reaches this server: "
                "the signature was checked for %s%s",
                path,
                self._public_base_url,
                path,
            )
        raise HTTPException(403, "Forbidden")

    def _check_account(self, account_sid: str) -> None:
        if self._account_sid is not None and account_sid != self._account_sid:
            refused("account", "refused a call of another account than TWILIO_ACCOUNT_SID, though well signed")
            raise HTTPException(403, "Forbidden")


def _path(request: Request) -> str:
    """The path as it was sent, and signed: what it decodes to may be two lines in a log."""
    raw: bytes = request.scope.get("raw_path", request.scope["path"].encode())
    return raw.decode("latin-1")


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise HTTPException(413, "The form is too large")
    except TimeoutError:
        raise HTTPException(408, "The form took too long to arrive") from None
    except ClientDisconnect:
        raise HTTPException(400, "The form broke off") from None
    return bytes(body)


def _parsed(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Names and values as they were signed: decoded, in order, blank ones kept."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(400, f"Expected a form as {_FORM}")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise HTTPException(400, "The form cannot be read") from None
