"""What a fake engine can be told to do wrong, the same list for all of them."""

from enum import StrEnum

import orjson


class Trouble(StrEnum):
    """`DROP`, `MALFORMED` and `WRONG_TYPE` strike in the first message that brings words or audio."""

    NONE = "works"
    SLOW = "answers late"
    STALL = "takes everything and answers nothing"
    DROP = "breaks the connection in the middle"
    REFUSES_KEY = "401"
    RATE_LIMITED = "429"
    RATE_LIMITED_UNTIL = "429 with Retry-After"
    UNAVAILABLE = "503"
    MALFORMED = "sends what is no JSON, or no audio"
    WRONG_TYPE = "sends fields of the wrong type"


STATUSES = {
    Trouble.REFUSES_KEY: 401,
    Trouble.RATE_LIMITED: 429,
    Trouble.RATE_LIMITED_UNTIL: 429,
    Trouble.UNAVAILABLE: 503,
}
RETRY_AFTER_S = 7


def retry_after(trouble: Trouble) -> dict[str, str]:
    """The header that goes with a refusal."""
    return {"Retry-After": str(RETRY_AFTER_S)} if trouble is Trouble.RATE_LIMITED_UNTIL else {}


def spoiled(message: str) -> str:
    """The JSON object with every value but its type's name made one of another type."""
    return orjson.dumps({key: _other(key, value) for key, value in orjson.loads(message).items()}).decode()


def _other(key: str, value: object) -> object:
    if key in ("type", "message_type", "event"):
        return value
    return 17 if isinstance(value, (str, list, dict)) else ["seventeen"]
