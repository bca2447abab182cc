"""Stream tokens: the proof, carried in a `<Parameter>`, that a media socket belongs to a call we answered just now."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappop, heappush

from providers.errors import OffhookError

_VERSION = "v1"
MAX_REMEMBERED = 65_536


class TokenRefused(OffhookError):  # noqa: N818 - it names what became of the token
    """The token opens no stream. `reason` quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"stream token refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token is known by once it was used, and until when it matters, in seconds of the epoch."""

    seal: str = field(repr=False)
    expires_at: int


class StreamTokens:
    """Mints tokens at the webhook, redeems each of them once at the socket's `start`.

    A token says when it expires and whose call it is for, under an HMAC-SHA256, so any process with the same secret
    can redeem what another has minted. That it was used is remembered in this process only: a `Claim` is for whoever
    tells the other processes.
    """

    def __init__(self, secret: bytes | str, lifetime_s: int = 60, max_remembered: int = MAX_REMEMBERED) -> None:
        if not secret:
            raise ValueError("the secret is empty")
        self._key = secret.encode() if isinstance(secret, str) else secret
        self.lifetime_s = lifetime_s
        self._max_remembered = max_remembered
        self._used: set[str] = set()
        self._expiries: list[tuple[int, str]] = []  # a heap, the soonest first

    def mint(self, call_sid: str, account_sid: str, now_epoch_s: float, nonce: bytes) -> str:
        """A token for one call, about 160 characters that are safe in a URL. `nonce`: 16 random bytes or more.

        Raises `ValueError` for a SID that is not plain letters and digits.
        """
        if not (call_sid.isalnum() and account_sid.isalnum()):
            raise ValueError("a SID is made of letters and digits")
        expires_at = int(now_epoch_s) + self.lifetime_s
        claims = f"{_VERSION}.{expires_at}.{account_sid}.{call_sid}.{_base64(nonce)}"
        return f"{claims}.{self._seal(claims)}"

    def redeem(self, token: str, call_sid: str, account_sid: str, now_epoch_s: float) -> Claim:
        """Use a token up here; raises `TokenRefused` if it is forged, expired, another call's or used already."""
        claims, _, seal = token.rpartition(".")
        if not (token.isascii() and hmac.compare_digest(seal, self._seal(claims))):
            raise TokenRefused("forged, or minted with another secret")
        _, expires_at, token_account_sid, token_call_sid, _ = claims.split(".")
        if now_epoch_s >= int(expires_at):
            raise TokenRefused("expired")
        if token_account_sid != account_sid:
            raise TokenRefused("minted for another account")
        if token_call_sid != call_sid:
            raise TokenRefused("minted for another call")
        self._use(seal, int(expires_at), now_epoch_s)
        return Claim(seal, int(expires_at))

    def _use(self, seal: str, expires_at: int, now_epoch_s: float) -> None:
        while self._expiries and self._expiries[0][0] <= now_epoch_s:
            self._used.discard(heappop(self._expiries)[1])
        if seal in self._used:
            raise TokenRefused("used already")
        if len(self._used) >= self._max_remembered:
            raise TokenRefused("too many calls at once to tell a new token from a used one")
        self._used.add(seal)
        heappush(self._expiries, (expires_at, seal))

    def _seal(self, claims: str) -> str:
        return _base64(hmac.digest(self._key, claims.encode(), sha256))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
