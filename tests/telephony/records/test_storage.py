"""Where recordings are kept: a folder, and S3 over HTTP as the library speaks it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from providers.errors import ConfigurationError
from telephony.records.storage import Bucket, Folder, StorageFailed
from telephony.simulator.rest import serve


class S3:
    """As much of S3 as recordings need: objects put whole, deleted in bulk, and refused to strangers."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_shut = False
        self.app = Starlette(
            routes=[
                Route("/{bucket}/{name:path}", self._put, methods=["PUT"]),
                Route("/{bucket}", self._delete, methods=["POST"]),
            ]
        )

    async def _put(self, request: Request) -> Response:
        if self._is_refused(request):
            return Response(status_code=403)
        self.objects[request.path_params["name"]] = await request.body()
        return Response(headers={"ETag": '"1"'})

    async def _delete(self, request: Request) -> Response:
        if self._is_refused(request):
            return Response(status_code=403)
        names = re.findall(r"<Key>(.*?)</Key>", (await request.body()).decode())
        for name in names:
            self.objects.pop(name, None)
        deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
        return Response(f"<DeleteResult>{deleted}</DeleteResult>", media_type="application/xml")

    def _is_refused(self, request: Request) -> bool:
        return self.is_shut or "AWS4-HMAC-SHA256" not in request.headers.get("authorization", "")


def make(recording: Path) -> None:
    recording.write_bytes(b"sound")


def content(recording: Path) -> bytes | None:
    return recording.read_bytes() if recording.exists() else None


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "CA1-1.wav"
    make(path)
    return path


@pytest.fixture
def s3() -> S3:
    return S3()


@pytest.fixture
async def bucket(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    async with serve(s3.app) as url:
        variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-west-1",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield Bucket.at("s3://calls/of/mine", tmp_path)


async def test_a_folder_keeps_what_was_made_in_it(recording: Path, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    await folder.keep(recording)
    assert content(recording) == b"sound"
    await folder.delete(["CA1-1.wav", "CA1-2.wav"])
    assert content(recording) is None


async def test_a_bucket_takes_recordings_out_of_the_folder(bucket: Bucket, s3: S3, recording: Path) -> None:
    await bucket.keep(recording)
    assert s3.objects == {"of/mine/CA1-1.wav": b"sound"}
    assert content(recording) is None


async def test_a_bucket_that_refuses_leaves_them_there(bucket: Bucket, s3: S3, recording: Path) -> None:
    s3.is_shut = True
    with pytest.raises(StorageFailed, match="RECORDINGS_URL does not take a recording"):
        await bucket.keep(recording)
    assert content(recording) == b"sound"
    with pytest.raises(StorageFailed, match="RECORDINGS_URL does not delete a recording"):
        await bucket.delete(["CA1-1.wav"])


async def test_what_is_deleted_is_gone_from_both(bucket: Bucket, s3: S3, recording: Path) -> None:
    await bucket.keep(recording)
    make(recording)  # and not handed on yet
    await bucket.delete(["CA1-1.wav", "CA1-2.wav"])
    assert s3.objects == {}
    assert content(recording) is None


async def test_a_bucket_that_cannot_be_opened_is_told_before_there_is_a_recording(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="RECORDINGS_URL"):
        Bucket.at("http://bucket", tmp_path)
