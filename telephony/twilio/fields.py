"""Typed fields out of a peer's JSON: a reader gives the value or raises `MalformedMessage`, nothing else."""

from binascii import a2b_base64

import orjson

from providers.errors import OffhookError

type Object = dict[str, object]


class MalformedMessage(OffhookError):  # noqa: N818 - it names what was received
    """The peer sent something that is no message. `reason` names the fault and quotes no contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(text: str | bytes) -> Object:
    """The JSON object that the text holds."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise MalformedMessage("not JSON") from None
    if not isinstance(message, dict):
        raise MalformedMessage("not a JSON object")
    return message


def child(parent: Object, name: str) -> Object:
    """A nested object."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise MalformedMessage(f"{name} is missing or not an object")
    return value


def text(parent: Object, name: str) -> str:
    """Any string."""
    return string(parent.get(name), name)


def string(value: object, name: str) -> str:
    """A value that must be a string; `name` says what it was."""
    if not isinstance(value, str):
        raise MalformedMessage(f"{name} is missing or not a string")
    return value


def number(parent: Object, name: str) -> int:
    """A whole number, written as one."""
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedMessage(f"{name} is missing or not a whole number")
    return value


def counter(parent: Object, name: str) -> int:
    """A string of digits; 18 of them outlast any call, and stay below the length at which `int` refuses."""
    value = parent.get(name)
    if isinstance(value, str) and len(value) <= 18 and value.isascii() and value.isdigit():
        return int(value)
    raise MalformedMessage(f"{name} is missing or not a string of digits")


def sid(parent: Object, name: str) -> str:
    """A short run of letters and digits: safe in a log line, a path and JSON, if not of Twilio's shape."""
    value = parent.get(name)
    if isinstance(value, str) and len(value) <= 64 and value.isascii() and value.isalnum():
        return value
    raise MalformedMessage(f"{name} is missing or not an identifier")


def audio(parent: Object, name: str) -> bytes:
    """Base64 in the standard alphabet, padded, with nothing else in between."""
    try:
        return a2b_base64(text(parent, name), strict_mode=True)
    except ValueError:
        raise MalformedMessage(f"{name} is not base64") from None


def only(parent: Object, *names: str) -> None:
    """Refuses an object with any other field."""
    if extra := len(parent.keys() - set(names)):
        raise MalformedMessage(f"{extra} unknown fields")
