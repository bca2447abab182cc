"""The databases of the records' tests, for whoever stands on them."""

from tests.telephony.records.conftest import database, database_url

__all__ = ["database", "database_url"]
