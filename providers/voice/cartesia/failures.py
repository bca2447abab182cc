"""Cartesia's error messages, which have one form on all its sockets: that of its HTTP answers."""

import orjson
from pydantic import BaseModel

from providers.errors import ProviderException
from providers.voice.remote.service import Service


class _Error(BaseModel):
    status_code: int = 500


def failure(service: Service, message: dict[str, object]) -> ProviderException:
    """The failure that an `error` message tells of."""
    return service.refused(service.read(_Error, message).status_code, {}, orjson.dumps(message))
