"""S3's content on disk: moto keeps it in memory, and the local SageMaker promises it survives.

Every version of an object is a file; what is said of an object's versions is one document in the store,
oldest first, delete markers among them; a second document, made from the first, names the current file.
Every bucket is a document. Parts of uploads that are not complete are moto's own and are not kept.
"""

import asyncio
import email.utils
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from local_sagemaker.backing.moto import Moto
from local_sagemaker.s3.locks import KeyLocks
from local_sagemaker.store import Store

_BUCKET = "s3-bucket"
_OBJECT = "s3-object"  # the current version's file
_VERSIONS = "s3-versions"
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


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and key of `s3://bucket/key`, or None for anything else."""
    match = re.fullmatch(r"s3://([^/]+)/(.+)", uri)
    return (match[1], match[2]) if match else None


Version = dict[str, Any]


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

    async def sync(self, bucket: str, key: str, version: str | None = None) -> None:
        """Make the copy of one version what S3 says it is now: that named, else the current one."""
        path = f"/{bucket}/{quote(key)}"
        if version is not None:
            status, _headers = await self._head(f"{path}?versionId={quote(version)}")
            if status == HTTPStatus.NOT_FOUND:
                self._save(bucket, key, [one for one in self.versions(bucket, key) if one["id"] != version])
                return
            if status == HTTPStatus.BAD_REQUEST:  # a bucket without versioning has current objects only
                version = None
        query = f"versionId={quote(version)}" if version else ""
        headers = {
            **self._moto.signed_for("s3"),
            "x-amz-checksum-mode": "ENABLED",
            "Accept-Encoding": "identity",
        }
        async with self._moto.request("GET", f"{path}?{query}", headers) as response:
            if response.ok:
                name = uuid.uuid4().hex
                await self._download(response, self._directory / name)
                tagging = await self._tagging(f"{path}?tagging&{query}")
                found = _described(response, name, tagging)
            else:
                _status, said = await self._head(path)
                if said.get("x-amz-delete-marker") != "true":
                    self._save(bucket, key, [])
                    return
                found = _marker(said["x-amz-version-id"])
        versions = self.versions(bucket, key)
        if version is None and found["id"] == "null" and len(versions) == 1:
            versions = []
        places = [place for place, one in enumerate(versions) if one["id"] == found["id"]]
        for place in places:
            versions[place] = found
        self._save(bucket, key, versions if places else [*versions, found])

    def versions(self, bucket: str, key: str) -> list[Version]:
        """What is kept of an object, oldest first; a delete marker has no file."""
        document = self._store.get(_VERSIONS, f"{bucket}/{key}")
        return document["versions"] if document else []

    def objects(self) -> Iterator[tuple[str, str, list[Version]]]:
        """Bucket, key and versions of every object."""
        for place, document in self._store.all(_VERSIONS):
            bucket, _, key = place.partition("/")
            yield bucket, key, document["versions"]

    def buckets(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every bucket, with its region, the body and headers that made it, and its settings."""
        return self._store.all(_BUCKET)

    def file(self, version: Version) -> Path:
        """Where a version's bytes are."""
        return self._directory / str(version["file"])

    def tidy(self) -> None:
        """After a crash: make the index of current files anew, and drop files that belong to nothing."""
        self._adopt()
        named: set[str | None] = set()
        for bucket, key, versions in list(self.objects()):
            self._index(bucket, key, versions)
            named.update(one["file"] for one in versions)
        for path in self._directory.iterdir():
            if path.name not in named:
                path.unlink()

    def _adopt(self) -> None:
        """Take over objects that were kept before versions were: each becomes the only one of its own."""
        for place, document in list(self._store.all(_OBJECT)):
            if self._store.get(_VERSIONS, place) is not None:
                continue
            if "headers" in document:
                modified = (self._directory / document["file"]).stat().st_mtime
                only = {**document, "id": "null", "etag": None, "modified": round(modified)}
                self._store.put(_VERSIONS, place, {"versions": [only]})
            else:
                self._store.delete(_OBJECT, place)

    def _save(self, bucket: str, key: str, versions: list[Version]) -> None:
        """Write what is kept of an object; the files of versions that are gone go."""
        old = {one["file"] for one in self.versions(bucket, key)}
        if versions:
            self._store.put(_VERSIONS, f"{bucket}/{key}", {"versions": versions})
        else:
            self._store.delete(_VERSIONS, f"{bucket}/{key}")
        self._index(bucket, key, versions)
        for name in old - {one["file"] for one in versions} - {None}:
            (self._directory / name).unlink(missing_ok=True)

    def _index(self, bucket: str, key: str, versions: list[Version]) -> None:
        if versions and versions[-1]["file"]:
            self._store.put(_OBJECT, f"{bucket}/{key}", {"file": versions[-1]["file"]})
        else:
            self._store.delete(_OBJECT, f"{bucket}/{key}")

    async def _head(self, target: str) -> tuple[int, Mapping[str, str]]:
        async with self._moto.request("HEAD", target, self._moto.signed_for("s3")) as response:
            return response.status, response.headers

    async def _download(self, response: aiohttp.ClientResponse, path: Path) -> None:
        try:
            with path.open("wb") as file:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    await asyncio.to_thread(file.write, chunk)
        except BaseException:
            path.unlink(missing_ok=True)  # on a full disk, half an object would keep it full
            raise

    async def _tagging(self, target: str) -> str | None:
        async with self._moto.request("GET", target, self._moto.signed_for("s3")) as response:
            body = await response.text()
        return body if response.ok and "<Tag>" in body else None


def _described(response: aiohttp.ClientResponse, name: str, tagging: str | None) -> Version:
    modified = email.utils.parsedate_to_datetime(response.headers["Last-Modified"]).timestamp()
    version = {
        "id": response.headers.get("x-amz-version-id", "null"),
        "file": name,
        "headers": _kept(response),
        "tagging": tagging,
        "etag": response.headers["ETag"].strip('"'),
        "modified": modified,
    }
    checksum = _composite(response)
    return {**version, "checksum": checksum} if checksum else version


def _marker(identity: str) -> Version:
    return {"id": identity, "file": None, "modified": round(time.time(), 3)}


def _composite(response: aiohttp.ClientResponse) -> dict[str, Any] | None:
    """The checksum of an upload in parts, which is made of the parts' and ends in their number."""
    for name, value in response.headers.items():
        algorithm = name.lower().removeprefix("x-amz-checksum-")
        sum_, separator, parts = value.rpartition("-")
        if algorithm != name.lower() and separator and parts.isdigit():
            return {"algorithm": algorithm.upper(), "value": sum_, "parts": int(parts)}
    return None


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
