"""S3 for the server's own work: what its jobs read and write."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import unescape

from local_sagemaker.backing.moto import Moto
from local_sagemaker.s3.mirror import S3Mirror
from local_sagemaker.s3.pieces import pieces


class S3Error(Exception):
    """S3 refused; the message is its code and its words."""

    @classmethod
    def of_answer(cls, text: str) -> "S3Error":
        """From the XML of an error, or from whatever else was answered."""
        code, message = (re.search(f"<{tag}>([^<]*)</{tag}>", text) for tag in ("Code", "Message"))
        return cls(f"{code[1]}: {unescape(message[1])}" if code and message else text)


class S3Objects:
    """Reads from the copy on disk, writes by the way that clients' PutObject takes."""

    def __init__(self, moto: Moto, mirror: S3Mirror) -> None:
        self._moto = moto
        self._mirror = mirror

    def list(self, bucket: str, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, in S3's order."""
        return self._mirror.keys(bucket, prefix)

    def path(self, bucket: str, key: str) -> Path | None:
        """The file with the object's bytes, or None; it goes when the object is written again."""
        return self._mirror.archive(f"s3://{bucket}/{key}")

    async def download(self, bucket: str, key: str, target: Path) -> None:
        """Copy an object to a file, whose directories are made; raises S3Error when it is not there."""
        path = self.path(bucket, key)
        if path is None:
            raise S3Error(f"NoSuchKey (404): The specified key does not exist: s3://{bucket}/{key}")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Opened before anything else can happen: an object that is written again loses its old file.
        with path.open("rb") as source, target.open("wb") as copy:
            await asyncio.to_thread(shutil.copyfileobj, source, copy, 1 << 20)

    async def upload(self, path: Path, bucket: str, key: str) -> None:
        """Write a file as an object, without taking it into memory; it is on disk when this returns.

        Raises S3Error when it is refused.
        """
        headers = {**self._moto.signed_for("s3"), "Content-Length": str(path.stat().st_size)}
        async with self._mirror.locks.hold(f"{bucket}/{key}"):
            with path.open("rb") as body:
                async with self._moto.request(
                    "PUT", f"/{bucket}/{quote(key)}", headers, pieces(body) if path.stat().st_size else b""
                ) as response:
                    if not response.ok:
                        raise S3Error.of_answer(await response.text())
            await self._mirror.sync(bucket, key)

    async def write(
        self, body: bytes, bucket: str, key: str, content_type: str = "application/octet-stream"
    ) -> None:
        """Write an object; it is on disk when this returns. Raises S3Error when it is refused."""
        headers = {**self._moto.signed_for("s3"), "Content-Type": content_type}
        async with (
            self._mirror.locks.hold(f"{bucket}/{key}"),
            self._moto.request("PUT", f"/{bucket}/{quote(key)}", headers, body) as response,
        ):
            if not response.ok:
                raise S3Error.of_answer(await response.text())
            await self._mirror.sync(bucket, key)

    async def upload_tree(self, directory: Path, bucket: str, prefix: str) -> int:
        """Write every file below a directory under `prefix`; returns how many."""
        count = 0
        for path in files_below(directory):
            await self.upload(path, bucket, prefix + path.relative_to(directory).as_posix())
            count += 1
        return count


def files_below(directory: Path) -> Iterator[Path]:
    """Every regular file below a directory, in order; links that lead out of it are passed over."""
    root = directory.resolve()
    for parent, names, files in os.walk(directory):
        names.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_file() and path.resolve().is_relative_to(root):
                yield path


def split_prefix(uri: str) -> tuple[str, str]:
    """Bucket and key prefix of `s3://bucket[/prefix]`; raises ValueError for anything else."""
    scheme, _, rest = uri.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ValueError(f"expected s3://bucket/prefix, found {uri!r}")
    return bucket, prefix


def read_json(path: Path) -> object:
    """A JSON file's content; raises ValueError when it is none."""
    return json.loads(path.read_bytes())
