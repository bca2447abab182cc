"""Twilio's signature: proof that a request was made by somebody who holds the account's auth token.

The signed URL is built from the configured public address and the raw path and query, never from `Host` or a
forwarding header, which belong to whoever sends them. A socket's signature is a constant of its URL: it
proves knowledge but not freshness, which is what `tokens` is for.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from providers.errors import ConfigurationError

type Form = Mapping[str, str] | Iterable[tuple[str, str]]


def sign(url: str, token: str, params: Form = ()) -> str:
    """The signature Twilio would send with a request for `url`, byte for byte, and these form parameters."""
    signature: str = RequestValidator(token).compute_signature(url, _Params(params))
    return signature


class SignatureChecker:
    """Tells Twilio's requests from a stranger's. Says yes or no, and raises for nothing that was received."""

    def __init__(self, token: str, public_base_url: str) -> None:
        if not token:
            raise ConfigurationError.of("TWILIO_AUTH_TOKEN", "is empty, and anybody could sign with that")
        self._validator = RequestValidator(token)
        self._base_url = public_base_url.rstrip("/")

    def webhook(self, path_and_query: str, form: Form, signature: str | None, body: bytes = b"") -> bool:
        """Check a webhook: `form` holds its decoded parameters, blank and repeated ones too, in any order.

        `body` is the raw body of a request that is no form, such as JSON: Twilio then puts its SHA-256 into
        the query as `bodySHA256`, and a body without one is signed by nobody.
        """
        if not path_and_query.startswith("/"):
            return False
        url = self._base_url + path_and_query
        content: _Params | str = _Params(form)
        if not content and "bodySHA256" in parse_qs(urlsplit(url).query):
            content = body.decode(errors="surrogateescape")  # what is not UTF-8 then fails to encode, and is refused
        elif body:
            return False
        return self._is_valid(url, content, signature)

    def websocket(self, path: str, signature: str | None) -> bool:
        """Check the upgrade request of a media socket.

        Twilio signs the `<Stream>` URL with its own scheme, and advises to try it with a slash appended.
        """
        url = ("ws" + self._base_url.removeprefix("http") + path).rstrip("/")
        return path.startswith("/") and any(self._is_valid(each, "", signature) for each in (url, url + "/"))

    def _is_valid(self, url: str, content: "_Params | str", signature: str | None) -> bool:
        if signature is None:
            return False
        try:
            return bool(self._validator.validate(url, content, signature))
        except UnicodeEncodeError:
            return False


class _Params(dict[str, list[str]]):
    """Form parameters under the one method by which the validator asks for repeated ones."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        for name, value in form.items() if isinstance(form, Mapping) else form:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]
