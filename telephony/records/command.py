"""What an operator does to the records from the command line."""

from telephony.records.database import connect
from telephony.records.records import storage
from telephony.records.retention import Forgotten, forget
from telephony.records.upgrade import upgrade
from telephony.settings import RecordSettings


async def upgrade_database(url: str) -> str:
    """Bring the schema up to date and return its version. Raises `DatabaseAway`."""
    database = connect(url)
    try:
        return await upgrade(database)
    finally:
        await database.close()


async def forget_caller(settings: RecordSettings, number: str) -> Forgotten:
    """Delete all calls from a number. Raises `DatabaseAway`, `StorageFailed` and `ConfigurationError`."""
    database = connect(settings.DATABASE_URL)
    try:
        return await forget(database, storage(settings), number)
    finally:
        await database.close()
