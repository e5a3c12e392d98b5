"""S3 as it was, put back into a moto that has just started."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from local_sagemaker.backing.moto import Moto
from local_sagemaker.s3.mirror import S3Mirror, Version
from local_sagemaker.s3.pieces import pieces

_AT_ONCE = 8
_VERSIONING = "versioning"
_VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
Identity = dict[str, Any]


async def restore(moto: Moto, mirror: S3Mirror) -> None:
    """Put every bucket and every version of every object back, under the ids and times they had.

    By S3's own API, but for what it does not let a client choose: version id, ETag, time of change.
    Those moto's process is told afterwards. Raises RuntimeError when moto refuses something.
    """
    mirror.tidy()
    restoration = _Restoration(moto, mirror)
    for bucket, document in mirror.buckets():
        await restoration.bucket(bucket, document)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(bucket: str, key: str, versions: list[Version]) -> list[Identity]:
        async with limit:
            return await restoration.object(bucket, key, versions)

    found = await asyncio.gather(*(one(*item) for item in mirror.objects()))
    await moto.ask({"identify": [identity for identities in found for identity in identities]})
    for item in mirror.objects():
        await restoration.tags(*item)
    for bucket, document in mirror.buckets():
        await restoration.versioning(bucket, document)


class _Restoration:
    def __init__(self, moto: Moto, mirror: S3Mirror) -> None:
        self._moto = moto
        self._mirror = mirror

    async def bucket(self, bucket: str, document: dict[str, Any]) -> None:
        """The bucket, with versioning on if it ever was, so that all versions find a place."""
        signed = self._moto.signed_for("s3", document["region"])
        await self._send("PUT", f"/{bucket}", {**signed, **document["headers"]}, document["body"].encode())
        for query, body in document["settings"].items():
            content = _VERSIONED if query == _VERSIONING else body.encode()
            await self._send("PUT", f"/{bucket}?{query}", signed, content)

    async def versioning(self, bucket: str, document: dict[str, Any]) -> None:
        """Versioning as it was set at last."""
        if _VERSIONING in document["settings"]:
            signed = self._moto.signed_for("s3", document["region"])
            body = document["settings"][_VERSIONING].encode()
            await self._send("PUT", f"/{bucket}?{_VERSIONING}", signed, body)

    async def object(self, bucket: str, key: str, versions: list[Version]) -> list[Identity]:
        """Every version, oldest first; returns what each was made as, and what it is to be."""
        target = f"/{bucket}/{quote(key)}"
        signed = self._moto.signed_for("s3")
        before = None
        if versions[0]["file"] is None:  # a marker marks something, which has been deleted since
            before = await self._send("PUT", target, signed, b"")
        identities = []
        after = 0.0
        for version in versions:
            made = await self._version(target, signed, version)
            # Listings go by the time: no two versions of an object may have the same.
            after = max(version["modified"], after + 0.001)
            known = {name: version.get(name) for name in ("id", "etag", "checksum")}
            identities.append({"bucket": bucket, "key": key, "made": made, "modified": after, **known})
        if before is not None:
            await self._send("DELETE", f"{target}?versionId={before}", signed, b"")
        return identities

    async def _version(self, target: str, signed: dict[str, str], version: Version) -> str:
        if version["file"] is None:
            return await self._send("DELETE", target, signed, b"")
        path = self._mirror.file(version)
        size = path.stat().st_size
        headers = {**signed, **version["headers"], "Content-Length": str(size)}
        with path.open("rb") as content:  # sent from the file: objects may be larger than the memory
            return await self._send("PUT", target, headers, pieces(content) if size else b"")

    async def tags(self, bucket: str, key: str, versions: list[Version]) -> None:
        """The versions' tags, which go by the version's id."""
        signed = self._moto.signed_for("s3")
        for version in versions:
            if version.get("tagging"):
                target = f"/{bucket}/{quote(key)}?tagging&versionId={quote(version['id'])}"
                await self._send("PUT", target, signed, version["tagging"].encode())

    async def _send(
        self, method: str, target: str, headers: dict[str, str], body: bytes | AsyncIterator[bytes]
    ) -> str:
        """Returns the version that was made."""
        async with self._moto.request(method, target, headers, body) as response:
            if not response.ok:
                detail = (await response.text())[:500]
                raise RuntimeError(
                    f"restoring S3 failed: {method} {target} answered {response.status}: {detail}"
                )
            return response.headers.get("x-amz-version-id", "null")
