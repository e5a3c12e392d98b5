"""S3's content on disk: moto keeps it in memory, and the local SageMaker promises it survives.

Every object is a file and a document in the store, every bucket a document. What is kept of an object
is its current version: bytes, headers, tags. Older versions, version ids and LastModified are moto's
own and are not kept; an object uploaded in parts comes back with a plain ETag.
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from local_sagemaker.backing.moto import Moto
from local_sagemaker.store import Store

_BUCKET = "s3-bucket"
_OBJECT = "s3-object"
_CHUNK = 1 << 20
_KEPT_HEADERS = (
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
    "expires",
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-website-redirect-location",
)
_RESTORED_AT_ONCE = 8


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and key of `s3://bucket/key`, or None for anything else."""
    match = re.fullmatch(r"s3://([^/]+)/(.+)", uri)
    return (match[1], match[2]) if match else None


class S3Mirror:
    """The copy of moto's S3 in the state directory."""

    def __init__(self, moto: Moto, store: Store, directory: Path) -> None:
        self._moto = moto
        self._store = store
        self._directory = directory
        self.locks = KeyLocks()
        directory.mkdir(parents=True, exist_ok=True)

    def bucket_region(self, bucket: str) -> str | None:
        """Where the bucket is, or None if there is none of that name."""
        document = self._store.get(_BUCKET, bucket)
        return document["region"] if document else None

    def archive(self, uri: str) -> Path | None:
        """The file with the object's bytes, or None if there is no such object."""
        place = split_uri(uri)
        document = self._store.get(_OBJECT, "/".join(place)) if place else None
        return self._directory / document["file"] if document else None

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The keys in a bucket that begin with `prefix`, in S3's order."""
        start = len(bucket) + 1
        return [place[start:] for place in self._store.keys(_OBJECT, f"{bucket}/{prefix}")]

    def record_bucket(self, bucket: str, body: bytes, headers: dict[str, str]) -> None:
        """A bucket was created with this request."""
        if self._store.get(_BUCKET, bucket):
            return  # created again by its owner, which changes nothing
        found = re.search(rb"<LocationConstraint[^>]*>([^<]+)<", body)
        region = found[1].decode() if found else "us-east-1"
        kept = {
            name: value
            for name, value in headers.items()
            if name == "x-amz-bucket-object-lock-enabled"
            or name.startswith(("x-amz-acl", "x-amz-object-own"))
        }
        document = {"region": region, "body": body.decode(), "headers": kept, "settings": {}}
        self._store.put(_BUCKET, bucket, document)

    def forget_bucket(self, bucket: str) -> None:
        """The bucket was deleted; S3 only deletes an empty one."""
        self._store.delete(_BUCKET, bucket)

    def record_setting(self, bucket: str, query: str, body: bytes | None) -> None:
        """A subresource of the bucket (`versioning`, `policy`, ...) was put, or deleted (None)."""
        document = self._store.get(_BUCKET, bucket)
        if document is None:
            return
        document["settings"].pop(query, None)
        if body is not None:
            document["settings"][query] = body.decode()
        self._store.put(_BUCKET, bucket, document)

    async def sync(self, bucket: str, key: str) -> None:
        """Make the copy of the object what S3 says it is now."""
        path = f"/{bucket}/{quote(key)}"
        headers = {
            **self._moto.signed_for("s3"),
            "x-amz-checksum-mode": "ENABLED",
            "Accept-Encoding": "identity",
        }
        old = self._store.get(_OBJECT, f"{bucket}/{key}")
        async with self._moto.request("GET", path, headers) as response:
            if response.ok:
                name = uuid.uuid4().hex
                await self._download(response, self._directory / name)
                document = {"file": name, "headers": _kept(response), "tagging": await self._tagging(path)}
                self._store.put(_OBJECT, f"{bucket}/{key}", document)
            else:
                self._store.delete(_OBJECT, f"{bucket}/{key}")
        if old:
            (self._directory / old["file"]).unlink(missing_ok=True)

    async def _download(self, response: aiohttp.ClientResponse, path: Path) -> None:
        with path.open("wb") as file:
            async for chunk in response.content.iter_chunked(_CHUNK):
                await asyncio.to_thread(file.write, chunk)

    async def _tagging(self, path: str) -> str | None:
        async with self._moto.request("GET", f"{path}?tagging", self._moto.signed_for("s3")) as response:
            body = await response.text()
        return body if response.ok and "<Tag>" in body else None

    async def restore(self) -> None:
        """Put everything back into a moto that has just started, and drop files that belong to nothing."""
        objects = dict(self._store.all(_OBJECT))
        named = {document["file"] for document in objects.values()}
        for path in self._directory.iterdir():
            if path.name not in named:
                path.unlink()
        for bucket, document in self._store.all(_BUCKET):
            signed = self._moto.signed_for("s3", document["region"])
            await self._put(f"/{bucket}", {**signed, **document["headers"]}, document["body"].encode())
            for query, body in document["settings"].items():
                await self._put(f"/{bucket}?{query}", signed, body.encode())
        limit = asyncio.Semaphore(_RESTORED_AT_ONCE)
        await asyncio.gather(*(self._restore_object(limit, *item) for item in objects.items()))

    async def _restore_object(self, limit: asyncio.Semaphore, place: str, document: dict[str, Any]) -> None:
        async with limit:
            body = await asyncio.to_thread((self._directory / document["file"]).read_bytes)
            signed = self._moto.signed_for("s3")
            await self._put(f"/{quote(place)}", {**signed, **document["headers"]}, body)
            if document["tagging"]:
                await self._put(f"/{quote(place)}?tagging", signed, document["tagging"].encode())

    async def _put(self, target: str, headers: dict[str, str], body: bytes) -> None:
        async with self._moto.request("PUT", target, headers, body) as response:
            if not response.ok:
                detail = (await response.text())[:500]
                raise RuntimeError(f"restoring S3 failed: PUT {target} answered {response.status}: {detail}")


def _kept(response: aiohttp.ClientResponse) -> dict[str, str]:
    kept = {}
    for spelled, value in response.headers.items():
        name = spelled.lower()
        if name in _KEPT_HEADERS or name.startswith("x-amz-meta-"):
            kept[name] = value
        elif name.startswith("x-amz-checksum-") and name != "x-amz-checksum-type" and "-" not in value:
            # The checksum of the whole (that of an upload in parts ends in "-N"); moto reads it only
            # when the algorithm is named too.
            kept[name] = value
            kept["x-amz-sdk-checksum-algorithm"] = name.rpartition("-")[2].upper()
    return kept


class KeyLocks:
    """One writer at a time for an object, so that its copy follows S3 in the same order.

    It also makes moto's conditional writes atomic: moto checks, then writes, in different moments.
    """

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @contextlib.asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the key; nobody else does until the block is left."""
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)
