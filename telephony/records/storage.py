"""Where recordings are kept: a folder of this machine, or a bucket of an object store."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from providers.errors import ConfigurationError, OffhookError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

RETRY_LIMIT = timedelta(seconds=20)
"""How long after a request began it may be made again; each is given 30 s by the library."""
PARTS_AT_ONCE = 2
"""Of 5 MB each, in memory."""


class StorageFailed(OffhookError):  # noqa: N818 - says what happened
    """A recording could not be stored or deleted where `RECORDINGS_URL` says."""


class Storage(Protocol):
    """Keeps finished recordings under their names. Both methods raise `StorageFailed`; cancelling is safe."""

    async def keep(self, recording: Path) -> None:
        """Take a finished recording out of the folder it was made in, unless that is where it stays."""

    async def delete(self, names: Iterable[str]) -> None:
        """Delete recordings, wherever they have got to; one that is not there is no failure."""


class Folder:
    """Recordings stay where they are made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def keep(self, recording: Path) -> None:
        """Nothing is left to do."""

    async def delete(self, names: Iterable[str]) -> None:
        paths = [self._path / name for name in names]
        try:
            await asyncio.to_thread(_unlink, paths)
        except OSError as error:
            raise StorageFailed(f"a recording cannot be deleted from RECORDINGS_FOLDER: {error.strerror}") from None


class Bucket:
    """Recordings are made in a folder and moved to an object store once they are complete."""

    def __init__(self, store: "ObjectStore", folder: Path) -> None:
        self._store = store
        self._folder = Folder(folder)

    @classmethod
    def at(cls, url: str, folder: Path) -> "Bucket":
        """The bucket of an `s3://` URL; keys and region come from where AWS's own tools take them."""
        try:
            from obstore.exceptions import BaseError
            from obstore.store import S3Store
        except ImportError as error:
            raise ConfigurationError.of("RECORDINGS_URL", "needs pip install 'offhook[s3]'") from error
        try:
            store = S3Store.from_url(url, retry_config={"max_retries": 2, "retry_timeout": RETRY_LIMIT})
        except (BaseError, ValueError) as error:
            raise ConfigurationError.of("RECORDINGS_URL", f"opens no object store ({type(error).__name__})") from error
        return cls(store, folder)

    async def keep(self, recording: Path) -> None:
        import obstore

        try:
            await obstore.put_async(self._store, recording.name, recording, max_concurrency=PARTS_AT_ONCE)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise StorageFailed(f"RECORDINGS_URL does not take a recording ({type(error).__name__})") from None
        await self._folder.delete([recording.name])

    async def delete(self, names: Iterable[str]) -> None:
        import obstore

        names = list(names)
        await self._folder.delete(names)
        try:
            await obstore.delete_async(self._store, names)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise StorageFailed(f"RECORDINGS_URL does not delete a recording ({type(error).__name__})") from None


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
