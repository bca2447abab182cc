"""The databases of the records' tests, for whoever stands on them."""

from tests.telephony.records.conftest import database_url, engine

__all__ = ["database_url", "engine"]
