"""What the parts of a scenario file are made of: strict models, patterns for text, and the choice by a part's key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field


class Part(BaseModel):
    """One mapping of the file: a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True)


type Seconds = Annotated[float, Field(ge=0, le=3600)]
type Text = Annotated[str, Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a text must be like. `written` is how the file has it: words that it contains, or `/a regular expression/`.

    Case does not count, nor does how much white space there is.
    """

    written: str
    expression: re.Pattern[str]

    def found_in(self, text: str) -> bool:
        return self.expression.search(" ".join(text.split())) is not None

    def __str__(self) -> str:
        return self.written


def pattern(written: object) -> Pattern:
    """Raises `ValueError` for what is no text, or no regular expression."""
    if isinstance(written, Pattern):
        return written
    if not isinstance(written, str) or not written.strip():
        raise ValueError("write the words it must contain, or /a regular expression/")
    words = " ".join(written.split())
    is_regular = len(words) > 2 and words.startswith("/") and words.endswith("/")
    try:
        return Pattern(words, re.compile(words[1:-1] if is_regular else re.escape(words), re.IGNORECASE))
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None


type Matching = Annotated[Pattern, BeforeValidator(pattern)]


def default_if_bare(default: object) -> BeforeValidator:
    """For the key of a part that may stand alone, as in `- cough`: there is nothing behind it then."""
    return BeforeValidator(lambda value: default if value == "" else value)


spelled_out = BeforeValidator(lambda value: {value: ""} if isinstance(value, str) else value)
"""A bare word as a mapping of that key with nothing behind it."""


def known_by(*keys: str) -> Discriminator:
    """Tells the members of a union by the one of `keys` that a mapping has; the tag is the key with a = before it."""

    def tag(value: object) -> str | None:
        if isinstance(value, Part):
            return "=" + next(iter(type(value).model_fields))
        found = [key for key in keys if isinstance(value, Mapping) and key in value]
        return "=" + found[0] if len(found) == 1 else None

    message = f"must have one of these keys: {', '.join(keys)}"
    return Discriminator(tag, custom_error_type="no_such_part", custom_error_message=message)
